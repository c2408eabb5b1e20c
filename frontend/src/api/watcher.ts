// Polls the pictures that are being processed until each has its result, with one request for all of them.
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { whenOnline, whenVisible } from '../shared/page-state';
import { type ApiClient, MAX_IDS } from './client';
import { isTransient } from './problem';
import { isFinal, type Summary } from './types';

/** Labels usually arrive within seconds. */
const USUAL: Backoff = { first: 300, limit: 3_000 };
const SLOW: Backoff = { first: 10_000, limit: 10_000 };
/** After this many milliseconds, the person is told that it takes longer than usual. */
const SLOW_AFTER = 120_000;
/** A picture that has no record after this many milliseconds was deleted, and one whose file has not arrived was never uploaded. */
const ARRIVAL_TIMEOUT = 20_000;

interface Watched {
  readonly since: number;
  /** The `updatedAt` of a result that is about to be replaced: this version is not final. */
  readonly replaces: string | undefined;
  /** Whether this page has uploaded its file: S3's event about it arrives sooner or later. */
  readonly isUploaded: boolean;
}

/** A watched picture as the API returned it; dispatched as `image`. */
export class ImageEvent extends Event {
  constructor(
    readonly image: Summary,
    /** Whether this is the result, after which the picture is no longer watched. */
    readonly isResult: boolean,
  ) {
    super('image');
  }
}

/** There is no result yet; dispatched as `wait`. */
export class WaitEvent extends Event {
  constructor(
    readonly imageId: string,
    /** Whether it takes longer than usual. */
    readonly slow: boolean,
    /** Whether the API did not respond. */
    readonly unreachable: boolean,
  ) {
    super('wait');
  }
}

/** The picture does not exist; dispatched as `gone`. */
export class GoneEvent extends Event {
  constructor(readonly imageId: string) {
    super('gone');
  }
}

/** Polls with growing delays. Pauses while the tab is hidden or offline, and stops while nothing is watched. */
export class Watcher extends EventTarget {
  private readonly watched = new Map<string, Watched>();
  /** Pictures whose files this page is uploading. */
  private readonly uploading = new Set<string>();
  private loop: AbortController | undefined;
  /** Ends the current delay, because another picture is watched. */
  private wakeUp = new AbortController();
  private attempt = 0;

  constructor(private readonly api: Pick<ApiClient, 'getImages'>) {
    super();
  }

  /** Watches a picture until it has a result. `replaces` is the `updatedAt` of a result that is about to be replaced. */
  watch(imageId: string, replaces?: string): void {
    if (this.watched.has(imageId) || this.uploading.has(imageId)) return;
    this.start(imageId, { since: performance.now(), replaces, isUploaded: false });
  }

  /**
   * Called before this page uploads the file of a picture. The picture is not watched until `watchUpload`: otherwise, it would be
   * given up during a long upload.
   */
  expectUpload(imageId: string): void {
    this.uploading.add(imageId);
  }

  /** Watches a picture whose file this page has uploaded. It is not given up while S3's event about the file is in transit. */
  watchUpload(imageId: string): void {
    this.uploading.delete(imageId);
    this.start(imageId, { since: performance.now(), replaces: undefined, isUploaded: true });
  }

  unwatch(imageId: string): void {
    this.uploading.delete(imageId);
    this.watched.delete(imageId);
    if (this.watched.size === 0) this.end();
  }

  /** Stops watching all pictures. */
  stop(): void {
    this.watched.clear();
    this.uploading.clear();
    this.end();
  }

  private end(): void {
    this.loop?.abort();
    this.loop = undefined;
  }

  private start(imageId: string, watched: Watched): void {
    this.watched.set(imageId, watched);
    this.attempt = 0;
    this.wakeUp.abort();
    if (!this.loop) void this.run();
  }

  private async run(): Promise<void> {
    const loop = new AbortController();
    this.loop = loop;
    const { signal } = loop;
    try {
      while (this.watched.size > 0) {
        await whenVisible(signal);
        await whenOnline(signal);
        const unreachable = await this.poll(signal);
        const slow = this.reportWaiting(unreachable);
        if (this.watched.size === 0) break;
        this.wakeUp = new AbortController();
        await sleep(
          backoffDelay(this.attempt, slow ? SLOW : USUAL),
          AbortSignal.any([signal, this.wakeUp.signal]),
        ).catch(() => signal.throwIfAborted());
        this.attempt += 1;
      }
    } catch (error) {
      // The session reports that nobody is signed in. Anything else is a bug.
      if (!signal.aborted && !(error instanceof Error && error.name === 'SignedOutError')) console.error(error);
    } finally {
      if (this.loop === loop) this.loop = undefined;
    }
  }

  /** Requests all watched pictures once. Returns whether the API did not respond. */
  private async poll(signal: AbortSignal): Promise<boolean> {
    const ids = [...this.watched.keys()];
    try {
      for (let start = 0; start < ids.length; start += MAX_IDS) {
        const requested = ids.slice(start, start + MAX_IDS);
        const images = await this.api.getImages(requested, signal);
        for (const image of images) this.found(image);
        const existing = new Set(images.map(({ imageId }) => imageId));
        for (const imageId of requested.filter((id) => !existing.has(id))) this.notFound(imageId);
      }
      return false;
    } catch (error) {
      if (isTransient(error)) return true;
      throw error;
    }
  }

  private found(image: Summary): void {
    const watched = this.watched.get(image.imageId);
    if (!watched) return;
    const isResult = isFinal(image.status) && image.updatedAt !== watched.replaces;
    const isAwaited = image.status === 'AWAITING_UPLOAD' && !watched.isUploaded;
    const neverUploaded = isAwaited && performance.now() - watched.since > ARRIVAL_TIMEOUT;
    if (isResult || neverUploaded) this.unwatch(image.imageId);
    if (neverUploaded) this.dispatchEvent(new GoneEvent(image.imageId));
    else this.dispatchEvent(new ImageEvent(image, isResult));
  }

  private notFound(imageId: string): void {
    const since = this.watched.get(imageId)?.since ?? 0;
    if (performance.now() - since < ARRIVAL_TIMEOUT) return;
    this.unwatch(imageId);
    this.dispatchEvent(new GoneEvent(imageId));
  }

  /** Dispatches `wait` for each watched picture. Returns whether all of them are slow. */
  private reportWaiting(unreachable: boolean): boolean {
    const now = performance.now();
    let allSlow = true;
    for (const [imageId, { since }] of this.watched) {
      const slow = now - since > SLOW_AFTER;
      allSlow &&= slow;
      this.dispatchEvent(new WaitEvent(imageId, slow, unreachable));
    }
    return allSlow;
  }
}
