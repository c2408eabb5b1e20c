import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ImageUrls } from './image-urls';
import type { Image, Status, Summary } from './types';

const HOUR = 3_600_000;
const getImages = vi.fn<(ids: string[]) => Promise<readonly Summary[]>>();
const getImage = vi.fn<(id: string) => Promise<Image>>();

beforeEach(() => {
  vi.useFakeTimers();
  getImages.mockReset();
  getImage.mockReset();
});

afterEach(() => {
  vi.useRealTimers();
});

let signature = 0;

/** Two thumbnails of a picture, with new signatures each time. */
function thumbnails(imageId: string) {
  signature += 1;
  return [320, 1280].map((width) => ({
    url: `https://bucket/thumbnails/${imageId}/${width}?X-Amz-Signature=${signature}`,
    width,
    height: width / 2,
  }));
}

/** A picture that was updated this many milliseconds ago, with or without thumbnails. */
const image = (imageId: string, status: Status = 'LABELED', made = true, ago = 0): Summary => ({
  imageId,
  status,
  type: 'PICTURE',
  fileName: null,
  size: null,
  format: null,
  width: 4000,
  height: 2000,
  createdAt: '2026-11-23T09:30:00Z',
  time: '2026-11-23T10:30:00.000',
  updatedAt: new Date(Date.now() - ago).toISOString(),
  labels: [],
  thumbnails: made ? thumbnails(imageId) : [],
  modelVersion: null,
});

const visible = () => true;

/** Image URLs, requested like a gallery with one picture does: at first and after each change. */
function urlsFor(picture: Summary, isVisible = visible) {
  const urls = new ImageUrls({ getImages, getImage });
  urls.addEventListener('change', () => urls.request(picture, isVisible));
  urls.addThumbnails(picture);
  urls.request(picture, isVisible);
  return urls;
}

test('chooses the smallest thumbnail that is sharp enough, without a request', async () => {
  const urls = urlsFor(image('a'));
  expect(urls.get('a', { width: 300, height: 150 })).toContain('/320?');
  expect(urls.get('a', { width: 400, height: 200 }), 'slightly enlarged').toContain('/320?');
  expect(urls.get('a', { width: 660, height: 330 })).toContain('/1280?');
  expect(urls.get('a', { width: 9000, height: 4500 })).toContain('/1280?');
  expect(urls.get('a')).toContain('/1280?');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(getImages).not.toHaveBeenCalled();
});

test('keeps a URL while it is valid, and requests a new one after it has expired', async () => {
  const picture = image('a');
  const urls = urlsFor(picture);
  const before = urls.get('a');
  urls.addThumbnails(image('a'));
  expect(urls.get('a'), 'another URL would load the picture again').toBe(before);
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  await vi.advanceTimersByTimeAsync(HOUR);
  expect(getImages).not.toHaveBeenCalled();
  urls.request(picture, visible);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(getImages).toHaveBeenCalledTimes(1);
  expect(urls.get('a')).not.toBe(before);
});

test('finds the thumbnails of a picture that was just labeled', async () => {
  getImages.mockResolvedValueOnce([image('a', 'LABELED', false)]);
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  const urls = urlsFor(image('a', 'LABELED', false));
  expect(urls.get('a')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(urls.get('a')).toContain('/1280?');
  await vi.advanceTimersByTimeAsync(HOUR / 2);
  expect(getImages).toHaveBeenCalledTimes(2);
});

test('uses the file of a picture that never gets thumbnails, after a limited number of requests', async () => {
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED', false)));
  getImage.mockImplementation(async (id) => original(id));
  const urls = urlsFor(image('a', 'LABELED', false));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(urls.get('a', { width: 300, height: 150 })).toBe('https://bucket/uploads/a?signed');
  expect(getImages.mock.calls.length).toBeLessThanOrEqual(8);
  expect(getImage).toHaveBeenCalledTimes(1);
});

test('uses the file of a picture that was labeled long ago without thumbnails immediately', async () => {
  getImage.mockImplementation(async (id) => original(id));
  const urls = urlsFor(image('a', 'LABELED', false, HOUR));
  await vi.advanceTimersByTimeAsync(500);
  expect(urls.get('a')).toBe('https://bucket/uploads/a?signed');
  expect(getImages).not.toHaveBeenCalled();
});

test('a clock that is behind delays a picture without thumbnails, but does not hide it', async () => {
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED', false, -HOUR)));
  getImage.mockImplementation(async (id) => original(id));
  const urls = urlsFor(image('a', 'LABELED', false, -HOUR));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(urls.get('a')).toBe('https://bucket/uploads/a?signed');
  expect(getImages).toHaveBeenCalledTimes(8);
});

test('requests a file that is not a picture once, and again after it has changed', async () => {
  getImage.mockImplementation(async (id) => ({ ...original(id), view: undefined }) as unknown as Image);
  const rejected = image('a', 'REJECTED', false, HOUR);
  const urls = urlsFor(rejected);
  await vi.advanceTimersByTimeAsync(HOUR / 60);
  urls.request(rejected, visible);
  await vi.advanceTimersByTimeAsync(HOUR / 60);
  expect(urls.get('a')).toBeUndefined();
  expect(getImage).toHaveBeenCalledTimes(1);
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  urls.request(image('a', 'LABELED', false), visible);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(urls.get('a')).toContain('/1280?');
});

test('uses the file of a picture that is being labeled', async () => {
  getImage.mockImplementation(async (id) => original(id));
  const urls = urlsFor(image('a', 'PROCESSING', false));
  await vi.advanceTimersByTimeAsync(500);
  expect(urls.get('a')).toBe('https://bucket/uploads/a?signed');
});

test('requests many pictures at once, except invisible ones and ones that were never uploaded', async () => {
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  const urls = new ImageUrls({ getImages, getImage });
  for (let number = 0; number < 150; number += 1)
    urls.request(image(String(number), 'LABELED', false), () => number >= 20);
  urls.request(image('new', 'AWAITING_UPLOAD', false), visible);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(getImages.mock.calls.map(([ids]) => ids.length)).toEqual([100, 30]);
  expect(urls.get('19')).toBeUndefined();
  expect(urls.get('20')).toBeDefined();
});

test('retries with a delay if the API does not respond', async () => {
  getImages.mockRejectedValueOnce(new Error('no network'));
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  const urls = urlsFor(image('a', 'LABELED', false));
  await vi.advanceTimersByTimeAsync(500);
  expect(urls.get('a')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(urls.get('a')).toBeDefined();
});

test('requests pictures that are not visible without thumbnails, all at once, however late those are', async () => {
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  const urls = urlsFor(image('c'));
  getImages.mockImplementation(async (ids) =>
    ids.filter((id) => id !== 'gone').map((id) => image(id, 'LABELED', false)),
  );
  getImages.mockRejectedValueOnce(new Error('no connection'));
  for (const id of ['a', 'a', 'b', 'gone', 'a']) urls.awaitThumbnails(id);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(getImages.mock.calls.length).toBeLessThan(30);
  expect(getImages.mock.calls.at(-1)?.[0]).toEqual(['a', 'b']);
  expect(urls.get('a')).toBeUndefined();
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED', id === 'a')));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(urls.get('a')).toContain('/1280?');
  expect(getImages.mock.calls.at(-1)?.[0]).toEqual(['b']);
  vi.unstubAllGlobals();
});

test('uses the local file of an upload until it is removed', () => {
  const revoked = vi.spyOn(URL, 'revokeObjectURL').mockReturnValue();
  const urls = urlsFor(image('a'));
  urls.setLocal('a', 'blob:file');
  expect(urls.get('a', { width: 10, height: 10 })).toBe('blob:file');
  urls.remove('a');
  expect(urls.get('a')).toBeUndefined();
  expect(revoked).toHaveBeenCalledWith('blob:file');
});

function original(imageId: string): Image {
  const expiresAt = new Date(Date.now() + HOUR).toISOString();
  return {
    ...image(imageId, 'REJECTED', false),
    view: { url: `https://bucket/uploads/${imageId}?signed`, expiresAt },
  } as unknown as Image;
}

test('a video is shown by its poster until it has thumbnails, and never by its file', () => {
  const facts = { durationMs: 1000, codec: 'H.264', container: 'MP4', frameRate: null, width: 1920, height: 1080 };
  const video = { ...original('a'), type: 'VIDEO', video: facts } as Image;
  const urls = new ImageUrls({ getImages, getImage });
  urls.add(video);
  expect(urls.get('a')).toBeUndefined();
  urls.add({ ...video, video: { ...facts, posterUrl: 'https://bucket/videos/a/poster.jpg?signed' } } as Image);
  expect(urls.get('a')).toBe('https://bucket/videos/a/poster.jpg?signed');
  urls.add({ ...video, thumbnails: thumbnails('a') });
  expect(urls.get('a')).toContain('/1280?');
});
