import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JobEvent, JobTrackers } from './job-trackers';
import type { Job } from './types';

const time = '2026-11-28T12:00:00.000Z';
const jobs = new Map<string, Job>();

function job(jobId: string, status: Job['status'], kind: Job['kind'] = 'CORRECT'): Job {
  const resumable = kind === 'CORRECT' && (status === 'CANCELED' || status === 'FAILED');
  return { jobId, kind, status, resumable, total: 9, processed: 9, changed: 4, createdAt: time, updatedAt: time };
}

const api = {
  getJob: async (jobId: string) => jobs.get(jobId) ?? job(jobId, 'RUNNING'),
  cancelJob: vi.fn(),
  resumeJob: vi.fn(),
};

let trackers: JobTrackers;
let ended: string[];
const followed = () => trackers.trackers.map((tracker) => tracker.job?.jobId);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('window', new EventTarget());
  jobs.clear();
  ended = [];
  trackers = new JobTrackers(api, ['CORRECT', 'UNDO'], new Set(['z']));
  trackers.addEventListener('ended', (event) => {
    if (event instanceof JobEvent) ended.push(event.tracker.job?.jobId ?? '');
  });
});

afterEach(() => {
  trackers.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('jobs that were started in quick succession are all followed until they end', async () => {
  for (const id of ['a', 'b', 'c']) trackers.follow(id, 'CORRECT');
  expect(followed()).toEqual(['a', 'b', 'c']);
  jobs.set('b', job('b', 'SUCCEEDED'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ended).toEqual(['b']);
  for (const id of ['a', 'c']) jobs.set(id, job(id, 'SUCCEEDED'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ended.toSorted()).toEqual(['a', 'b', 'c']);
  trackers.trackers[1]?.dismiss();
  expect(followed()).toEqual(['a', 'c']);
});

test('old jobs that have ended are forgotten, and running ones are not', async () => {
  for (const id of ['b', 'c']) jobs.set(id, job(id, 'SUCCEEDED'));
  for (const id of ['a', 'b', 'c']) trackers.follow(id, 'CORRECT');
  await vi.advanceTimersByTimeAsync(1_000);
  trackers.follow('d', 'UNDO');
  expect(followed()).toEqual(['a', 'c', 'd']);
  trackers.follow('e', 'CORRECT');
  trackers.follow('f', 'CORRECT');
  expect(followed()).toEqual(['a', 'd', 'e', 'f']);
});

test('running jobs of these kinds are resumed after a reload, each once', () => {
  const running = [job('c', 'RUNNING', 'UNDO'), job('b', 'RUNNING'), job('x', 'RUNNING', 'EXPORT')];
  trackers.resume(running);
  trackers.resume(running);
  expect(followed()).toEqual(['b', 'c']);
});

test('jobs that have stopped are shown after a reload, the newest three, until they are dismissed', () => {
  trackers.resume([
    job('z', 'FAILED'),
    job('f', 'FAILED'),
    job('e', 'SUCCEEDED'),
    job('d', 'CANCELED', 'UNDO'),
    job('c', 'FAILED', 'UNDO'),
    job('b', 'CANCELED'),
    job('a', 'CANCELED'),
  ]);
  expect(followed()).toEqual(['b', 'c', 'f']);
});
