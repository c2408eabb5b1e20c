import { expect, test } from 'vitest';
import { type Filter, NO_FILTER } from '../api/filter';
import { partsOf } from './parts';
import { combine, format } from './query';

const label = (name: string, minConfidence?: number) => ({ name, minConfidence });

const FILTER: Filter = {
  labels: [[label('Cat'), label('Dog')], [label('Bird', 90)], [label('Cup', 99.5), label('Car'), label('Bus')]],
  without: ['Person'],
  untagged: false,
  minConfidence: 70,
  status: 'REJECTED',
  type: 'VIDEO',
  from: '2026-01-01',
  to: undefined,
  taken: '2015-07',
};

test('names the parts, and gives the text of each', () => {
  expect(partsOf(FILTER).map(({ name, filter }) => [name, format(filter)])).toEqual([
    ['Cat or Dog', 'Cat or Dog'],
    ['Bird 90% or more', 'Bird > 90'],
    ['Cup (99.5% or more), Car, or Bus', 'Cup > 99.5 or Car or Bus'],
    ['Without Person', '-Person'],
    ['70% or more', 'confidence:70'],
    ['Rejected', 'status:rejected'],
    ['Videos', 'type:video'],
    ['Since Jan 1, 2026', 'from:2026-01-01'],
    ['Taken Jul 2015', 'taken:2015-07'],
  ]);
  expect(partsOf({ ...NO_FILTER, untagged: true }).map(({ name }) => name)).toEqual(['Untagged']);
  expect(partsOf(NO_FILTER)).toEqual([]);
});

test('a part and the rest are the whole filter', () => {
  for (const { filter, rest } of partsOf(FILTER)) {
    expect(partsOf(rest)).toHaveLength(partsOf(FILTER).length - 1);
    const { labels, ...others } = combine(rest, filter);
    expect(others).toEqual({ ...FILTER, labels: undefined });
    expect(new Set(labels)).toEqual(new Set(FILTER.labels));
  }
});

test('names a period that ends with a month', () => {
  const nameOf = (from: string | undefined, to: string) => partsOf({ ...NO_FILTER, from, to })[0]?.name;
  expect(nameOf(undefined, '2015-07-31')).toBe('Up to July 2015');
  expect(nameOf(undefined, '2015-07-30')).toBe('Until Jul 30, 2015');
  expect(nameOf('2015-07-01', '2015-07-31')).toBe('Jul 1, 2015 – Jul 31, 2015');
});

test('names the time of a picture', () => {
  const nameOf = (taken: string) => partsOf({ ...NO_FILTER, taken })[0]?.name;
  expect(nameOf('2015')).toBe('Taken 2015');
  expect(nameOf('2015-07-13')).toBe('Taken Jul 13, 2015');
});
