// Deleting with a way back: a picture leaves the gallery at once, the API is asked a few seconds later.
import type { ApiClient } from '../api/client';
import type { Summary } from '../api/types';
import type { Library } from './library';

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_TIME = 7_000;

/** A deletion that the API refused; dispatched as `failed` once the picture is back. */
export class DeletionFailedEvent extends Event {
  constructor(
    readonly image: Summary,
    readonly cause: unknown,
  ) {
    super('failed');
  }
}

export class Deletions extends EventTarget {
  private readonly waiting = new Map<
    string,
    { readonly image: Summary; readonly timer: number; readonly sent: boolean }
  >();

  constructor(
    private readonly api: ApiClient,
    private readonly library: Library,
  ) {
    super();
    // Whoever closes the page has decided.
    window.addEventListener('pagehide', () => void this.flush());
  }

  /** Whether a picture is as good as deleted. */
  has(imageId: string): boolean {
    return this.waiting.has(imageId);
  }

  /** Takes a picture out of the gallery, and deletes it unless `undo` comes in time. */
  delete(image: Summary): void {
    this.library.remove(image.imageId);
    const timer = window.setTimeout(() => void this.carryOut(image.imageId, false), UNDO_TIME);
    this.waiting.set(image.imageId, { image, timer, sent: false });
  }

  /** Puts a picture back; false if it is too late. */
  undo(imageId: string): boolean {
    const entry = this.waiting.get(imageId);
    if (!entry || entry.sent) return false;
    clearTimeout(entry.timer);
    this.waiting.delete(imageId);
    this.library.putBack(entry.image);
    return true;
  }

  /** Deletes at once whatever still waits. */
  async flush(): Promise<void> {
    await Promise.all([...this.waiting.keys()].map((imageId) => this.carryOut(imageId, true)));
  }

  private async carryOut(imageId: string, keepalive: boolean): Promise<void> {
    const entry = this.waiting.get(imageId);
    if (!entry || entry.sent) return;
    this.waiting.set(imageId, { ...entry, sent: true });
    clearTimeout(entry.timer);
    try {
      await this.api.deleteImage(imageId, keepalive);
      this.waiting.delete(imageId);
    } catch (cause) {
      this.waiting.delete(imageId);
      this.library.putBack(entry.image);
      this.dispatchEvent(new DeletionFailedEvent(entry.image, cause));
    }
  }
}
