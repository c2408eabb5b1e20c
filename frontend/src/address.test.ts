import { expect, test } from 'vitest';
import { imageIdsHash, readImageIds } from './address';

const ONE = '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1';
const TWO = '0193506a-7d2e-7c61-9a54-3f1de1a8b0c2';

test('what is written is read again', () => {
  expect(readImageIds(imageIdsHash([ONE, TWO]))).toEqual([ONE, TWO]);
  expect(imageIdsHash([])).toBe('');
});

test('a hostile or mistyped address asks the API for nothing', () => {
  expect(readImageIds('#/images/../../admin,%3Cimg%3E,')).toEqual([]);
  expect(readImageIds('#/elsewhere')).toEqual([]);
  expect(readImageIds('')).toEqual([]);
});

test('one picture is shown once, and a huge address stays bounded', () => {
  expect(readImageIds(`#/images/${ONE},${ONE}`)).toEqual([ONE]);
  const many = Array.from({ length: 500 }, (_, index) => ONE.slice(0, -3) + String(index).padStart(3, '0'));
  expect(readImageIds(imageIdsHash(many))).toEqual(many.slice(0, 40));
});
