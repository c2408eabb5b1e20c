// Deletes pictures with a chance to undo: they leave the gallery immediately, and the API a few seconds later.
import type { ApiClient } from '../api/client';
import type { Summary } from '../api/types';
import { ConcurrencyLimiter } from '../shared/concurrency-limiter';
import type { PausableTimers } from '../shared/pausable-timers';
import type { Library } from './library';

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_TIME = 7_000;
/** How many requests are sent at the same time. */
const CONCURRENT_REQUESTS = 4;

/** A picture that could not be deleted. */
interface FailedDeletion {
  readonly image: Summary;
  readonly cause: unknown;
}

/** Some pictures could not be deleted and are back in the gallery; dispatched as `failed`, once per deletion. */
export class DeletionFailedEvent extends Event {
  constructor(
    readonly failures: readonly FailedDeletion[],
    /** How many pictures should have been deleted. */
    readonly total: number,
  ) {
    super('failed');
  }
}

/** Pictures that are deleted, or restored, together. */
interface Batch {
  /** Without those that a later deletion has taken over. */
  images: readonly Summary[];
  readonly stopTimer: () => void;
  /** Pictures for which no request was sent. */
  readonly unsent: Set<Summary>;
  /** Pictures without a result. */
  readonly open: Set<Summary>;
  /** Set when it is too late to undo. Ends when all requests have ended. */
  results: Promise<unknown> | undefined;
  readonly failures: FailedDeletion[];
}

/** Sends pending deletions when the page is closed, unless `signal` is aborted. Dispatches `failed`. */
export class Deletions extends EventTarget {
  private readonly batches = new Set<Batch>();
  private readonly limiter = new ConcurrencyLimiter(CONCURRENT_REQUESTS);

  constructor(
    private readonly api: Pick<ApiClient, 'deleteImage'>,
    private readonly library: Pick<Library, 'remove' | 'restore'>,
    private readonly timers: PausableTimers,
    signal: AbortSignal,
  ) {
    super();
    // After the page is closed, nobody can undo a deletion.
    window.addEventListener('pagehide', () => this.sendNow(), { signal });
  }

  /**
   * Removes pictures from the gallery, and deletes them after a delay. Returns a function that restores them instead. It
   * returns false if it is too late, or if all the pictures were already being deleted.
   */
  delete(images: readonly Summary[]): () => boolean {
    const taken = this.takeOver(images);
    this.library.remove(...images.map(({ imageId }) => imageId));
    if (taken.length === 0) return () => false;
    const batch: Batch = {
      images: taken,
      stopTimer: this.timers.start(UNDO_TIME, () => void this.send(batch)),
      unsent: new Set(taken),
      open: new Set(taken),
      results: undefined,
      failures: [],
    };
    this.batches.add(batch);
    return () => this.undo(batch);
  }

  /** Sends all pending deletions, and waits for their results. */
  async flush(): Promise<void> {
    await Promise.all([...this.batches].map((batch) => this.send(batch)));
  }

  /**
   * Removes pictures from pending deletions, so that undoing the new one keeps them. Returns those that are not being
   * deleted already.
   */
  private takeOver(images: readonly Summary[]): readonly Summary[] {
    const ids = new Set(images.map(({ imageId }) => imageId));
    const deleting = new Set<string>();
    for (const batch of this.batches) {
      const repeated = batch.images.filter(({ imageId }) => ids.has(imageId));
      if (batch.results) {
        for (const { imageId } of repeated) deleting.add(imageId);
        continue;
      }
      batch.images = batch.images.filter(({ imageId }) => !ids.has(imageId));
      for (const image of repeated) {
        batch.unsent.delete(image);
        batch.open.delete(image);
      }
    }
    return images.filter(({ imageId }) => !deleting.has(imageId));
  }

  private undo(batch: Batch): boolean {
    if (batch.results) return false;
    batch.stopTimer();
    this.batches.delete(batch);
    this.library.restore(...batch.images);
    return true;
  }

  private send(batch: Batch): Promise<unknown> {
    batch.stopTimer();
    batch.results ??= Promise.all(
      [...batch.unsent].map((image) =>
        this.limiter.run(async () => {
          // It may have been sent while it waited for its turn.
          if (batch.unsent.delete(image)) await this.deleteOne(batch, image, false);
        }),
      ),
    );
    if (batch.open.size === 0) this.finish(batch);
    return batch.results;
  }

  /**
   * Sends all requests at once, because the page is being closed, and no code runs after that. The browser aborts earlier
   * requests, so these are repeated.
   */
  private sendNow(): void {
    for (const batch of this.batches) {
      const open = [...batch.open];
      batch.unsent.clear();
      void this.send(batch);
      for (const image of open) void this.deleteOne(batch, image, true);
    }
  }

  private async deleteOne(batch: Batch, image: Summary, keepalive: boolean): Promise<void> {
    const failures: FailedDeletion[] = [];
    await this.api.deleteImage(image.imageId, keepalive).catch((cause: unknown) => failures.push({ image, cause }));
    // Another request for the picture may have ended first.
    if (!batch.open.delete(image)) return;
    batch.failures.push(...failures);
    if (batch.open.size === 0) this.finish(batch);
  }

  private finish(batch: Batch): void {
    this.batches.delete(batch);
    const { failures, images } = batch;
    if (failures.length === 0) return;
    this.library.restore(...failures.map(({ image }) => image));
    this.dispatchEvent(new DeletionFailedEvent(failures, images.length));
  }
}
