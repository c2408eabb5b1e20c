// Deletes all results of a search with a chance to undo: a job starts a few seconds later. What it has deleted stays deleted.
import type { ApiClient } from '../api/client';
import type { Filter } from '../api/filter';
import type { PausableTimers } from '../shared/pausable-timers';
import { UNDO_TIME } from './deletions';
import type { Library } from './library';

/** A job deletes the pictures; dispatched as `started`. */
export class DeletionStartedEvent extends Event {
  constructor(readonly jobId: string) {
    super('started');
  }
}

/** No job could be started, and the pictures are back in the gallery; dispatched as `refused`. */
export class DeletionRefusedEvent extends Event {
  constructor(readonly cause: unknown) {
    super('refused');
  }
}

/** A deletion that can still be undone. */
interface Pending {
  readonly filter: Filter;
  readonly createdBefore: string;
  readonly stopTimer: () => void;
}

/** Starts a pending deletion when the page is closed, unless `signal` is aborted. Dispatches `started` and `refused`. */
export class BulkDeletion extends EventTarget {
  private pending: Pending | undefined;
  /** The loaded pictures that are removed from the gallery. */
  private removed: readonly string[] = [];
  /** Ends when the API has answered. */
  private request: Promise<void> = Promise.resolve();

  constructor(
    private readonly api: Pick<ApiClient, 'startDeletion'>,
    private readonly library: Pick<Library, 'removeAll' | 'restoreAll'>,
    private readonly timers: PausableTimers,
    signal: AbortSignal,
  ) {
    super();
    // After the page is closed, nobody can undo the deletion.
    window.addEventListener('pagehide', () => void this.flush(true), { signal });
  }

  /**
   * Removes the results of the search from the gallery, and deletes those that were added before a time after a delay. Returns a
   * function that restores them instead. It returns false if it is too late.
   */
  delete(filter: Filter, createdBefore: string): () => boolean {
    void this.flush();
    this.removed = [...this.removed, ...this.library.removeAll()];
    const stopTimer = this.timers.start(UNDO_TIME, () => void this.flush());
    const pending = { filter, createdBefore, stopTimer };
    this.pending = pending;
    return () => this.undo(pending);
  }

  /** Starts the pending deletion, and waits for the answer. `closing`: the page is being closed. */
  flush(closing = false): Promise<void> {
    const { pending } = this;
    if (!pending) return this.request;
    pending.stopTimer();
    this.pending = undefined;
    this.request = this.start(pending, closing);
    return this.request;
  }

  /** Shows the pictures again that a job has not deleted. */
  restore(): void {
    const { removed } = this;
    this.removed = [];
    if (removed.length > 0) this.library.restoreAll(removed);
  }

  private undo(pending: Pending): boolean {
    if (this.pending !== pending) return false;
    pending.stopTimer();
    this.pending = undefined;
    this.restore();
    return true;
  }

  private async start({ filter, createdBefore }: Pending, closing: boolean): Promise<void> {
    try {
      const { jobId } = await this.api.startDeletion(filter, createdBefore, closing);
      this.dispatchEvent(new DeletionStartedEvent(jobId));
    } catch (cause) {
      this.restore();
      this.dispatchEvent(new DeletionRefusedEvent(cause));
    }
  }
}
