import { expect, test, vi } from 'vitest';
import { NO_FILTER } from '../api/filter';
import type { Summary } from '../api/types';
import { findFiles, MAX_FILES } from './found-files';

const { signal } = new AbortController();

function image(imageId: string, status: Summary['status'] = 'LABELED'): Summary {
  return { imageId, status, fileName: `${imageId}.jpg`, format: 'JPEG', size: 5, labels: [] } as unknown as Summary;
}

test('finds the files of all pages, without those that were just deleted or have no file', async () => {
  const listImages = vi
    .fn()
    .mockResolvedValueOnce({ images: [image('a'), image('b', 'REJECTED')], nextCursor: 'more' })
    .mockResolvedValueOnce({ images: [], nextCursor: 'last' })
    .mockResolvedValueOnce({ images: [image('c'), image('d', 'FAILED')], nextCursor: undefined });
  const found: number[] = [];
  const isRemoved = (imageId: string) => imageId === 'c';
  const files = await findFiles({ listImages }, NO_FILTER, isRemoved, signal, (number) => found.push(number));
  expect(files).toEqual([
    { imageId: 'a', fileName: 'a.jpg', format: 'JPEG', size: 5 },
    { imageId: 'd', fileName: 'd.jpg', format: 'JPEG', size: 5 },
  ]);
  expect(listImages.mock.calls.map(([, cursor]) => cursor)).toEqual([undefined, 'more', 'last']);
  expect(found).toEqual([1, 1, 2]);
});

test('stops at the limit', async () => {
  let page = 0;
  const listImages = async () => {
    page += 1;
    return { images: Array.from({ length: 20_000 }, (_, index) => image(`${page}-${index}`)), nextCursor: 'more' };
  };
  const files = await findFiles(
    { listImages },
    NO_FILTER,
    () => false,
    signal,
    () => {},
  );
  expect(files).toHaveLength(MAX_FILES + 1);
  expect(page).toBe(3);
});
