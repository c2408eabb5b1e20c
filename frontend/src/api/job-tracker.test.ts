import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hasStopped, JobTracker } from './job-tracker';
import { ApiError, NetworkError } from './problem';
import type { Job } from './types';

const job = (status: Job['status'], processed = 0): Job => ({
  jobId: 'a',
  kind: 'REFILTER',
  status,
  total: 100,
  processed,
  changed: processed / 2,
  resumable: false,
  createdAt: '2026-11-28T12:00:00.000Z',
  updatedAt: '2026-11-28T12:00:00.000Z',
});
const api = {
  getJob: vi.fn<() => Promise<Job>>(),
  cancelJob: vi.fn<() => Promise<Job>>(),
  resumeJob: vi.fn<() => Promise<Job>>(),
};
const { signal } = new AbortController();

let dismissed: Set<string>;
let tracker: JobTracker;
let ended: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('window', new EventTarget());
  dismissed = new Set();
  tracker = new JobTracker(api, 'REFILTER', dismissed);
  ended = 0;
  tracker.addEventListener('ended', () => {
    ended += 1;
  });
});

afterEach(() => {
  tracker.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('follows a job until it has ended, and says so once', async () => {
  api.getJob.mockResolvedValueOnce(job('RUNNING', 40)).mockResolvedValue(job('SUCCEEDED', 100));
  tracker.follow('a');
  expect(tracker.isRunning).toBe(true);
  await vi.advanceTimersByTimeAsync(600);
  expect(tracker.job?.processed).toBe(40);
  await vi.runAllTimersAsync();
  expect(tracker.job?.status).toBe('SUCCEEDED');
  expect(api.getJob).toHaveBeenCalledTimes(2);
  expect(ended).toBe(1);
});

test('an interruption is reported, and the job is followed again', async () => {
  api.getJob.mockRejectedValueOnce(new NetworkError('lost')).mockResolvedValue(job('SUCCEEDED', 100));
  tracker.follow('a');
  await vi.advanceTimersByTimeAsync(600);
  expect(tracker.isUnreachable).toBe(true);
  await vi.runAllTimersAsync();
  expect(tracker.isUnreachable).toBe(false);
  expect(ended).toBe(1);
});

test('resumes a running job after a reload, and ignores jobs that have ended', () => {
  tracker.resume([job('SUCCEEDED')]);
  expect(tracker.job).toBeUndefined();
  tracker.resume([{ ...job('CANCELED'), jobId: 'b' }, job('RUNNING', 7)]);
  expect(tracker.job?.processed).toBe(7);
});

test('shows a job that has stopped after a reload, until it is dismissed', () => {
  const failed: Job = { ...job('FAILED', 7), jobId: 'b' };
  tracker.resume([failed, job('SUCCEEDED')]);
  expect(tracker.job).toEqual(failed);
  // Ctrl+Z does not undo it.
  expect(tracker.isRestored).toBe(true);
  tracker.dismiss();
  expect([...dismissed]).toEqual(['b']);
  tracker.resume([failed]);
  expect(tracker.job).toBeUndefined();
  tracker.resume([job('SUCCEEDED'), { ...failed, jobId: 'c' }]);
  expect(tracker.job).toBeUndefined();
});

test('a job that a newer one has replaced is forgotten, also if that has ended', async () => {
  const newer: Job = { ...job('RUNNING', 7), jobId: 'b', createdAt: '2026-11-28T12:00:01.000Z' };
  const cancel = async () => {
    api.getJob.mockResolvedValueOnce(job('CANCELED', 10));
    tracker.follow('a');
    await vi.advanceTimersByTimeAsync(600);
  };
  await cancel();
  tracker.resume([job('CANCELED', 10)]);
  expect(tracker.job?.jobId).toBe('a');
  api.getJob.mockResolvedValueOnce({ ...newer, status: 'SUCCEEDED' });
  tracker.resume([newer, job('CANCELED', 10)]);
  expect(tracker.job?.jobId).toBe('b');
  await vi.runAllTimersAsync();
  expect(ended).toBe(2);

  await cancel();
  tracker.resume([{ ...newer, status: 'SUCCEEDED' }, job('CANCELED', 10)]);
  expect(tracker.job).toBeUndefined();
});

test('only jobs that can be continued or repeated are shown after a reload', () => {
  const shown = (kind: Job['kind'], status: Job['status'], resumable = false) =>
    hasStopped({ ...job(status), kind, resumable });
  expect(shown('RELABEL', 'CANCELED', true)).toBe(true);
  expect(shown('EXPORT', 'FAILED')).toBe(true);
  expect(shown('EXPORT', 'CANCELED')).toBe(false);
  expect(shown('IMPORT', 'FAILED')).toBe(true);
  expect(shown('REFILTER', 'CANCELED')).toBe(true);
  // It was undone.
  expect(shown('CORRECT', 'FAILED')).toBe(false);
  expect(shown('DELETE', 'SUCCEEDED')).toBe(false);
});

test('a job of another kind is not resumed', () => {
  tracker.resume([{ ...job('RUNNING'), kind: 'EXPORT' }]);
  expect(tracker.job).toBeUndefined();
});

test('a job that waits for the next day is polled once a minute', async () => {
  api.getJob.mockResolvedValue({ ...job('RUNNING', 3), waitsUntil: '2026-11-29T00:00:00Z' });
  tracker.follow('a');
  await vi.advanceTimersByTimeAsync(600);
  expect(api.getJob).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(api.getJob).toHaveBeenCalledTimes(11);
});

test('an ended job is requested again, because links to its files expire', async () => {
  const exports = new JobTracker(api, 'EXPORT', dismissed);
  const file = { fileName: 'labels.csv', size: 5, images: 2 };
  const withUrl = (url: string): Job => ({ ...job('SUCCEEDED'), kind: 'EXPORT', files: [{ ...file, url }] });
  api.getJob.mockResolvedValueOnce(withUrl('https://s3/old')).mockResolvedValueOnce(withUrl('https://s3/new'));
  exports.follow('a');
  await vi.runAllTimersAsync();
  expect(exports.job?.files?.[0]?.url).toBe('https://s3/old');
  await exports.refresh(signal);
  expect(exports.job?.files?.[0]?.url).toBe('https://s3/new');
});

test('a new job replaces the one that is followed', async () => {
  api.getJob.mockResolvedValue(job('RUNNING'));
  tracker.follow('a');
  api.getJob.mockResolvedValue({ ...job('SUCCEEDED'), jobId: 'b' });
  tracker.follow('b');
  await vi.runAllTimersAsync();
  expect(tracker.job?.jobId).toBe('b');
  expect(ended).toBe(1);
});

test('a canceled job has ended: some pictures have other labels', async () => {
  api.getJob.mockResolvedValue(job('RUNNING', 10));
  api.cancelJob.mockResolvedValue(job('CANCELED', 10));
  tracker.follow('a');
  await tracker.cancel();
  expect(tracker.job?.status).toBe('CANCELED');
  expect(ended).toBe(1);
  await vi.runAllTimersAsync();
  expect(ended).toBe(1);
});

test('a canceled job continues where it stopped, and is followed until it has ended', async () => {
  api.cancelJob.mockResolvedValue(job('CANCELED', 10));
  tracker.follow('a');
  await tracker.cancel();
  api.resumeJob.mockResolvedValue(job('RUNNING', 10));
  api.getJob.mockResolvedValue(job('SUCCEEDED', 100));
  await tracker.restart();
  expect(tracker.job?.processed).toBe(10);
  expect(tracker.isRunning).toBe(true);
  await vi.runAllTimersAsync();
  expect(tracker.job?.status).toBe('SUCCEEDED');
  expect(ended).toBe(2);
});

test('a job that does not exist anymore is forgotten', async () => {
  api.getJob.mockRejectedValue(new ApiError(404, 'No such job'));
  tracker.follow('a');
  await vi.runAllTimersAsync();
  expect(tracker.job).toBeUndefined();
});
