import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NO_FILTER } from '../api/filter';
import type { Job } from '../api/types';
import { PausableTimers } from '../shared/pausable-timers';
import { BulkDeletion, DeletionRefusedEvent, DeletionStartedEvent } from './bulk-deletion';
import { UNDO_TIME } from './deletions';

const TIME = '2026-11-30T12:00:00.000Z';
const api = { startDeletion: vi.fn<(...request: unknown[]) => Promise<Job>>() };
const library = { removeAll: vi.fn(() => ['a', 'b']), restoreAll: vi.fn() };
let page: EventTarget;
let timers: PausableTimers;
let deletion: BulkDeletion;
let events: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  api.startDeletion.mockResolvedValue({ jobId: 'job' } as Job);
  page = new EventTarget();
  timers = new PausableTimers();
  vi.stubGlobal('window', page);
  deletion = new BulkDeletion(api, library, timers, new AbortController().signal);
  events = [];
  deletion.addEventListener('started', (event) => events.push(event instanceof DeletionStartedEvent && event.jobId));
  deletion.addEventListener('refused', (event) => events.push(event instanceof DeletionRefusedEvent && event.cause));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('undo restores the pictures, and no job starts', async () => {
  const undo = deletion.delete(NO_FILTER, TIME);
  expect(library.removeAll).toHaveBeenCalledOnce();
  expect(undo()).toBe(true);
  expect(library.restoreAll).toHaveBeenCalledWith(['a', 'b']);
  await vi.advanceTimersByTimeAsync(2 * UNDO_TIME);
  expect(undo()).toBe(false);
  expect(api.startDeletion).not.toHaveBeenCalled();
});

test('a job starts after the delay, and can then no longer be undone', async () => {
  const undo = deletion.delete(NO_FILTER, TIME);
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  expect(api.startDeletion).toHaveBeenCalledExactlyOnceWith(NO_FILTER, TIME, false);
  expect(events).toEqual(['job']);
  expect(undo()).toBe(false);
  // The job was canceled.
  deletion.restore();
  expect(library.restoreAll).toHaveBeenCalledWith(['a', 'b']);
});

test('the job starts at once when the page is closed', () => {
  deletion.delete(NO_FILTER, TIME);
  page.dispatchEvent(new Event('pagehide'));
  expect(api.startDeletion).toHaveBeenCalledExactlyOnceWith(NO_FILTER, TIME, true);
});

test('a refused deletion restores the pictures and says why', async () => {
  const cause = new Error('Another deletion is running.');
  api.startDeletion.mockRejectedValue(cause);
  deletion.delete(NO_FILTER, TIME);
  await deletion.flush();
  expect(library.restoreAll).toHaveBeenCalledWith(['a', 'b']);
  expect(events).toEqual([cause]);
  await vi.advanceTimersByTimeAsync(2 * UNDO_TIME);
  expect(api.startDeletion).toHaveBeenCalledOnce();
});
