import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Summary } from '../api/types';
import { PausableTimers } from '../shared/pausable-timers';
import { DeletionFailedEvent, Deletions, UNDO_TIME } from './deletions';

const images = Array.from({ length: 10 }, (_, index) => ({ imageId: String(index) }) as Summary);
const library = { remove: vi.fn(), restore: vi.fn() };
/** What `deleteImage` was called with. */
let requests: { readonly imageId: string; readonly keepalive: boolean }[] = [];
/** Ends the oldest running requests. */
let responses: ((failure?: Error) => void)[] = [];
let page: EventTarget;
let timers: PausableTimers;
let deletions: Deletions;

const api = {
  deleteImage: (imageId: string, keepalive = false) =>
    new Promise<void>((resolve, reject) => {
      requests.push({ imageId, keepalive });
      responses.push((failure) => (failure ? reject(failure) : resolve()));
    }),
};

async function respond(failure?: Error): Promise<void> {
  responses.shift()?.(failure);
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  requests = [];
  responses = [];
  page = new EventTarget();
  timers = new PausableTimers();
  vi.stubGlobal('window', page);
  deletions = new Deletions(api, library, timers, new AbortController().signal);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('undo restores all pictures, and nothing is deleted', async () => {
  const undo = deletions.delete(images);
  expect(library.remove).toHaveBeenCalledWith(...images.map(({ imageId }) => imageId));
  expect(undo()).toBe(true);
  expect(library.restore).toHaveBeenCalledWith(...images);
  await vi.advanceTimersByTimeAsync(2 * UNDO_TIME);
  expect(requests).toEqual([]);
});

test('nothing is deleted while the time to undo is paused', async () => {
  const undo = deletions.delete(images);
  timers.pause();
  await vi.advanceTimersByTimeAsync(2 * UNDO_TIME);
  expect(requests).toEqual([]);
  expect(undo()).toBe(true);
});

test('deletes four pictures at a time after the delay', async () => {
  const undo = deletions.delete(images);
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  expect(requests).toHaveLength(4);
  expect(undo()).toBe(false);
  for (let sent = 5; sent <= images.length; sent += 1) {
    await respond();
    expect(requests).toHaveLength(sent);
  }
});

test('reports all failures of a deletion together', async () => {
  const events: DeletionFailedEvent[] = [];
  deletions.addEventListener('failed', (event) => event instanceof DeletionFailedEvent && events.push(event));
  deletions.delete(images.slice(0, 3));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  const cause = new Error('unavailable');
  await respond(cause);
  await respond();
  expect(events).toEqual([]);
  await respond(cause);
  expect(library.restore).toHaveBeenCalledWith(images[0], images[2]);
  expect(events.map(({ failures, total }) => [failures.length, total])).toEqual([[2, 3]]);
});

test('closing the page sends each request that was not sent, and repeats those without an answer', async () => {
  deletions.delete(images.slice(0, 6));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  expect(requests).toHaveLength(4);
  await respond();
  deletions.delete(images.slice(6));
  page.dispatchEvent(new Event('pagehide'));
  const last = requests.filter(({ keepalive }) => keepalive).map(({ imageId }) => imageId);
  expect(last).toEqual(images.slice(1).map(({ imageId }) => imageId));
  while (responses.length > 0) await respond();
  await vi.advanceTimersByTimeAsync(2 * UNDO_TIME);
  expect(requests).toHaveLength(5 + last.length);
});

test('a picture that is deleted again belongs to the last deletion', async () => {
  const undoFirst = deletions.delete(images.slice(0, 2));
  const undoSecond = deletions.delete(images.slice(1, 2));
  expect(undoSecond()).toBe(true);
  expect(library.restore).toHaveBeenCalledWith(images[1]);
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  expect(undoFirst()).toBe(false);
  expect(requests.map(({ imageId }) => imageId)).toEqual(['0']);
});

test('a picture that is being deleted is not deleted twice', async () => {
  deletions.delete(images.slice(0, 1));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  deletions.delete(images.slice(0, 1));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  expect(requests).toHaveLength(1);
});

test('undo fails if all pictures were already being deleted', async () => {
  deletions.delete(images.slice(0, 2));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  const undo = deletions.delete(images.slice(0, 1));
  expect(undo()).toBe(false);
  expect(library.restore).not.toHaveBeenCalled();
});

test('undo restores the pictures that were not already being deleted', async () => {
  deletions.delete(images.slice(0, 1));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  const undo = deletions.delete(images.slice(0, 2));
  expect(undo()).toBe(true);
  expect(library.restore).toHaveBeenCalledWith(images[1]);
});

test('undo succeeds after a later deletion has taken over all pictures', () => {
  const undo = deletions.delete(images.slice(0, 1));
  deletions.delete(images.slice(0, 1));
  expect(undo()).toBe(true);
});

test('flush waits for requests that were already sent', async () => {
  deletions.delete(images.slice(0, 1));
  await vi.advanceTimersByTimeAsync(UNDO_TIME);
  let done = false;
  const flushed = deletions.flush().then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toBe(false);
  await respond();
  await flushed;
});

test('flush waits for the results', async () => {
  deletions.delete(images.slice(0, 1));
  let done = false;
  const flushed = deletions.flush().then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toBe(false);
  await respond();
  await flushed;
});
