import { expect, test } from 'vitest';
import { type Address, EVERYTHING, isEverything, readAddress, writeAddress } from './address';

const ID = '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1';
const read = (path: string) => readAddress(new URL(path, 'http://127.0.0.1:8080'));

test('what is written is read again', () => {
  const addresses: Address[] = [
    { view: { name: 'library' }, filter: EVERYTHING },
    { view: { name: 'settings' }, filter: EVERYTHING },
    {
      view: { name: 'picture', imageId: ID },
      filter: {
        labels: ['Hot & Cold?', '犬'],
        minConfidence: 70,
        status: 'FAILED',
        from: '2026-01-31',
        to: '2026-02-28',
      },
    },
  ];
  for (const address of addresses) expect(read(writeAddress(address))).toEqual(address);
  expect(writeAddress({ view: { name: 'library' }, filter: EVERYTHING })).toBe('/');
});

test('a hostile or mistyped address narrows nothing down and opens nothing', () => {
  for (const path of [
    '/images/..%2F..%2Fadmin',
    '/images/<img src=x>',
    '/elsewhere?minConfidence=NaN&status=ROOT&from=2026-02-31&to=yesterday&label=',
    `/?minConfidence=101&label=${'a'.repeat(101)}`,
  ]) {
    expect(read(path)).toEqual({ view: { name: 'library' }, filter: EVERYTHING });
  }
});

test('a label counts once, and a huge address stays bounded', () => {
  expect(read('/?label=Dog&label=Dog').filter.labels).toEqual(['Dog']);
  const many = Array.from({ length: 500 }, (_, index) => `label=${index}`).join('&');
  expect(read(`/?${many}`).filter.labels).toHaveLength(10);
});

test('knows a filter that filters nothing', () => {
  expect(isEverything(EVERYTHING)).toBe(true);
  expect(isEverything({ ...EVERYTHING, to: '2026-01-01' })).toBe(false);
});
