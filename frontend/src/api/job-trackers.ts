// Follows all jobs of some kinds, such as those that change labels: several of them can run at the same time.
import type { ApiClient } from './client';
import { type Dismissed, hasStopped, JobTracker } from './job-tracker';
import type { Job } from './types';

/** How many jobs are remembered after others were started. Running ones are never forgotten. */
const MAX_JOBS = 3;

/** There is news about a job, dispatched as `change`, or it has ended, dispatched as `ended`. */
export class JobEvent extends Event {
  constructor(
    type: 'change' | 'ended',
    readonly tracker: JobTracker,
  ) {
    super(type);
  }
}

/** Dispatches `change` and `ended` for each job. */
export class JobTrackers extends EventTarget {
  private list: readonly JobTracker[] = [];

  constructor(
    private readonly api: Pick<ApiClient, 'getJob' | 'cancelJob' | 'resumeJob'>,
    private readonly kinds: readonly Job['kind'][],
    private readonly dismissed: Dismissed,
  ) {
    super();
  }

  /** The jobs that are followed, or were followed last, oldest first. */
  get trackers(): readonly JobTracker[] {
    return this.list;
  }

  /** Follows a job that was just started, besides others. */
  follow(jobId: string, kind: Job['kind']): void {
    this.track(kind).follow(jobId);
    const ended = this.list.filter(({ isRunning }) => !isRunning);
    for (const tracker of ended.slice(0, Math.max(0, this.list.length - MAX_JOBS))) tracker.forget();
  }

  /**
   * Follows those of these jobs that are running already, and shows the newest that have stopped until they are dismissed, for
   * example after the page was reloaded.
   */
  resume(jobs: readonly Job[]): void {
    const known = new Set(this.list.map(({ job }) => job?.jobId));
    const others = jobs.filter(({ jobId, kind }) => this.kinds.includes(kind) && !known.has(jobId));
    const stopped = others.filter((job) => hasStopped(job) && !this.dismissed.has(job.jobId)).slice(0, MAX_JOBS);
    // They are listed newest first.
    for (const job of others.toReversed()) {
      if (job.status === 'RUNNING' || stopped.includes(job)) this.track(job.kind).resume([job]);
    }
  }

  stop(): void {
    for (const tracker of this.list) tracker.stop();
  }

  private track(kind: Job['kind']): JobTracker {
    const tracker = new JobTracker(this.api, kind, this.dismissed);
    tracker.addEventListener('change', () => {
      if (!tracker.job) this.list = this.list.filter((other) => other !== tracker);
      this.dispatchEvent(new JobEvent('change', tracker));
    });
    tracker.addEventListener('ended', () => this.dispatchEvent(new JobEvent('ended', tracker)));
    this.list = [...this.list, tracker];
    return tracker;
  }
}
