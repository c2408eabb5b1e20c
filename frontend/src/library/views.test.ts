import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Image, Status, Summary } from '../api/types';
import { Views } from './views';

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

/** Two thumbnails of a picture, signed anew each time. */
function thumbnails(imageId: string) {
  signature += 1;
  return [320, 1280].map((width) => ({
    url: `https://bucket/thumbnails/${imageId}/${width}?X-Amz-Signature=${signature}`,
    width,
    height: width / 2,
  }));
}

/** A picture that came to what it is just now, or so many milliseconds ago. */
const image = (imageId: string, status: Status = 'LABELED', made = true, ago = 0): Summary => ({
  imageId,
  status,
  fileName: null,
  size: null,
  format: null,
  width: 4000,
  height: 2000,
  createdAt: '2026-11-23T09:30:00Z',
  updatedAt: new Date(Date.now() - ago).toISOString(),
  labels: [],
  thumbnails: made ? thumbnails(imageId) : [],
  modelVersion: null,
});

const seen = () => true;

/** Views, and what they would show after each of their changes to a gallery that wants one picture. */
function wanting(picture: Summary, stillWanted = seen) {
  const views = new Views({ getImages, getImage });
  views.addEventListener('change', () => views.want(picture, stillWanted));
  views.learn(picture);
  views.want(picture, stillWanted);
  return views;
}

test('a tile takes the smallest thumbnail that is sharp enough, and nothing is asked for what a list carries', async () => {
  const views = wanting(image('a'));
  expect(views.get('a', { width: 300, height: 150 })).toContain('/320?');
  expect(views.get('a', { width: 400, height: 200 }), 'a little stretched').toContain('/320?');
  expect(views.get('a', { width: 660, height: 330 })).toContain('/1280?');
  expect(views.get('a', { width: 9000, height: 4500 })).toContain('/1280?');
  expect(views.get('a')).toContain('/1280?');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(getImages).not.toHaveBeenCalled();
});

test('an address in use stays the same while it is good; one that has expired is asked for anew', async () => {
  const picture = image('a');
  const views = wanting(picture);
  const before = views.get('a');
  views.learn(image('a'));
  expect(views.get('a'), 'another would load the picture again').toBe(before);
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  await vi.advanceTimersByTimeAsync(HOUR);
  expect(getImages).not.toHaveBeenCalled();
  views.want(picture, seen);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(getImages).toHaveBeenCalledTimes(1);
  expect(views.get('a')).not.toBe(before);
});

test('a picture that was labeled a moment ago gets its thumbnail as soon as there is one', async () => {
  getImages.mockResolvedValueOnce([image('a', 'LABELED', false)]);
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  const views = wanting(image('a', 'LABELED', false));
  expect(views.get('a')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(views.get('a')).toContain('/1280?');
  await vi.advanceTimersByTimeAsync(HOUR / 2);
  expect(getImages).toHaveBeenCalledTimes(2);
});

test('a picture that never gets thumbnails is shown as it is, and is not asked for without end', async () => {
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED', false)));
  getImage.mockImplementation(async (id) => original(id));
  const views = wanting(image('a', 'LABELED', false));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(views.get('a', { width: 300, height: 150 })).toBe('https://bucket/uploads/a?signed');
  expect(getImages.mock.calls.length).toBeLessThanOrEqual(8);
  expect(getImage).toHaveBeenCalledTimes(1);
});

test('a picture that was labeled long ago without thumbnails is shown at once', async () => {
  getImage.mockImplementation(async (id) => original(id));
  const views = wanting(image('a', 'LABELED', false, HOUR));
  await vi.advanceTimersByTimeAsync(500);
  expect(views.get('a')).toBe('https://bucket/uploads/a?signed');
  expect(getImages).not.toHaveBeenCalled();
});

test('a clock that is behind delays a picture without thumbnails, and does not hide it', async () => {
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED', false, -HOUR)));
  getImage.mockImplementation(async (id) => original(id));
  const views = wanting(image('a', 'LABELED', false, -HOUR));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(views.get('a')).toBe('https://bucket/uploads/a?signed');
  expect(getImages).toHaveBeenCalledTimes(8);
});

test('what has no picture in it is asked for once, and again when something has changed about it', async () => {
  getImage.mockImplementation(async (id) => ({ ...original(id), view: undefined }) as unknown as Image);
  const refused = image('a', 'REJECTED', false, HOUR);
  const views = wanting(refused);
  await vi.advanceTimersByTimeAsync(HOUR / 60);
  views.want(refused, seen);
  await vi.advanceTimersByTimeAsync(HOUR / 60);
  expect(views.get('a')).toBeUndefined();
  expect(getImage).toHaveBeenCalledTimes(1);
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  views.want(image('a', 'LABELED', false), seen);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(views.get('a')).toContain('/1280?');
});

test('a picture that is being looked at is shown as it is', async () => {
  getImage.mockImplementation(async (id) => original(id));
  const views = wanting(image('a', 'PROCESSING', false));
  await vi.advanceTimersByTimeAsync(500);
  expect(views.get('a')).toBe('https://bucket/uploads/a?signed');
});

test('many are asked for in one request, without those that were scrolled away or never arrived', async () => {
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  const views = new Views({ getImages, getImage });
  for (let number = 0; number < 150; number += 1)
    views.want(image(String(number), 'LABELED', false), () => number >= 20);
  views.want(image('new', 'AWAITING_UPLOAD', false), seen);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(getImages.mock.calls.map(([ids]) => ids.length)).toEqual([100, 30]);
  expect(views.get('19')).toBeUndefined();
  expect(views.get('20')).toBeDefined();
});

test('an API that does not answer is asked again, ever more rarely', async () => {
  getImages.mockRejectedValueOnce(new Error('no network'));
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id)));
  const views = wanting(image('a', 'LABELED', false));
  await vi.advanceTimersByTimeAsync(500);
  expect(views.get('a')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(views.get('a')).toBeDefined();
});

test('the file of this page’s own upload is shown until it is forgotten', () => {
  const revoked = vi.spyOn(URL, 'revokeObjectURL').mockReturnValue();
  const views = wanting(image('a'));
  views.keepLocal('a', 'blob:file');
  expect(views.get('a', { width: 10, height: 10 })).toBe('blob:file');
  views.forget('a');
  expect(views.get('a')).toBeUndefined();
  expect(revoked).toHaveBeenCalledWith('blob:file');
});

function original(imageId: string): Image {
  const expiresAt = new Date(Date.now() + HOUR).toISOString();
  return {
    ...image(imageId, 'REJECTED', false),
    view: { url: `https://bucket/uploads/${imageId}?signed`, expiresAt },
  } as unknown as Image;
}
