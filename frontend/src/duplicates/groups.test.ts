import { expect, test } from 'vitest';
import type { DuplicateGroup, Summary } from '../api/types';
import { allButOne, merge, remaining, selectedImages, withoutCopy } from './groups';

const group = (sha256: string, ...ids: string[]): DuplicateGroup => ({
  sha256,
  images: ids.map((imageId) => ({ imageId }) as Summary),
});
const idsOf = (groups: readonly DuplicateGroup[]) => groups.map(({ images }) => images.map(({ imageId }) => imageId));

test('a group disappears when only one of its pictures is left, and returns after an undo', () => {
  const groups = [group('a', '1', '2', '3'), group('b', '4', '5')];
  const removed = new Set(['1', '4']);
  expect(idsOf(remaining(groups, (id) => removed.has(id)))).toEqual([['2', '3']]);
  removed.clear();
  expect(idsOf(remaining(groups, (id) => removed.has(id)))).toEqual([
    ['1', '2', '3'],
    ['4', '5'],
  ]);
});

test('selecting all but one leaves a copy of every picture', () => {
  const groups = [group('a', '1', '2', '3'), group('b', '4', '5')];
  const selected = new Set(groups.flatMap(allButOne));
  expect(selectedImages(groups, selected).map(({ imageId }) => imageId)).toEqual(['2', '3', '5']);
  expect(withoutCopy(groups, selected)).toBe(0);
  expect(withoutCopy(groups, selected.add('4'))).toBe(1);
});

test('a group that is loaded again is shown once, as it is now', () => {
  const merged = merge([group('a', '1', '2'), group('b', '3', '4')], [group('a', '1', '2', '5')]);
  expect(idsOf(merged)).toEqual([
    ['3', '4'],
    ['1', '2', '5'],
  ]);
});
