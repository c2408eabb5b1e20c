// Deletes pictures with a chance to undo: a picture leaves the gallery immediately, and the API a few seconds later.
import type { ApiClient } from '../api/client';
import type { Summary } from '../api/types';
import type { Library } from './library';

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_TIME = 7_000;

/** A deletion failed and the picture is back in the gallery; dispatched as `failed`. */
export class DeletionFailedEvent extends Event {
  constructor(
    readonly image: Summary,
    readonly cause: unknown,
  ) {
    super('failed');
  }
}

/** Sends pending deletions when the page is closed, unless `signal` is aborted. Dispatches `failed`. */
export class Deletions extends EventTarget {
  private readonly pending = new Map<
    string,
    { readonly image: Summary; readonly timer: number; readonly sent: boolean }
  >();

  constructor(
    private readonly api: ApiClient,
    private readonly library: Library,
    signal: AbortSignal,
  ) {
    super();
    // After the page is closed, nobody can undo a deletion.
    window.addEventListener('pagehide', () => void this.flush(), { signal });
  }

  /** Removes a picture from the gallery, and deletes it unless `undo` is called in time. */
  delete(image: Summary): void {
    this.library.remove(image.imageId);
    const timer = window.setTimeout(() => void this.send(image.imageId, false), UNDO_TIME);
    this.pending.set(image.imageId, { image, timer, sent: false });
  }

  /** Restores a picture. Returns false if it is too late. */
  undo(imageId: string): boolean {
    const entry = this.pending.get(imageId);
    if (!entry || entry.sent) return false;
    clearTimeout(entry.timer);
    this.pending.delete(imageId);
    this.library.restore(entry.image);
    return true;
  }

  /** Sends all pending deletions now. */
  async flush(): Promise<void> {
    await Promise.all([...this.pending.keys()].map((imageId) => this.send(imageId, true)));
  }

  private async send(imageId: string, keepalive: boolean): Promise<void> {
    const entry = this.pending.get(imageId);
    if (!entry || entry.sent) return;
    this.pending.set(imageId, { ...entry, sent: true });
    clearTimeout(entry.timer);
    try {
      await this.api.deleteImage(imageId, keepalive);
      this.pending.delete(imageId);
    } catch (cause) {
      this.pending.delete(imageId);
      this.library.restore(entry.image);
      this.dispatchEvent(new DeletionFailedEvent(entry.image, cause));
    }
  }
}
