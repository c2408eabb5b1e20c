import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from './problem';
import { withThumbnails } from './thumbnails';
import type { Image } from './types';

const MINUTE = 60_000;
const getImage = vi.fn<(id: string) => Promise<Image>>();

const image = (known: Partial<Image> = {}) =>
  ({ imageId: 'a', status: 'LABELED', thumbnails: [], ...known }) as unknown as Image;
const thumbnail = { url: 'https://bucket/thumbnails/a/320', width: 320, height: 240 };

/** Requests thumbnails, and returns what has become of that until now. */
function requested() {
  const view = new AbortController();
  const state: { image?: Image; error?: unknown } = {};
  withThumbnails({ getImage }, 'a', view.signal).then(
    (found) => {
      state.image = found;
    },
    (error) => {
      state.error = error;
    },
  );
  return { state, view };
}

beforeEach(() => {
  vi.useFakeTimers();
  getImage.mockReset();
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('asks until a picture has thumbnails, also after minutes and lost connections, and less often', async () => {
  getImage.mockImplementation(async () => image());
  getImage.mockRejectedValueOnce(new NetworkError('no network'));
  const { state } = requested();
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(state).toEqual({});
  const before = getImage.mock.calls.length;
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(getImage.mock.calls.length - before).toBeGreaterThanOrEqual(2);
  expect(getImage.mock.calls.length - before).toBeLessThanOrEqual(3);
  getImage.mockImplementation(async () => image({ thumbnails: [thumbnail] }));
  await vi.advanceTimersByTimeAsync(MINUTE / 2);
  expect(state.image?.thumbnails).toEqual([thumbnail]);
});

test.each([
  ['has none for a reason', { thumbnailsError: { name: 'TooComplex', message: 'Too large.' } }],
  ['is labeled again', { status: 'PROCESSING' as const }],
])('ends when the picture %s', async (_, known) => {
  getImage.mockResolvedValue(image(known));
  const { state } = requested();
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(state.image).toEqual(image(known));
  expect(getImage).toHaveBeenCalledTimes(1);
});

test('ends when the picture was deleted, or the view is closed', async () => {
  getImage.mockRejectedValueOnce(new ApiError(404, 'gone'));
  const { state } = requested();
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(state.error).toBeInstanceOf(ApiError);
  expect(getImage).toHaveBeenCalledTimes(1);

  getImage.mockImplementation(async () => image());
  const closed = requested();
  closed.view.abort();
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(closed.state.image).toBeUndefined();
  expect(getImage).toHaveBeenCalledTimes(1);
});
