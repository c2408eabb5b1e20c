import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backoffDelay, retryAfter, sleep } from './backoff';

describe('backoffDelay', () => {
  const backoff = { first: 300, limit: 3_000 };

  test('grows from the first delay to the limit and stays there', () => {
    const delays = [0, 1, 2, 5, 6, 50].map((attempt) => backoffDelay(attempt, backoff, () => 1));
    expect(delays).toEqual([300, 450, 675, 2278.125, 3_000, 3_000]);
  });

  test('randomizes at most a quarter of the delay', () => {
    expect(backoffDelay(0, backoff, () => 0)).toBe(225);
  });
});

describe('retryAfter', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');

  test.each([
    ['3', 3_000],
    ['0', 0],
    ['Sun, 22 Nov 2026 10:00:05 GMT', 5_000],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['86400', 86_400_000],
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
  ])('%j means %j ms', (header, delay) => {
    expect(retryAfter(header, now)).toBe(delay);
  });
});

describe('sleep', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('ends immediately when it is aborted, and clears its timer', async () => {
    const controller = new AbortController();
    const slept = sleep(60_000, controller.signal);
    controller.abort('removed');
    await expect(slept).rejects.toBe('removed');
    expect(vi.getTimerCount()).toBe(0);
  });
});
