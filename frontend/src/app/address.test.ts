import { expect, test } from 'vitest';
import { NO_FILTER } from '../api/filter';
import { type Address, readAddress, writeAddress } from './address';

const ID = '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1';
const read = (path: string) => readAddress(new URL(path, 'http://127.0.0.1:8080'));

test('readAddress reads what writeAddress writes', () => {
  const addresses: Address[] = [
    { view: { name: 'library' }, filter: NO_FILTER },
    { view: { name: 'settings' }, filter: NO_FILTER },
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
  expect(writeAddress({ view: { name: 'library' }, filter: NO_FILTER })).toBe('/');
});

test('ignores invalid parts of an address', () => {
  for (const path of [
    '/images/..%2F..%2Fadmin',
    '/images/<img src=x>',
    '/elsewhere?minConfidence=NaN&status=ROOT&from=2026-02-31&to=yesterday&label=',
    `/?minConfidence=101&label=${'a'.repeat(101)}`,
  ]) {
    expect(read(path)).toEqual({ view: { name: 'library' }, filter: NO_FILTER });
  }
});

test('accepts labels up to the API limit, counted in characters', () => {
  const longest = '🐈'.repeat(100);
  expect(read(`/?label=${longest}`).filter.labels).toEqual([longest]);
  expect(read(`/?label=${longest}x`).filter.labels).toEqual([]);
});

test('removes duplicate labels, and limits their number', () => {
  expect(read('/?label=Dog&label=Dog').filter.labels).toEqual(['Dog']);
  const many = Array.from({ length: 500 }, (_, index) => `label=${index}`).join('&');
  expect(read(`/?${many}`).filter.labels).toHaveLength(10);
});
