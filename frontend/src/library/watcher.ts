// Watching the pictures that are under way until each has its end: one request for all of them.
import { type ApiClient, MOST_IDS } from '../api/client';
import { ApiError, NetworkError } from '../api/problem';
import { isFinal, type Summary } from '../api/types';
import { type Backoff, backoffDelay, sleep } from '../backoff';
import { whenOnline, whenVisible } from '../page-state';

/** Labels usually come within seconds. */
const USUAL: Backoff = { first: 300, limit: 3_000 };
/** Once it takes long, asking often helps nobody. */
const SLOW: Backoff = { first: 10_000, limit: 10_000 };
/** After this many milliseconds without an end, the person is told that it takes longer than usual. */
const LONG = 120_000;
/** How long a file may be on its way from storage to its record, in milliseconds, before it counts as never sent. */
const ARRIVAL = 20_000;

interface Watched {
  readonly since: number;
  /** The `updatedAt` of a result that is about to be replaced: the same one again is no end. */
  readonly replaces: string | undefined;
}

/** What the API says of a watched picture; dispatched as `image`. */
export class ImageEvent extends Event {
  constructor(
    readonly image: Summary,
    /** Whether this is the end, after which it is not watched any more. */
    readonly ended: boolean,
  ) {
    super('image');
  }
}

/** A look without an end; dispatched as `wait`. */
export class WaitEvent extends Event {
  constructor(
    readonly imageId: string,
    /** Whether it takes longer than usual. */
    readonly slow: boolean,
    /** Whether the API did not answer. */
    readonly unreachable: boolean,
  ) {
    super('wait');
  }
}

/** The API does not know the picture, and will not; dispatched as `gone`. */
export class GoneEvent extends Event {
  constructor(readonly imageId: string) {
    super('gone');
  }
}

/** Asks with growing pauses, not while the tab is hidden or offline, not at all while nothing is watched. */
export class Watcher extends EventTarget {
  private readonly watched = new Map<string, Watched>();
  private loop: AbortController | undefined;
  /** Ends the present pause: something new is watched. */
  private hurry = new AbortController();
  private attempt = 0;

  constructor(private readonly api: Pick<ApiClient, 'getImages'>) {
    super();
  }

  /** Watches a picture until its end; `replaces` is the `updatedAt` of a result that is about to be replaced. */
  watch(imageId: string, replaces?: string): void {
    if (this.watched.has(imageId)) return;
    this.watched.set(imageId, { since: performance.now(), replaces });
    this.attempt = 0;
    this.hurry.abort();
    if (!this.loop) void this.run();
  }

  unwatch(imageId: string): void {
    this.watched.delete(imageId);
    if (this.watched.size === 0) this.stop();
  }

  /** Watches nothing any more. */
  stop(): void {
    this.watched.clear();
    this.loop?.abort();
    this.loop = undefined;
  }

  private async run(): Promise<void> {
    const loop = new AbortController();
    this.loop = loop;
    const { signal } = loop;
    try {
      while (this.watched.size > 0) {
        await whenVisible(signal);
        await whenOnline(signal);
        const unreachable = await this.look(signal);
        const slow = this.wait(unreachable);
        if (this.watched.size === 0) break;
        this.hurry = new AbortController();
        await sleep(
          backoffDelay(this.attempt, slow ? SLOW : USUAL),
          AbortSignal.any([signal, this.hurry.signal]),
        ).catch(() => signal.throwIfAborted());
        this.attempt += 1;
      }
    } catch (error) {
      // Signed out, or stopped: whoever is there says so. Anything else is a defect of ours.
      if (!signal.aborted && !(error instanceof Error && error.name === 'SignedOutError')) console.error(error);
    } finally {
      if (this.loop === loop) this.loop = undefined;
    }
  }

  /** One look at all; whether the API did not answer. */
  private async look(signal: AbortSignal): Promise<boolean> {
    const ids = [...this.watched.keys()];
    try {
      for (let start = 0; start < ids.length; start += MOST_IDS) {
        const asked = ids.slice(start, start + MOST_IDS);
        const images = await this.api.getImages(asked, signal);
        for (const image of images) this.saw(image);
        const seen = new Set(images.map(({ imageId }) => imageId));
        for (const imageId of asked.filter((id) => !seen.has(id))) this.missed(imageId);
      }
      return false;
    } catch (error) {
      if (error instanceof NetworkError || (error instanceof ApiError && error.passing)) return true;
      throw error;
    }
  }

  private saw(image: Summary): void {
    const watched = this.watched.get(image.imageId);
    if (!watched) return;
    const ended = isFinal(image.status) && image.updatedAt !== watched.replaces;
    const neverSent = image.status === 'AWAITING_UPLOAD' && performance.now() - watched.since > ARRIVAL;
    if (ended || neverSent) this.unwatch(image.imageId);
    if (neverSent) this.dispatchEvent(new GoneEvent(image.imageId));
    else this.dispatchEvent(new ImageEvent(image, ended));
  }

  private missed(imageId: string): void {
    const since = this.watched.get(imageId)?.since ?? 0;
    if (performance.now() - since < ARRIVAL) return;
    this.unwatch(imageId);
    this.dispatchEvent(new GoneEvent(imageId));
  }

  /** Tells of every picture that it is still waited for; whether all of them take long. */
  private wait(unreachable: boolean): boolean {
    const now = performance.now();
    let slow = true;
    for (const [imageId, { since }] of this.watched) {
      const long = now - since > LONG;
      slow &&= long;
      this.dispatchEvent(new WaitEvent(imageId, long, unreachable));
    }
    return slow;
  }
}
