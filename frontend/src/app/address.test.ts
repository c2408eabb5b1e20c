import { expect, test } from 'vitest';
import { NO_FILTER } from '../api/filter';
import { type Address, readAddress, writeAddress } from './address';

const ID = '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1';
const named = (name: string, minConfidence?: number) => ({ name, minConfidence });
const read = (path: string) => readAddress(new URL(path, 'http://127.0.0.1:8080'));

test('readAddress reads what writeAddress writes', () => {
  const addresses: Address[] = [
    { view: { name: 'library' }, filter: NO_FILTER, order: 'time' },
    { view: { name: 'settings' }, filter: NO_FILTER, order: 'time' },
    { view: { name: 'duplicates' }, filter: NO_FILTER, order: 'added' },
    { view: { name: 'labels' }, filter: { ...NO_FILTER, labels: [[named('Cat')]] }, order: 'confidence' },
    {
      view: { name: 'picture', imageId: ID },
      filter: {
        labels: [[named('Hot & Cold?'), named('犬', 90)], [named('Coffee Cup')]],
        without: ['A+B', 'Dog'],
        untagged: false,
        minConfidence: 70,
        status: 'FAILED',
        type: 'PICTURE',
        taken: '2015-07',
        from: '2026-01-31',
        to: '2026-02-28',
      },
      order: 'added',
    },
    { view: { name: 'picture', imageId: ID, startMs: 12_500 }, filter: NO_FILTER, order: 'time' },
    { view: { name: 'library' }, filter: { ...NO_FILTER, untagged: true, taken: '2015' }, order: 'time' },
  ];
  for (const address of addresses) expect(read(writeAddress(address))).toEqual(address);
  expect(writeAddress({ view: { name: 'library' }, filter: NO_FILTER, order: 'time' })).toBe('/');
});

test('an address has the parameters of the API', () => {
  const labels = [[named('Cat', 90), named('Dog')], [named('Beach')]];
  const filter = { ...NO_FILTER, labels, without: ['Car'] };
  const address = writeAddress({ view: { name: 'library' }, filter, order: 'added' });
  expect(decodeURIComponent(address)).toBe('/?label=Cat>90|Dog&label=Beach&without=Car&order=added');
});

test('sorts by confidence only while there is one label', () => {
  const two = { ...NO_FILTER, labels: [[named('Cat')], [named('Dog')]] };
  expect(writeAddress({ view: { name: 'library' }, filter: two, order: 'confidence' })).toBe('/?label=Cat&label=Dog');
  expect(read('/?label=Cat&order=confidence').order).toBe('confidence');
  expect(read('/?order=confidence').order).toBe('time');
});

test('reads addresses of earlier versions', () => {
  expect(
    read('/?label=Cat&label=Coffee+Cup&minConfidence=70&status=LABELED&from=2026-01-01&to=2026-01-31').filter,
  ).toEqual({
    ...NO_FILTER,
    labels: [[named('Cat')], [named('Coffee Cup')]],
    minConfidence: 70,
    status: 'LABELED',
    from: '2026-01-01',
    to: '2026-01-31',
  });
});

test('ignores invalid parts of an address', () => {
  for (const path of [
    '/images/..%2F..%2Fadmin',
    '/images/<img src=x>',
    '/elsewhere?minConfidence=NaN&status=ROOT&from=2026-02-31&to=yesterday&label=',
    `/?minConfidence=101&label=${'a'.repeat(101)}`,
    '/?label=a%3Eb&label=a%00',
    '/?order=name',
  ]) {
    expect(read(path)).toEqual({ view: { name: 'library' }, filter: NO_FILTER, order: 'time' });
  }
});

test('ignores the end of a period that is before its start', () => {
  expect(read('/?from=2026-02-01&to=2026-01-31').filter).toEqual({ ...NO_FILTER, from: '2026-02-01' });
});

test('keeps each minimum confidence of a label', () => {
  expect(read('/?label=Cat>90&label=Cat').filter.labels).toEqual([[named('Cat', 90)], [named('Cat')]]);
});

test('accepts labels up to the API limit, counted in characters', () => {
  const longest = '🐈'.repeat(100);
  expect(read(`/?label=${longest}`).filter.labels).toEqual([[named(longest)]]);
  expect(read(`/?label=${longest}x`).filter.labels).toEqual([]);
});

test('removes duplicate labels, and limits their number', () => {
  expect(read('/?label=Dog&label=Dog').filter.labels).toEqual([[named('Dog')]]);
  const many = Array.from({ length: 500 }, (_, index) => `label=${index}`).join('&');
  expect(read(`/?${many}`).filter.labels).toHaveLength(10);
});
