import { expect, test, vi } from 'vitest';
import type { ApiClient } from '../api/client';
import { type Filter, NO_FILTER } from '../api/filter';
import type { Listing } from '../api/listing';
import { NetworkError } from '../api/problem';
import type { LabelSummary, Status, Summary } from '../api/types';
import { ImageEvent, type Watcher } from '../api/watcher';
import { Library } from './library';

const image = (imageId: string, time: string, status: Status = 'LABELED') =>
  ({ imageId, time, status, labels: [] as LabelSummary[] }) as Summary;
const images = [image('d', '3'), image('c', '2'), image('b', '2'), image('a', '1')];

const listing = (filter: Filter = NO_FILTER): Listing => ({ filter, order: 'time', boxes: false });

/** Waits until a check passes. Long enough for a busy machine. */
function waitFor(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 30_000 });
}

/** A library that shows what the API lists, and the mocks that it calls. */
async function open(listed: readonly Summary[] = images) {
  const listImages = vi.fn().mockResolvedValue({ images: listed });
  const getImages = vi.fn().mockResolvedValue([]);
  const watch = vi.fn();
  const watcher = Object.assign(new EventTarget(), { watch }) as unknown as Watcher;
  const getImage = vi.fn();
  const library = new Library({ listImages, getImages, getImage } as unknown as ApiClient, watcher);
  library.show(listing());
  await waitFor(() => expect(library.loadState.name).toBe('complete'));
  return { library, listImages, getImages, getImage, watch, watcher };
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
  const untagged = listing({ ...NO_FILTER, untagged: true });
  listImages.mockResolvedValue({ images: images.slice(1) });
  library.show(untagged);
  await waitFor(() => expect(ids(library)).toBe('ba'));
  library.restore(...images.slice(0, 2));
  await waitFor(() => expect(ids(library)).toBe('cba'));
  expect(listImages.mock.lastCall?.[0]).toEqual(untagged);
  expect(library.isRemoved('d')).toBe(false);
});

test('restoring pictures after the way back keeps all that was loaded', async () => {
  const { library, listImages } = await open();
  const pages = [
    { images: images.slice(0, 2), nextCursor: 'next' },
    { images: images.slice(2), nextCursor: 'more' },
  ];
  for (const page of pages) listImages.mockResolvedValueOnce(page);
  library.refresh();
  await waitFor(() => expect(library.loadState.name).toBe('partial'));
  library.remove('b');
  // The address is read again, so that the same filter is another object.
  library.show(listing({ ...NO_FILTER }), library.loaded);
  for (const page of pages) listImages.mockResolvedValueOnce(page);
  library.restore(...images.slice(2, 3));
  expect(ids(library)).toBe('dca');
  await waitFor(() => expect(ids(library)).toBe('dcba'));
});

test('a list that is shown again is there at once, without what was deleted meanwhile', async () => {
  const { library, listImages } = await open();
  listImages.mockResolvedValueOnce({ images, nextCursor: 'more' });
  library.refresh();
  await waitFor(() => expect(library.loadState.name).toBe('partial'));
  const { loaded } = library;
  listImages.mockResolvedValueOnce({ images: images.slice(0, 1) });
  library.show(listing({ ...NO_FILTER, untagged: true }));
  await waitFor(() => expect(ids(library)).toBe('d'));
  library.remove('b');

  library.show(listing(), loaded);
  expect(ids(library)).toBe('dca');
  expect(library.loadState.name).toBe('partial');
  expect(listImages).toHaveBeenCalledTimes(3);
  listImages.mockResolvedValueOnce({ images: [image('0', '0')] });
  library.loadMore();
  await waitFor(() => expect(ids(library)).toBe('dca0'));
  expect(listImages.mock.lastCall?.[1]).toBe('more');
});

test.each([
  ['pictures have changed', (library: Library) => library.picturesChanged()],
  ['a picture was uploaded', (library: Library) => library.add(image('e', '4', 'PROCESSING'))],
  ['a deletion was undone', (library: Library) => library.restore(image('e', '4'))],
  ['a minute has passed', () => vi.advanceTimersByTime(60_000)],
])('a list that is shown again is loaded again if %s', async (_, change) => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { library, listImages } = await open();
    vi.advanceTimersByTime(1);
    const { loaded } = library;
    vi.advanceTimersByTime(1);
    change(library);
    listImages.mockResolvedValueOnce({ images: images.slice(1) });
    library.show(listing(), loaded);
    await waitFor(() => expect(listImages).toHaveBeenCalledTimes(2));
    await waitFor(() => expect(library.find('d')).toBeUndefined());
  } finally {
    vi.useRealTimers();
  }
});

test('watches a picture in a list that is shown again, because its result arrived in another list', async () => {
  const { library, listImages, watch, watcher } = await open();
  library.add(image('e', '8', 'AWAITING_UPLOAD'));
  library.update(image('e', '8', 'PROCESSING'));
  const { loaded } = library;
  listImages.mockResolvedValueOnce({ images: images.slice(1) });
  library.show(listing({ ...NO_FILTER, untagged: true }));
  await waitFor(() => expect(ids(library)).toBe('cba'));
  watcher.dispatchEvent(new ImageEvent(image('e', '8'), true));

  // The page that is loaded again does not contain the picture: it is older.
  library.show(listing(), loaded);
  expect(ids(library)).toBe('edcba');
  expect(library.find('e')?.status).toBe('PROCESSING');
  expect(watch.mock.calls).toEqual([['e']]);
  watcher.dispatchEvent(new ImageEvent(image('e', '8'), true));
  expect(library.find('e')?.status).toBe('LABELED');
});

test('refreshing replaces the labels of the loaded pictures at once, in their order', async () => {
  const { library, listImages } = await open();
  const labeled = images.map((one) => ({ ...one, labels: [{ name: 'Cat', confidence: 90, added: false }] }));
  listImages.mockResolvedValueOnce({ images: labeled.slice(0, 2), nextCursor: 'next' });
  listImages.mockResolvedValueOnce({ images: labeled.slice(2) });
  const seen: string[] = [];
  library.addEventListener('change', () => seen.push(ids(library)));
  library.refresh();
  await waitFor(() => expect(library.images[0]?.labels).toHaveLength(1));
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
  await waitFor(() => expect(ids(library)).toBe('ed'));
});

test('a failed refresh keeps the pictures, and can be repeated', async () => {
  const { library, listImages } = await open();
  listImages.mockRejectedValueOnce(new NetworkError('lost'));
  library.refresh();
  await waitFor(() => expect(library.loadState.name).toBe('failed'));
  expect(ids(library)).toBe('dcba');
  listImages.mockResolvedValueOnce({ images: images.slice(1) });
  library.retry();
  await waitFor(() => expect(ids(library)).toBe('cba'));
});

test('just uploaded pictures stay first when labeling finds out that they are old, until the list is loaded again', async () => {
  const { library, listImages, getImages } = await open();
  library.add(image('e', '8', 'AWAITING_UPLOAD'));
  library.add(image('f', '9', 'AWAITING_UPLOAD'));
  library.update(image('e', '0'));
  library.update(image('b', '7'));
  expect(ids(library)).toBe('fedcba');
  expect([...library.justUploaded]).toEqual(['e', 'f']);

  // The loaded part of the list does not reach back to e, and does not contain f yet.
  getImages.mockResolvedValueOnce([image('e', '0'), image('f', '9', 'AWAITING_UPLOAD')]);
  listImages.mockResolvedValueOnce({ images, nextCursor: 'more' });
  library.refresh();
  await waitFor(() => expect(library.loadState.name).toBe('partial'));
  expect(getImages.mock.calls.map(([wanted]) => wanted)).toEqual([['e', 'f']]);
  expect(ids(library)).toBe('fedcba');

  listImages.mockResolvedValueOnce({ images: [...images, image('e', '0')] });
  library.show(listing());
  await waitFor(() => expect(library.loadState.name).toBe('complete'));
  expect(ids(library)).toBe('fdcbae');
  expect([...library.justUploaded]).toEqual(['f']);
});

test('pictures that are being uploaded are not in a filtered list, and are there again without the filter', async () => {
  const { library, listImages } = await open();
  library.add(image('e', '8', 'AWAITING_UPLOAD'));
  listImages.mockResolvedValueOnce({ images: images.slice(1) });
  library.show(listing({ ...NO_FILTER, status: 'LABELED' }));
  await waitFor(() => expect(ids(library)).toBe('cba'));
  expect(library.justUploaded.size).toBe(0);
  library.add(image('f', '9', 'AWAITING_UPLOAD'));
  library.update(image('e', '0', 'PROCESSING'));
  library.remove('f');
  library.show(listing());
  await waitFor(() => expect(ids(library)).toBe('edcba'));
  expect(library.find('e')?.status).toBe('PROCESSING');
});

test('boxes are added without moving anything, and no page is loaded meanwhile', async () => {
  const { library, listImages } = await open();
  listImages.mockResolvedValueOnce({ images, nextCursor: 'more' });
  library.refresh();
  await waitFor(() => expect(library.loadState.name).toBe('partial'));
  let respond = (_: unknown) => {};
  const response = new Promise((resolve) => {
    respond = resolve;
  });
  listImages.mockReturnValueOnce(response);
  library.refresh({ boxes: true });
  library.loadMore();
  expect(ids(library)).toBe('dcba');
  expect(listImages).toHaveBeenCalledTimes(3);
  expect(listImages.mock.lastCall?.[0]).toEqual({ ...listing(), boxes: true });
  respond({ images, nextCursor: 'more' });
  await waitFor(() => {
    library.loadMore();
    expect(listImages).toHaveBeenCalledTimes(4);
  });
  expect(listImages.mock.lastCall?.[1]).toBe('more');
});

test('a result that arrives gets the boxes of the labels in the search', async () => {
  const label = (name: string) => ({ name, confidence: 90, added: false }) as LabelSummary;
  const boundingBox = { left: 0, top: 0, width: 0.5, height: 0.5 };
  const boxes = (confidence: number) => [{ confidence, boundingBox }];
  const shown = { ...image('a', '1', 'PROCESSING'), labels: [{ ...label('Cat'), instances: boxes(70) }] };
  const { library, listImages, getImage, watcher } = await open();
  listImages.mockResolvedValue({ images: [shown] });
  const filter = { ...NO_FILTER, labels: [[{ name: 'cat', minConfidence: undefined }]] };
  library.show({ ...listing(filter), boxes: true });
  await waitFor(() => expect(ids(library)).toBe('a'));
  const instances = () => library.images[0]?.labels.map((one) => one.instances?.[0]?.confidence);

  watcher.dispatchEvent(new ImageEvent({ ...shown, labels: [label('Cat')] }, false));
  expect(instances(), 'while it is being labeled').toEqual([70]);
  expect(getImage).not.toHaveBeenCalled();

  const details = [label('Cat'), label('Pet')].map((one) => ({ ...one, instances: boxes(88) }));
  getImage.mockResolvedValue({ imageId: 'a', labels: details });
  watcher.dispatchEvent(new ImageEvent({ ...shown, status: 'LABELED', labels: [label('Cat'), label('Pet')] }, true));
  await waitFor(() => expect(instances()).toEqual([88, undefined]));
});
