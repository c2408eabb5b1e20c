import { expect, test } from 'vitest';
import type { Item, Stage } from './queue';
import { type RunningUploads, withChange } from './running-uploads';

const NONE: RunningUploads = new Map();
const item = (imageId: string | undefined, stage: Stage): Item => ({
  key: 1,
  name: 'a',
  size: 1,
  stage,
  ...(imageId ? { imageId } : {}),
});
const uploading = (imageId: string, sent: number) => item(imageId, { name: 'uploading', sent, waiting: undefined });

test('knows how much of each running upload is sent', () => {
  const first = withChange(NONE, { before: item('a', { name: 'preparing' }), after: uploading('a', 0) });
  const second = withChange(first, { before: undefined, after: uploading('b', 0.1) });
  const third = withChange(second, { before: uploading('a', 0), after: uploading('a', 0.5) });
  expect([...third]).toEqual([
    ['b', 0.1],
    ['a', 0.5],
  ]);
  const ended = withChange(third, {
    before: uploading('a', 0.5),
    after: item('a', { name: 'labeling', slow: false, unreachable: false }),
  });
  expect([...ended]).toEqual([['b', 0.1]]);
  expect([...withChange(ended, { before: uploading('b', 0.1), after: undefined })]).toEqual([]);
});

test('an upload that starts again under another id replaces the first one', () => {
  const uploads = withChange(NONE, { before: undefined, after: uploading('a', 0.5) });
  expect([...withChange(uploads, { before: uploading('a', 0.5), after: uploading('b', 0) })]).toEqual([['b', 0]]);
});

test('other changes of uploads keep the map', () => {
  const before = item(undefined, { name: 'waiting' });
  expect(withChange(NONE, { before: undefined, after: before })).toBe(NONE);
  expect(withChange(NONE, { before, after: item(undefined, { name: 'preparing' }) })).toBe(NONE);
});
