// The pictures in the gallery: the history as far as it has been read, with what has happened since.
import { type Filter, isEverything } from '../address';
import type { ApiClient } from '../api/client';
import { ApiError, NetworkError } from '../api/problem';
import { isFinal, type Summary } from '../api/types';
import { text } from '../text';
import { GoneEvent, ImageEvent, type Watcher } from './watcher';

/** A filtered page may be short or empty and still have a cursor: so many of them are read in a row for one wish. */
const PAGES_IN_A_ROW = 20;

/** How the reading of the history stands: `partly` if there is more, `whole` if there is not. */
export type Reading =
  | { readonly name: 'loading' | 'partly' | 'whole' }
  | { readonly name: 'failed'; readonly reason: string };

/** Newest first. Dispatches `change`. */
export class Library extends EventTarget {
  private list: readonly Summary[] = [];
  /** Taken out here, though the API may still know of them. */
  private readonly withheld = new Set<string>();
  private filter: Filter | undefined;
  private cursor: string | undefined;
  private how: Reading = { name: 'loading' };
  private asking = new AbortController();

  constructor(
    private readonly api: ApiClient,
    private readonly watcher: Watcher,
  ) {
    super();
    watcher.addEventListener('image', (event) => {
      if (event instanceof ImageEvent) this.update(event.image);
    });
    watcher.addEventListener('gone', (event) => {
      if (event instanceof GoneEvent) this.remove(event.imageId);
    });
  }

  get images(): readonly Summary[] {
    return this.list;
  }

  get reading(): Reading {
    return this.how;
  }

  /** Reads the history from its beginning, as a filter wants it. */
  show(filter: Filter): void {
    this.filter = filter;
    this.cursor = undefined;
    this.list = [];
    this.asking.abort();
    this.asking = new AbortController();
    void this.read(this.asking.signal);
  }

  /** Reads on, if there is more and nothing is being read. */
  more(): void {
    if (this.how.name === 'partly') void this.read(this.asking.signal);
  }

  /** Reads on after a failure. */
  again(): void {
    if (this.how.name === 'failed') void this.read(this.asking.signal);
  }

  /** Puts in what was uploaded just now, if the filter would show it. */
  add(image: Summary): void {
    if (!this.filter || !isEverything(this.filter) || this.find(image.imageId)) return;
    this.list = [image, ...this.list];
    this.changed();
  }

  find(imageId: string): Summary | undefined {
    return this.list.find((image) => image.imageId === imageId);
  }

  /** Takes over what is new of a picture, if it is shown. */
  update(image: Summary): void {
    const index = this.list.findIndex(({ imageId }) => imageId === image.imageId);
    if (index < 0) return;
    if (image.status === 'DELETED') {
      this.remove(image.imageId);
      return;
    }
    // The dimensions stay: what the browser measured is the picture as it is seen, and nothing may jump.
    const { width, height } = this.list[index] ?? {};
    const seen = width && height ? { width, height } : {};
    this.list = this.list.with(index, { ...this.list[index], ...image, ...seen });
    this.changed();
  }

  /** Takes a picture out; it stays out until it is put back. */
  remove(imageId: string): void {
    this.withheld.add(imageId);
    const rest = this.list.filter((image) => image.imageId !== imageId);
    if (rest.length === this.list.length) return;
    this.list = rest;
    this.changed();
  }

  /** Puts a picture back that was taken out, where it belongs by its time. */
  putBack(image: Summary): void {
    this.withheld.delete(image.imageId);
    if (this.find(image.imageId)) return;
    const index = this.list.findIndex((other) => other.createdAt <= image.createdAt);
    this.list = this.list.toSpliced(index < 0 ? this.list.length : index, 0, image);
    this.changed();
  }

  private async read(signal: AbortSignal): Promise<void> {
    if (!this.filter) return;
    this.how = { name: 'loading' };
    this.changed();
    try {
      for (let page = 0, found = 0; page < PAGES_IN_A_ROW && found === 0; page += 1) {
        const { images, nextCursor } = await this.api.listImages(this.filter, this.cursor, signal);
        signal.throwIfAborted();
        found = this.append(images);
        this.cursor = nextCursor;
        if (!nextCursor) break;
      }
      this.how = { name: this.cursor ? 'partly' : 'whole' };
    } catch (error) {
      if (signal.aborted) return;
      const known = error instanceof ApiError || error instanceof NetworkError;
      if (!known && !(error instanceof Error && error.name === 'SignedOutError')) console.error(error);
      this.how = { name: 'failed', reason: known ? error.message : text.unexpected };
    }
    this.changed();
  }

  /** How many of a page's pictures are new to the gallery. */
  private append(images: readonly Summary[]): number {
    const known = new Set([...this.withheld, ...this.list.map(({ imageId }) => imageId)]);
    // What awaits its upload is another tab's, or was given up: there is nothing to show yet.
    const fresh = images.filter(({ imageId, status }) => !known.has(imageId) && status !== 'AWAITING_UPLOAD');
    this.list = [...this.list, ...fresh];
    for (const { imageId } of fresh.filter(({ status }) => !isFinal(status))) this.watcher.watch(imageId);
    return fresh.length;
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
