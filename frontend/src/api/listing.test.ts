import { expect, test } from 'vitest';
import { NO_FILTER } from './filter';
import { compare, isPossible, type Listing, ORDERS, type Order, readOrder } from './listing';
import type { Summary } from './types';

const label = (name: string, minConfidence?: number) => ({ name, minConfidence });
const cats = { ...NO_FILTER, labels: [[label('Cat', 90)]] };

test.each([
  ['no label', NO_FILTER, false],
  ['one label', cats, true],
  ['alternatives', { ...NO_FILTER, labels: [[label('Cat'), label('Dog')]] }, false],
  ['two labels', { ...NO_FILTER, labels: [[label('Cat')], [label('Dog')]] }, false],
  ['an excluded label', { ...NO_FILTER, without: ['Cat'] }, false],
])('with %s in the search, only what is possible can be sorted by', (_, filter, possible) => {
  expect(ORDERS.filter((order) => isPossible(order, filter))).toEqual(possible ? ORDERS : ['time', 'added']);
  expect(readOrder('confidence', filter)).toBe(possible ? 'confidence' : 'time');
});

test('ignores unknown orders', () => {
  expect(['', 'name', 'added', 'time'].map((name) => readOrder(name, NO_FILTER))).toEqual([
    'time',
    'time',
    'added',
    'time',
  ]);
});

test.each<[Order, string]>([
  ['time', 'dbca'],
  ['added', 'abcd'],
  ['confidence', 'cdab'],
])('sorts by %s', (order, expected) => {
  const image = (imageId: string, time: string, createdAt: string, confidence: number) =>
    ({ imageId, time, createdAt, labels: [label('Dog'), { name: 'cat', confidence }] }) as unknown as Summary;
  const images = [
    image('a', '2015-07-13T10:00:00.000', '2026-11-04T00:00:00.000Z', 70),
    image('b', '2026-11-01T10:00:00.000', '2026-11-03T00:00:00.000Z', 60),
    image('c', '2026-11-01T09:00:00.000', '2026-11-02T00:00:00.000Z', 99.5),
    image('d', '2026-11-01T10:00:00.000', '2026-11-01T00:00:00.000Z', 80),
  ];
  const listing: Listing = { filter: cats, order, boxes: false };
  const sorted = images.toSorted((one, other) => compare(one, other, listing));
  expect(sorted.map(({ imageId }) => imageId).join('')).toBe(expected);
});
