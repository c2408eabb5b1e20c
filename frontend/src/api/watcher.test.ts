import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NetworkError } from './problem';
import type { Status, Summary } from './types';
import { GoneEvent, ImageEvent, WaitEvent, Watcher } from './watcher';

const MINUTE = 60_000;

const image = (imageId: string, status: Status, updatedAt = 'later'): Summary => ({
  imageId,
  status,
  type: 'PICTURE',
  fileName: null,
  size: null,
  format: null,
  width: null,
  height: null,
  createdAt: 'earlier',
  time: '2026-11-23T10:30:00.000',
  updatedAt,
  labels: [],
  thumbnails: [],
  modelVersion: null,
});

let page: EventTarget & { visibilityState: string };
const getImages = vi.fn<(ids: string[]) => Promise<readonly Summary[]>>();

beforeEach(() => {
  vi.useFakeTimers();
  getImages.mockReset();
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', { onLine: true });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A watcher with the results and the missing pictures that it reported, and its last `wait` event. */
function watcher() {
  const watched = new Watcher({ getImages });
  const reported: string[] = [];
  let wait: WaitEvent | undefined;
  watched.addEventListener('image', (event) => {
    if (event instanceof ImageEvent && event.isResult) reported.push(`${event.image.imageId} ${event.image.status}`);
  });
  watched.addEventListener('gone', (event) => {
    if (event instanceof GoneEvent) reported.push(`${event.imageId} gone`);
  });
  watched.addEventListener('wait', (event) => {
    if (event instanceof WaitEvent) wait = event;
  });
  return { watched, reported, lastWait: () => wait };
}

test('polls all pictures with one request, and stops once all have results', async () => {
  const { watched, reported } = watcher();
  getImages.mockResolvedValueOnce([image('a', 'PROCESSING'), image('b', 'LABELED')]);
  getImages.mockResolvedValueOnce([image('a', 'REJECTED')]);
  watched.watch('a');
  watched.watch('b');
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(reported).toEqual(['b LABELED', 'a REJECTED']);
  expect(getImages.mock.calls.map(([ids]) => ids)).toEqual([['a', 'b'], ['a']]);
});

test('101 pictures take two requests: the API accepts 100 ids', async () => {
  const { watched } = watcher();
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED')));
  for (let number = 0; number < 101; number += 1) watched.watch(String(number));
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(getImages.mock.calls.map(([ids]) => ids.length)).toEqual([100, 1]);
});

test('ignores the result that is about to be replaced', async () => {
  const { watched, reported } = watcher();
  getImages.mockResolvedValueOnce([image('a', 'LABELED', 'before')]);
  getImages.mockResolvedValueOnce([image('a', 'PROCESSING', 'between')]);
  getImages.mockResolvedValueOnce([image('a', 'LABELED', 'after')]);
  watched.watch('a', 'before');
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(reported).toEqual(['a LABELED']);
  expect(getImages).toHaveBeenCalledTimes(3);
});

test('sends no request while the tab is hidden, and continues when it is visible', async () => {
  const { watched } = watcher();
  getImages.mockImplementation(async () => [image('a', 'PROCESSING')]);
  page.visibilityState = 'hidden';
  watched.watch('a');
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(getImages).not.toHaveBeenCalled();
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(getImages).toHaveBeenCalled();
  watched.stop();
});

test('reports after two minutes that it is slow, and then polls at most eight times a minute', async () => {
  const { watched, lastWait } = watcher();
  getImages.mockImplementation(async () => [image('a', 'PROCESSING')]);
  watched.watch('a');
  await vi.advanceTimersByTimeAsync(2 * MINUTE - 5_000);
  expect(lastWait()?.slow).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lastWait()?.slow).toBe(true);
  const before = getImages.mock.calls.length;
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(getImages.mock.calls.length - before).toBeLessThanOrEqual(8);
  watched.stop();
});

test('retries if the API does not respond, and reports a picture that never arrives', async () => {
  const { watched, reported, lastWait } = watcher();
  getImages.mockRejectedValueOnce(new NetworkError('no network'));
  getImages.mockImplementation(async () => []);
  watched.watch('a');
  await vi.advanceTimersByTimeAsync(100);
  expect(lastWait()?.unreachable).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reported).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(reported).toEqual(['a gone']);
});

test('a file that this page has uploaded is not given up while its event is in transit', async () => {
  const { watched, reported, lastWait } = watcher();
  let status: Status = 'AWAITING_UPLOAD';
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, status)));
  watched.watchUpload('a');
  watched.watch('never uploaded');
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(reported).toEqual(['never uploaded gone']);
  expect(lastWait()?.slow).toBe(true);
  status = 'LABELED';
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(reported).toEqual(['never uploaded gone', 'a LABELED']);
});

test('a picture that is viewed during a long upload is not given up', async () => {
  const { watched, reported } = watcher();
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, id === 'a' ? 'AWAITING_UPLOAD' : 'LABELED')));
  watched.expectUpload('a');
  watched.watch('a');
  watched.watch('b');
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(reported).toEqual(['b LABELED']);
  watched.watchUpload('a');
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED')));
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(reported).toEqual(['b LABELED', 'a LABELED']);
});

test('an uploaded picture that was deleted is reported', async () => {
  const { watched, reported } = watcher();
  getImages.mockImplementation(async () => []);
  watched.watchUpload('a');
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(reported).toEqual(['a gone']);
});
