import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PausableTimers } from './pausable-timers';

let timers: PausableTimers;
const run = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  run.mockClear();
  timers = new PausableTimers();
});

afterEach(() => vi.useRealTimers());

test('runs each function once, after its delay', () => {
  timers.start(100, () => run('long'));
  timers.start(50, () => run('short'));
  vi.advanceTimersByTime(1000);
  expect(run.mock.calls).toEqual([['short'], ['long']]);
});

test('a paused timer waits, and then has its whole delay again', () => {
  timers.start(100, run);
  vi.advanceTimersByTime(90);
  timers.pause();
  timers.pause();
  vi.advanceTimersByTime(1000);
  expect(run).not.toHaveBeenCalled();
  timers.resume();
  timers.resume();
  vi.advanceTimersByTime(99);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(run).toHaveBeenCalledOnce();
});

test('a timer that is started during a pause waits, too', () => {
  timers.pause();
  timers.start(100, run);
  vi.advanceTimersByTime(1000);
  expect(run).not.toHaveBeenCalled();
  timers.resume();
  vi.advanceTimersByTime(100);
  expect(run).toHaveBeenCalledOnce();
});

test('a stopped timer does not continue', () => {
  const stop = timers.start(100, run);
  timers.pause();
  stop();
  timers.resume();
  vi.advanceTimersByTime(1000);
  expect(run).not.toHaveBeenCalled();
});
