import { expect, test } from 'vitest';
import type { Item, Stage } from './queue';
import { totalProgress } from './total-progress';

const item = (size: number, stage: Stage): Item => ({ key: size, name: 'a', size, stage });

test('counts bytes, so that pictures do not hide how much of a video is left', () => {
  const labeled: Stage = { name: 'rejected', reason: '' };
  const pictures = Array.from({ length: 9 }, () => item(1_000_000, labeled));
  const video = item(1_000_000_000, { name: 'uploading', sent: 0.25, waiting: undefined });
  expect(totalProgress([...pictures, video])).toBeCloseTo(0.26, 1);
  expect(totalProgress(pictures)).toBe(1);
  expect(totalProgress([])).toBe(0);
});
