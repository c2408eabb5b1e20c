import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from './api/problem';
import type { Image, Status } from './api/types';
import { watchImage } from './poll';

const MINUTE = 60_000;

const image = (status: Status): Image => ({
  imageId: 'a',
  status,
  fileName: undefined,
  size: undefined,
  width: undefined,
  height: undefined,
  labels: [],
  modelVersion: undefined,
  error: undefined,
});

let page: EventTarget & { visibilityState: string };

beforeEach(() => {
  vi.useFakeTimers();
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', { onLine: true });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function watch(getImage: () => Promise<Image>, stored = true) {
  const controller = new AbortController();
  const waits: { slow: boolean; unreachable: boolean }[] = [];
  const options = { signal: controller.signal, stored, onWait: (wait: (typeof waits)[number]) => waits.push(wait) };
  const result = watchImage(getImage, options);
  // Observed where the test is done with it; until then it is no unhandled rejection.
  result.catch(() => {});
  return { result, waits, controller };
}

test('asks until the status is final', async () => {
  const answers: Status[] = ['AWAITING_UPLOAD', 'PROCESSING', 'LABELED'];
  const { result } = watch(async () => image(answers.shift() ?? 'FAILED'));
  await vi.runAllTimersAsync();
  expect((await result).status).toBe('LABELED');
});

test('says so after two minutes, and from then on asks at most eight times a minute', async () => {
  const getImage = vi.fn(async () => image('PROCESSING'));
  const { waits, controller, result } = watch(getImage);
  await vi.advanceTimersByTimeAsync(2 * MINUTE - 5_000);
  expect(waits.at(-1)?.slow).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(waits.at(-1)?.slow).toBe(true);
  const before = getImage.mock.calls.length;
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(getImage.mock.calls.length - before).toBeLessThanOrEqual(8);
  expect(getImage.mock.calls.length - before).toBeGreaterThanOrEqual(5);
  controller.abort('done');
  await expect(result).rejects.toBe('done');
});

test('a hidden tab asks nothing, and asks again once it is shown', async () => {
  const getImage = vi.fn(async () => image(page.visibilityState === 'visible' ? 'PROCESSING' : 'FAILED'));
  const { controller } = watch(getImage);
  await vi.advanceTimersByTimeAsync(1_000);
  page.visibilityState = 'hidden';
  const before = getImage.mock.calls.length;
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(getImage.mock.calls.length).toBe(before);
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  await vi.advanceTimersByTimeAsync(0);
  expect(getImage.mock.calls.length).toBe(before + 1);
  controller.abort();
});

test('outlives a lost connection and a struggling service', async () => {
  const troubles = [new NetworkError('gone'), new ApiError(503, 'busy'), new ApiError(429, 'slower')];
  const { result, waits } = watch(async () => {
    const trouble = troubles.shift();
    if (trouble) throw trouble;
    return image('LABELED');
  });
  await vi.runAllTimersAsync();
  expect((await result).status).toBe('LABELED');
  expect(waits.map(({ unreachable }) => unreachable)).toEqual([true, true, true]);
});

test('a picture that does not exist is an end', async () => {
  const { result } = watch(async () => Promise.reject(new ApiError(404, 'no such image')), false);
  await expect(result).rejects.toMatchObject({ status: 404 });
});

test('a file that was never sent before a reload is not waited for', async () => {
  const { result } = watch(async () => image('AWAITING_UPLOAD'), false);
  await vi.runAllTimersAsync();
  expect((await result).status).toBe('AWAITING_UPLOAD');
});
