import { expect, test } from 'vitest';
import type { Image, LabelSettings } from '../api/types';
import { applySettings, candidatesOf } from './policy';

const EVERYTHING: LabelSettings = {
  minConfidence: 0,
  maxLabels: 100,
  include: [],
  exclude: [],
  renames: [],
  version: 'initial',
};
const label = (name: string, confidence: number, others: object = {}) => ({
  name,
  confidence,
  added: false,
  keyword: false,
  detectedAs: [] as string[],
  ...others,
});
const LABELS = [label('Cat', 90), label('Dog', 55), label('Animal', 95)];
const kept = (settings: Partial<LabelSettings>, labels = LABELS) =>
  applySettings({ ...EVERYTHING, ...settings }, labels).map(({ name }) => name);

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

test("a renamed label is excluded by the model's name, too", () => {
  const labels = [label('Good boy', 90, { detectedAs: ['Dog'] })];
  expect(kept({ exclude: ['dog'] }, labels)).toEqual([]);
  expect(kept({ include: ['dog'] }, labels)).toEqual(['Good boy']);
});

test('labels that a person added count in any case, and do not use up the maximum', () => {
  const labels = [...LABELS, label('Kitty', 100, { added: true })];
  expect(kept({ exclude: ['Kitty'], maxLabels: 1 }, labels)).toEqual(['Kitty', 'Animal']);
});

test('a lower threshold brings back what the model found, but not what a person removed', () => {
  const image = {
    labels: [label('Cat', 90)],
    otherLabels: [
      { name: 'Lynx', confidence: 31 },
      { name: 'Dog', confidence: 80 },
    ],
    corrections: { added: [], removed: ['dog'] },
  } as unknown as Image;
  expect(kept({ minConfidence: 55 }, candidatesOf(image) as never)).toEqual(['Cat']);
  expect(kept({ minConfidence: 30 }, candidatesOf(image) as never)).toEqual(['Cat', 'Lynx']);
});

test('keywords of the file count whatever their number, unless their names are excluded', () => {
  const labels = [...LABELS, label('Grandma', 100, { keyword: true }), label('Lisbon', 100, { keyword: true })];
  expect(kept({ minConfidence: 99, maxLabels: 1 }, labels)).toEqual(['Grandma', 'Lisbon']);
  expect(kept({ minConfidence: 99, exclude: ['grandma'] }, labels)).toEqual(['Lisbon']);
  expect(kept({ include: ['Cat', 'Lisbon'] }, labels)).toEqual(['Lisbon', 'Cat']);
});
