import { expect, test } from 'vitest';
import type { FilterPolicy } from './api/types';
import { keeps } from './policy';

const EVERYTHING: FilterPolicy = { minConfidence: 0, maxLabels: 100, include: [], exclude: [] };
const LABELS = [
  { name: 'Cat', confidence: 90 },
  { name: 'Dog', confidence: 55 },
  { name: 'Animal', confidence: 95 },
];
const kept = (policy: Partial<FilterPolicy>) => keeps({ ...EVERYTHING, ...policy }, LABELS).map(({ name }) => name);

test('a label exactly at the threshold counts, and the surest stay when there are too many', () => {
  expect(kept({ minConfidence: 55 })).toEqual(['Animal', 'Cat', 'Dog']);
  expect(kept({ minConfidence: 55.1 })).toEqual(['Animal', 'Cat']);
  expect(kept({ maxLabels: 1 })).toEqual(['Animal']);
});

test('names are compared without regard to case, and exclusion wins', () => {
  expect(kept({ include: ['cat', 'DOG'] })).toEqual(['Cat', 'Dog']);
  expect(kept({ include: ['cat', 'dog'], exclude: ['CAT'] })).toEqual(['Dog']);
});

test('a number that is being typed is no crash', () => {
  expect(kept({ maxLabels: Number.NaN })).toHaveLength(3);
});
