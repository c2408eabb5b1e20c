import { expect, test } from 'vitest';
import type { FilterPolicy } from '../api/types';
import { applyPolicy } from './policy';

const EVERYTHING: FilterPolicy = { minConfidence: 0, maxLabels: 100, include: [], exclude: [] };
const LABELS = [
  { name: 'Cat', confidence: 90 },
  { name: 'Dog', confidence: 55 },
  { name: 'Animal', confidence: 95 },
];
const kept = (policy: Partial<FilterPolicy>) =>
  applyPolicy({ ...EVERYTHING, ...policy }, LABELS).map(({ name }) => name);

test('keeps labels at the threshold, and the most confident ones if there are too many', () => {
  expect(kept({ minConfidence: 55 })).toEqual(['Animal', 'Cat', 'Dog']);
  expect(kept({ minConfidence: 55.1 })).toEqual(['Animal', 'Cat']);
  expect(kept({ maxLabels: 1 })).toEqual(['Animal']);
});

test('ignores case, and exclusion wins over inclusion', () => {
  expect(kept({ include: ['cat', 'DOG'] })).toEqual(['Cat', 'Dog']);
  expect(kept({ include: ['cat', 'dog'], exclude: ['CAT'] })).toEqual(['Dog']);
});

test('accepts a number that is not complete yet', () => {
  expect(kept({ maxLabels: Number.NaN })).toHaveLength(3);
});
