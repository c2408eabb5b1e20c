import { expect, test, vi } from 'vitest';
import type { ApiClient } from '../api/client';
import { NO_FILTER } from '../api/filter';
import { NetworkError } from '../api/problem';
import type { Status, Summary } from '../api/types';
import type { Watcher } from '../api/watcher';
import { Library } from './library';

const image = (imageId: string, createdAt: string, status: Status = 'LABELED') =>
  ({ imageId, createdAt, status }) as Summary;
const images = [image('d', '3'), image('c', '2'), image('b', '2'), image('a', '1')];

/** A library that shows what the API lists, and the mocks that it calls. */
async function open(listed: readonly Summary[] = images) {
  const listImages = vi.fn().mockResolvedValue({ images: listed });
  const watch = vi.fn();
  const watcher = Object.assign(new EventTarget(), { watch }) as unknown as Watcher;
  const library = new Library({ listImages } as unknown as ApiClient, watcher);
  library.show(NO_FILTER);
  await vi.waitFor(() => expect(library.loadState.name).toBe('complete'));
  return { library, listImages, watch };
}

const ids = ({ images }: Library) => images.map(({ imageId }) => imageId).join('');

test('restores pictures in their order, also with equal times', async () => {
  const { library, listImages } = await open();
  library.remove('d', 'c', 'b');
  expect(ids(library)).toBe('a');
  library.restore(...images.slice(0, 3));
  expect(ids(library)).toBe('dcba');
  expect(listImages).toHaveBeenCalledTimes(1);
});

test('watches restored pictures, because results that arrived meanwhile are lost', async () => {
  const { library, watch } = await open();
  const [first, second] = [image('f', '5', 'PROCESSING'), image('e', '4', 'AWAITING_UPLOAD')];
  library.add(second);
  library.add(first);
  library.remove('f', 'e');
  library.restore(first, second);
  expect(ids(library)).toBe('fedcba');
  expect(watch.mock.calls).toEqual([['f']]);
});

test('loads the list again if the filter changed after the removal', async () => {
  const { library, listImages } = await open();
  library.remove('d', 'c');
  const filter = { ...NO_FILTER, untagged: true };
  listImages.mockResolvedValue({ images: images.slice(1) });
  library.show(filter);
  await vi.waitFor(() => expect(ids(library)).toBe('ba'));
  library.restore(...images.slice(0, 2));
  await vi.waitFor(() => expect(ids(library)).toBe('cba'));
  expect(listImages.mock.lastCall?.[0]).toBe(filter);
  expect(library.isRemoved('d')).toBe(false);
});

test('refreshing replaces the labels of the loaded pictures at once, in their order', async () => {
  const { library, listImages } = await open();
  const labeled = images.map((one) => ({ ...one, labels: [{ name: 'Cat', confidence: 90, added: false }] }));
  listImages.mockResolvedValueOnce({ images: labeled.slice(0, 2), nextCursor: 'next' });
  listImages.mockResolvedValueOnce({ images: labeled.slice(2) });
  const seen: string[] = [];
  library.addEventListener('change', () => seen.push(ids(library)));
  library.refresh();
  await vi.waitFor(() => expect(library.images[0]?.labels).toHaveLength(1));
  expect(listImages.mock.calls.slice(1).map(([, cursor]) => cursor)).toEqual([undefined, 'next']);
  expect(seen).toEqual(['dcba']);
  expect(library.images).toEqual(labeled);
  expect(library.loadState.name).toBe('complete');
});

test('refreshing drops pictures that do not match anymore, but not those that are being labeled or were removed', async () => {
  const { library, listImages } = await open([image('e', '4', 'PROCESSING'), ...images]);
  library.remove('b');
  listImages.mockResolvedValueOnce({ images: [images[0], images[2]] });
  library.refresh();
  await vi.waitFor(() => expect(ids(library)).toBe('ed'));
});

test('a failed refresh keeps the pictures, and can be repeated', async () => {
  const { library, listImages } = await open();
  listImages.mockRejectedValueOnce(new NetworkError('lost'));
  library.refresh();
  await vi.waitFor(() => expect(library.loadState.name).toBe('failed'));
  expect(ids(library)).toBe('dcba');
  listImages.mockResolvedValueOnce({ images: images.slice(1) });
  library.retry();
  await vi.waitFor(() => expect(ids(library)).toBe('cba'));
});
