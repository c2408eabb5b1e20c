// Deletes pictures with a chance to undo: they leave the gallery immediately, and the API a few seconds later.
import type { ApiClient } from '../api/client';
import type { Summary } from '../api/types';
import { ConcurrencyLimiter } from '../shared/concurrency-limiter';
import type { Library } from './library';

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_TIME = 7_000;
/** How many requests are sent at the same time. */
const CONCURRENT_REQUESTS = 4;

/** A picture that could not be deleted. */
export interface FailedDeletion {
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
  readonly images: readonly Summary[];
  readonly timer: number;
  /** Pictures for which no request was sent. */
  readonly unsent: Set<Summary>;
  /** Whether it is too late to undo. */
  started: boolean;
  /** How many pictures have no result. */
  open: number;
  readonly failures: FailedDeletion[];
}

/** Sends pending deletions when the page is closed, unless `signal` is aborted. Dispatches `failed`. */
export class Deletions extends EventTarget {
  private readonly batches = new Set<Batch>();
  private readonly limiter = new ConcurrencyLimiter(CONCURRENT_REQUESTS);

  constructor(
    private readonly api: Pick<ApiClient, 'deleteImage'>,
    private readonly library: Pick<Library, 'remove' | 'restore'>,
    signal: AbortSignal,
  ) {
    super();
    // After the page is closed, nobody can undo a deletion.
    window.addEventListener('pagehide', () => this.sendNow(), { signal });
  }

  /**
   * Removes pictures from the gallery, and deletes them after a delay. Returns a function that restores them instead. It
   * returns false if it is too late.
   */
  delete(images: readonly Summary[]): () => boolean {
    this.library.remove(...images.map(({ imageId }) => imageId));
    const batch: Batch = {
      images,
      timer: window.setTimeout(() => void this.send(batch), UNDO_TIME),
      unsent: new Set(images),
      started: false,
      open: images.length,
      failures: [],
    };
    this.batches.add(batch);
    return () => this.undo(batch);
  }

  /** Sends all pending deletions, and waits for their results. */
  async flush(): Promise<void> {
    await Promise.all([...this.batches].map((batch) => this.send(batch)));
  }

  private undo(batch: Batch): boolean {
    if (batch.started) return false;
    clearTimeout(batch.timer);
    this.batches.delete(batch);
    this.library.restore(...batch.images);
    return true;
  }

  private async send(batch: Batch): Promise<void> {
    this.start(batch);
    await Promise.all([...batch.unsent].map((image) => this.limiter.run(() => this.deleteOne(batch, image, false))));
  }

  /** Sends all requests at once: the page is being closed, and no code runs after that. */
  private sendNow(): void {
    for (const batch of this.batches) {
      this.start(batch);
      for (const image of batch.unsent) void this.deleteOne(batch, image, true);
    }
  }

  private start(batch: Batch): void {
    clearTimeout(batch.timer);
    batch.started = true;
  }

  private async deleteOne(batch: Batch, image: Summary, keepalive: boolean): Promise<void> {
    // It may have been sent while it waited for its turn.
    if (!batch.unsent.delete(image)) return;
    await this.api
      .deleteImage(image.imageId, keepalive)
      .catch((cause: unknown) => batch.failures.push({ image, cause }));
    batch.open -= 1;
    if (batch.open === 0) this.finish(batch);
  }

  private finish(batch: Batch): void {
    this.batches.delete(batch);
    const { failures, images } = batch;
    if (failures.length === 0) return;
    this.library.restore(...failures.map(({ image }) => image));
    this.dispatchEvent(new DeletionFailedEvent(failures, images.length));
  }
}
