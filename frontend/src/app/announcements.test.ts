import { expect, test } from 'vitest';
import type { Summary } from '../api/types';
import type { LoadState } from '../gallery/library';
import { resultsAnnouncement } from './announcements';

test.each<[number, LoadState, string | undefined]>([
  [0, { name: 'complete' }, 'No pictures found'],
  [1, { name: 'complete' }, '1 picture'],
  [12, { name: 'complete' }, '12 pictures'],
  [100, { name: 'partial' }, '100 or more pictures'],
  [0, { name: 'partial' }, undefined],
  [0, { name: 'loading' }, undefined],
  [0, { name: 'failed', reason: 'The service is unavailable.' }, undefined],
])('announces %i results in the state %o as %o', (number, loadState, sentence) => {
  const images = Array.from({ length: number }, (_, index) => ({ imageId: String(index) }) as Summary);
  expect(resultsAnnouncement({ images, loadState })).toBe(sentence);
});
