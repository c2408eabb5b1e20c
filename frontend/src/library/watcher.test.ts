import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NetworkError } from '../api/problem';
import type { Status, Summary } from '../api/types';
import { GoneEvent, ImageEvent, WaitEvent, Watcher } from './watcher';

const MINUTE = 60_000;

const image = (imageId: string, status: Status, updatedAt = 'later'): Summary => ({
  imageId,
  status,
  fileName: null,
  size: null,
  format: null,
  width: null,
  height: null,
  createdAt: 'earlier',
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

/** A watcher, and what it has told: of pictures that ended or are gone, and whether the last wait was slow or in vain. */
function watcher() {
  const watched = new Watcher({ getImages });
  const told: string[] = [];
  let wait: WaitEvent | undefined;
  watched.addEventListener('image', (event) => {
    if (event instanceof ImageEvent && event.ended) told.push(`${event.image.imageId} ${event.image.status}`);
  });
  watched.addEventListener('gone', (event) => {
    if (event instanceof GoneEvent) told.push(`${event.imageId} gone`);
  });
  watched.addEventListener('wait', (event) => {
    if (event instanceof WaitEvent) wait = event;
  });
  return { watched, told, lastWait: () => wait };
}

test('asks for all at once, leaves out what has ended, and stops when nothing is left', async () => {
  const { watched, told } = watcher();
  getImages.mockResolvedValueOnce([image('a', 'PROCESSING'), image('b', 'LABELED')]);
  getImages.mockResolvedValueOnce([image('a', 'REJECTED')]);
  watched.watch('a');
  watched.watch('b');
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(told).toEqual(['b LABELED', 'a REJECTED']);
  expect(getImages.mock.calls.map(([ids]) => ids)).toEqual([['a', 'b'], ['a']]);
});

test('a hundred and one pictures are two requests: the API takes a hundred ids', async () => {
  const { watched } = watcher();
  getImages.mockImplementation(async (ids) => ids.map((id) => image(id, 'LABELED')));
  for (let number = 0; number < 101; number += 1) watched.watch(String(number));
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(getImages.mock.calls.map(([ids]) => ids.length)).toEqual([100, 1]);
});

test('the result that is about to be replaced is no end', async () => {
  const { watched, told } = watcher();
  getImages.mockResolvedValueOnce([image('a', 'LABELED', 'before')]);
  getImages.mockResolvedValueOnce([image('a', 'PROCESSING', 'between')]);
  getImages.mockResolvedValueOnce([image('a', 'LABELED', 'after')]);
  watched.watch('a', 'before');
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(told).toEqual(['a LABELED']);
  expect(getImages).toHaveBeenCalledTimes(3);
});

test('asks nothing while the tab is hidden, and goes on when it is shown', async () => {
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

test('says after two minutes that it takes long, and then asks at most eight times a minute', async () => {
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

test('an API that does not answer is asked again; a picture that never arrives is gone after a while', async () => {
  const { watched, told, lastWait } = watcher();
  getImages.mockRejectedValueOnce(new NetworkError('no network'));
  getImages.mockImplementation(async () => []);
  watched.watch('a');
  await vi.advanceTimersByTimeAsync(100);
  expect(lastWait()?.unreachable).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toEqual(['a gone']);
});
