// The pictures in the gallery: the part of the history that is loaded, with later changes.

import { type ApiClient, PAGE_SIZE } from '../api/client';
import { type Filter, isUnfiltered } from '../api/filter';
import { messageFor } from '../api/problem';
import { isFinal, type Summary } from '../api/types';
import { GoneEvent, ImageEvent, type Watcher } from '../api/watcher';

/** How many pages are loaded in a row until one has new pictures. A filtered page can be empty and still have a cursor. */
const MAX_PAGES = 20;

/** Whether the history is loaded: `partial` if there are more pages. */
export type LoadState =
  | { readonly name: 'loading' | 'partial' | 'complete' }
  | { readonly name: 'failed'; readonly reason: string };

/** Newest picture first. Dispatches `change`. */
export class Library extends EventTarget {
  private list: readonly Summary[] = [];
  /** Pictures removed here that the API can still return, with the filter at their removal. */
  private readonly removed = new Map<string, Filter | undefined>();
  private filter: Filter | undefined;
  private cursor: string | undefined;
  private state: LoadState = { name: 'loading' };
  private request = new AbortController();
  /** Whether loading again what is loaded has failed. */
  private isOutdated = false;

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

  get loadState(): LoadState {
    return this.state;
  }

  /** Loads the history from its start, with a filter. */
  show(filter: Filter): void {
    this.filter = filter;
    this.cursor = undefined;
    this.isOutdated = false;
    this.list = [];
    this.request.abort();
    this.request = new AbortController();
    void this.load(this.request.signal);
  }

  /** Loads the next page, if there is one and nothing is being loaded. */
  loadMore(): void {
    if (this.state.name === 'partial') void this.load(this.request.signal);
  }

  /** Continues after a failure. */
  retry(): void {
    if (this.state.name !== 'failed') return;
    if (this.isOutdated) this.refresh();
    else void this.load(this.request.signal);
  }

  /** Adds a new picture, if there is no filter. */
  add(image: Summary): void {
    if (!this.filter || !isUnfiltered(this.filter) || this.find(image.imageId)) return;
    this.list = [image, ...this.list];
    this.changed();
  }

  find(imageId: string): Summary | undefined {
    return this.list.find((image) => image.imageId === imageId);
  }

  /** Updates a picture, if it is loaded. */
  update(image: Summary): void {
    const index = this.list.findIndex(({ imageId }) => imageId === image.imageId);
    if (index < 0) return;
    if (image.status === 'DELETED') {
      this.remove(image.imageId);
      return;
    }
    // Keep the dimensions that the browser has measured, so that the layout does not change.
    const { width, height } = this.list[index] ?? {};
    const measured = width && height ? { width, height } : {};
    this.list = this.list.with(index, { ...this.list[index], ...image, ...measured });
    this.changed();
  }

  /** Removes pictures until they are restored. */
  remove(...imageIds: readonly string[]): void {
    for (const imageId of imageIds) this.removed.set(imageId, this.filter);
    const rest = this.list.filter(({ imageId }) => !this.removed.has(imageId));
    if (rest.length === this.list.length) return;
    this.list = rest;
    this.changed();
  }

  isRemoved(imageId: string): boolean {
    return this.removed.has(imageId);
  }

  /** Restores removed pictures at their places. */
  restore(...images: readonly Summary[]): void {
    const { filter } = this;
    const isOtherFilter = images.some(
      ({ imageId }) => this.removed.has(imageId) && this.removed.get(imageId) !== filter,
    );
    for (const { imageId } of images) this.removed.delete(imageId);
    if (filter && isOtherFilter) {
      // Only the API knows which of the pictures match this filter.
      this.show(filter);
      return;
    }
    for (const image of images) {
      // Results that arrived meanwhile were ignored. The watcher would give up a picture whose upload takes long.
      if (image.status !== 'AWAITING_UPLOAD') this.watcher.watch(image.imageId);
      if (this.find(image.imageId)) continue;
      const index = this.list.findIndex((other) => !isNewer(other, image));
      this.list = this.list.toSpliced(index < 0 ? this.list.length : index, 0, image);
    }
    this.changed();
  }

  /** Loads again what is loaded, because pictures may have other labels or match the filter now. Nothing moves meanwhile. */
  refresh(): void {
    if (!this.filter || this.state.name === 'loading' || this.list.length === 0) {
      if (this.filter) this.show(this.filter);
      return;
    }
    this.request.abort();
    this.request = new AbortController();
    void this.reload(this.filter, this.request.signal);
  }

  private async reload(filter: Filter, signal: AbortSignal): Promise<void> {
    this.isOutdated = false;
    const wanted = this.list.length;
    const loaded: Summary[] = [];
    let cursor: string | undefined;
    try {
      for (let pages = Math.ceil(wanted / PAGE_SIZE) + MAX_PAGES; pages > 0; pages -= 1) {
        const page = await this.api.listImages(filter, cursor, signal);
        signal.throwIfAborted();
        loaded.push(...page.images);
        cursor = page.nextCursor;
        if (!cursor || loaded.length >= wanted) break;
      }
    } catch (error) {
      if (signal.aborted) return;
      this.isOutdated = true;
      this.state = { name: 'failed', reason: messageFor(error) };
      this.changed();
      return;
    }
    // Pictures that are being uploaded or labeled are not in a filtered list yet.
    const ids = new Set(loaded.map(({ imageId }) => imageId));
    const before = new Map(this.list.map((image) => [image.imageId, image]));
    const running = this.list.filter(({ imageId, status }) => !isFinal(status) && !ids.has(imageId));
    this.list = running;
    this.append(loaded);
    this.list = this.list
      .map((image) => {
        const { width, height } = before.get(image.imageId) ?? {};
        return width && height ? { ...image, width, height } : image;
      })
      .toSorted((one, other) => (isNewer(one, other) ? -1 : 1));
    this.cursor = cursor;
    this.state = { name: cursor ? 'partial' : 'complete' };
    this.changed();
  }

  private async load(signal: AbortSignal): Promise<void> {
    if (!this.filter) return;
    this.state = { name: 'loading' };
    this.changed();
    try {
      for (let page = 0, found = 0; page < MAX_PAGES && found === 0; page += 1) {
        const { images, nextCursor } = await this.api.listImages(this.filter, this.cursor, signal);
        signal.throwIfAborted();
        found = this.append(images);
        this.cursor = nextCursor;
        if (!nextCursor) break;
      }
      this.state = { name: this.cursor ? 'partial' : 'complete' };
    } catch (error) {
      if (signal.aborted) return;
      this.state = { name: 'failed', reason: messageFor(error) };
    }
    this.changed();
  }

  /** Adds a page. Returns how many of its pictures are new. */
  private append(images: readonly Summary[]): number {
    const known = new Set([...this.removed.keys(), ...this.list.map(({ imageId }) => imageId)]);
    // A picture that awaits its upload belongs to another tab or was canceled. There is nothing to show yet.
    const added = images.filter(({ imageId, status }) => !known.has(imageId) && status !== 'AWAITING_UPLOAD');
    this.list = [...this.list, ...added];
    for (const { imageId } of added.filter(({ status }) => !isFinal(status))) this.watcher.watch(imageId);
    return added.length;
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** Whether a picture is before another one in the API's order: by time, then by id. */
function isNewer(one: Summary, other: Summary): boolean {
  if (one.createdAt !== other.createdAt) return one.createdAt > other.createdAt;
  return one.imageId > other.imageId;
}
