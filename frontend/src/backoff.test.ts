import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backoffDelay, retryAfter, sleep } from './backoff';

describe('backoffDelay', () => {
  const backoff = { first: 300, limit: 3_000 };

  test('grows from the first wait to the limit and stays there', () => {
    const waits = [0, 1, 2, 5, 6, 50].map((attempt) => backoffDelay(attempt, backoff, () => 1));
    expect(waits).toEqual([300, 450, 675, 2278.125, 3_000, 3_000]);
  });

  test('leaves at most a quarter to chance, so that pages do not ask in step and never at once', () => {
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
    ['86400', 60_000],
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
  ])('%j asks for %j ms', (header, wait) => {
    expect(retryAfter(header, now)).toBe(wait);
  });
});

describe('sleep', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('ends at once when it is aborted, and leaves no timer behind', async () => {
    const controller = new AbortController();
    const slept = sleep(60_000, controller.signal);
    controller.abort('removed');
    await expect(slept).rejects.toBe('removed');
    expect(vi.getTimerCount()).toBe(0);
  });
});
