// Follows a job of one kind until it has ended, such as the one that applies new settings to all pictures. It follows the
// job that was started last.
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { whenOnline, whenVisible } from '../shared/page-state';
import type { ApiClient } from './client';
import { ApiError, isTransient } from './problem';
import type { Job } from './types';

/** A small library is done within seconds. */
const POLLING: Backoff = { first: 500, limit: 5_000 };
/** How often a job is polled that waits for the next day, in milliseconds. */
const WAITING = 60_000;

/** The ids of jobs that the person has dismissed. */
export type Dismissed = Pick<Set<string>, 'has'> & { add(jobId: string): void };

/** Whether a job has ended without doing everything, and the person may want to continue or to repeat it. */
export function hasStopped({ kind, status, resumable }: Job): boolean {
  if (resumable) return true;
  // A canceled job of settings that newer ones have replaced is never the newest.
  if (kind === 'REFILTER') return status === 'CANCELED' || status === 'FAILED';
  return status === 'FAILED' && (kind === 'EXPORT' || kind === 'UNDO' || kind === 'IMPORT');
}

/** Dispatches `change` when there is news, and `ended` when the job has ended. */
export class JobTracker extends EventTarget {
  private current: Job | undefined;
  private unreachable = false;
  private loop: AbortController | undefined;
  private restored = false;

  constructor(
    private readonly api: Pick<ApiClient, 'getJob' | 'cancelJob' | 'resumeJob'>,
    private readonly kind: Job['kind'],
    private readonly dismissed: Dismissed,
  ) {
    super();
  }

  /** The job that is followed or was followed last. */
  get job(): Job | undefined {
    return this.current;
  }

  /** Whether the last request for the job failed. */
  get isUnreachable(): boolean {
    return this.unreachable;
  }

  get isRunning(): boolean {
    return this.current?.status === 'RUNNING';
  }

  /** Whether the job had stopped before the page was loaded. */
  get isRestored(): boolean {
    return this.restored;
  }

  /** Follows a job that was just started. */
  follow(jobId: string): void {
    const now = new Date().toISOString();
    const unknown = { total: null, processed: 0, changed: 0, resumable: false, createdAt: now, updatedAt: now };
    this.start({ jobId, kind: this.kind, status: 'RUNNING', ...unknown });
  }

  /**
   * Follows the newest of these jobs, or shows that it has stopped until it is dismissed, for example after the page was
   * reloaded. A job that has ended is forgotten if there is a newer one. Jobs that have ended are listed newest first.
   */
  resume(jobs: readonly Job[]): void {
    const own = jobs.filter(({ kind }) => kind === this.kind);
    const newest = own.find(({ status }) => status === 'RUNNING') ?? own[0];
    const { current } = this;
    if (!newest || this.isRunning || (current && newest.createdAt <= current.createdAt)) return;
    if (newest.status === 'RUNNING') this.start(newest);
    else if (hasStopped(newest) && !this.dismissed.has(newest.jobId)) {
      this.current = newest;
      this.restored = true;
      this.changed();
    } else if (current) this.forget();
  }

  /** Cancels the job. Throws the API's error. */
  async cancel(): Promise<void> {
    const { current } = this;
    if (!current || !this.isRunning) return;
    const job = await this.api.cancelJob(current.jobId);
    if (this.current?.jobId !== job.jobId) return;
    // A request in progress could still answer that the job is running.
    this.stop();
    this.update(job);
  }

  /** Continues the job after it has failed or was canceled. Throws the API's error. */
  async restart(): Promise<void> {
    const { current } = this;
    if (!current || this.isRunning) return;
    const job = await this.api.resumeJob(current.jobId);
    if (this.current === current) this.start(job);
  }

  /** Requests the job again after it has ended: links to its files expire. Throws the API's error. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { current } = this;
    if (!current || this.isRunning) return;
    const job = await this.api.getJob(current.jobId, signal);
    if (this.current === current) this.update(job);
  }

  /** Forgets a job that has ended, also after a reload. */
  dismiss(): void {
    if (this.isRunning) return;
    if (this.current && hasStopped(this.current)) this.dismissed.add(this.current.jobId);
    this.forget();
  }

  /** Forgets a job that has ended. It is shown again after a reload, if it has stopped. */
  forget(): void {
    if (this.isRunning) return;
    this.current = undefined;
    this.changed();
  }

  stop(): void {
    this.loop?.abort();
    this.loop = undefined;
  }

  private start(job: Job): void {
    this.stop();
    this.current = job;
    this.restored = false;
    this.unreachable = false;
    this.changed();
    void this.run(job.jobId);
  }

  private async run(jobId: string): Promise<void> {
    const loop = new AbortController();
    this.loop = loop;
    const { signal } = loop;
    let processed = 0;
    try {
      for (let attempt = 0; this.isRunning; attempt += 1) {
        await sleep(this.current?.waitsUntil ? WAITING : backoffDelay(attempt, POLLING), signal);
        await whenVisible(signal);
        await whenOnline(signal);
        const job = await this.poll(jobId, signal);
        if (!job) continue;
        // A job that makes progress is polled more often.
        if (job.processed > processed) attempt = Math.min(attempt, 2);
        processed = job.processed;
        this.update(job);
      }
    } catch (error) {
      const isExpected = signal.aborted || (error instanceof Error && error.name === 'SignedOutError');
      if (!isExpected) this.lost(error);
    } finally {
      if (this.loop === loop) this.loop = undefined;
    }
  }

  /** The job, or `undefined` if the API can't be reached now. */
  private async poll(jobId: string, signal: AbortSignal): Promise<Job | undefined> {
    try {
      const job = await this.api.getJob(jobId, signal);
      signal.throwIfAborted();
      return job;
    } catch (error) {
      if (!isTransient(error)) throw error;
      signal.throwIfAborted();
      this.unreachable = true;
      this.changed();
      return undefined;
    }
  }

  /** The job does not exist anymore, for example because all data was deleted. */
  private lost(error: unknown): void {
    if (!(error instanceof ApiError)) console.error(error);
    this.current = undefined;
    this.changed();
  }

  private update(job: Job): void {
    const wasRunning = this.isRunning;
    this.current = job;
    this.unreachable = false;
    this.changed();
    if (wasRunning && !this.isRunning) this.dispatchEvent(new Event('ended'));
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
