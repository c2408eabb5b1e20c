// The pictures in the gallery: the part of the history that is loaded, with later changes.

import { type ApiClient, MAX_IDS, PAGE_SIZE } from '../api/client';
import { type Filter, isUnfiltered } from '../api/filter';
import { compare, type Listing } from '../api/listing';
import { messageFor, UserFacingError } from '../api/problem';
import { isFinal, type LabelSummary, type Summary } from '../api/types';
import { GoneEvent, ImageEvent, type Watcher } from '../api/watcher';
import { matchingLabels } from './caption';

/** How many pages are loaded in a row until one has new pictures. A filtered page can be empty and still have a cursor. */
const MAX_PAGES = 20;

/** A list that was left longer ago is loaded again, in milliseconds: pictures may have changed in another tab or device. */
const MAX_AGE = 60_000;

/** Whether the history is loaded: `partial` if there are more pages. */
export type LoadState =
  | { readonly name: 'loading' | 'partial' | 'complete' }
  | { readonly name: 'failed'; readonly reason: string };

/** The part of a list that is loaded. */
export interface Loaded {
  readonly images: readonly Summary[];
  /** Where the rest starts, if there is one. */
  readonly cursor: string | undefined;
  /** Whether its pictures have the boxes of their labels. */
  readonly boxes: boolean;
  /** Whether it was still to be loaded again. */
  readonly isOutdated: boolean;
  /** When it was left, in milliseconds, by the clock of `performance.now`. */
  readonly leftAt: number;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Pictures keep their places until the list is loaded again, although labeling finds out when a picture was taken. Those
 * that this page uploads come first until then, and in any case until they have a result. Dispatches `change`.
 */
export class Library extends EventTarget {
  private list: readonly Summary[] = [];
  /** Pictures that this page has uploaded since the list was loaded, or that have no result. First uploaded first. */
  private readonly uploads = new Map<string, Summary>();
  private uploadIds: ReadonlySet<string> = NONE;
  /** Pictures removed here that the API can still return, with the filter at their removal. */
  private readonly removed = new Map<string, Filter | undefined>();
  private listing: Listing | undefined;
  private cursor: string | undefined;
  private state: LoadState = { name: 'loading' };
  private request = new AbortController();
  /** Set while what is loaded is being loaded again. */
  private refreshing: AbortSignal | undefined;
  /** Whether that has failed. */
  private isOutdated = false;
  /** When pictures were added or changed last, so that lists that were left before have to be loaded again. */
  private changedAt = 0;

  constructor(
    private readonly api: ApiClient,
    private readonly watcher: Watcher,
  ) {
    super();
    watcher.addEventListener('image', (event) => {
      if (!(event instanceof ImageEvent)) return;
      this.update(event.image);
      if (event.isResult) void this.loadBoxes(event.image.imageId);
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

  /** For `show`. */
  get loaded(): Loaded {
    return {
      images: this.list,
      cursor: this.cursor,
      boxes: Boolean(this.listing?.boxes),
      isOutdated: this.isOutdated || this.isRefreshing,
      leftAt: performance.now(),
    };
  }

  /** The pictures that come first because they were just uploaded. The same set as long as it does not change. */
  get justUploaded(): ReadonlySet<string> {
    return this.showsAll ? this.uploadIds : NONE;
  }

  /**
   * Loads a list from its start. With `loaded`, shows what was loaded of it before, and loads that again if it can be out of
   * date.
   */
  show(listing: Listing, loaded?: Loaded): void {
    this.listing = listing;
    this.cursor = undefined;
    this.isOutdated = false;
    for (const [imageId, { status }] of this.uploads) {
      if (isFinal(status) || this.removed.has(imageId)) this.uploads.delete(imageId);
    }
    this.uploadIds = new Set(this.uploads.keys());
    this.list = this.showsAll ? [...this.uploads.values()].reverse() : [];
    this.request.abort();
    this.request = new AbortController();
    if (!loaded || loaded.images.length === 0) {
      void this.load(this.request.signal);
      return;
    }
    const hidden = new Set([...this.removed.keys(), ...this.list.map(({ imageId }) => imageId)]);
    this.list = [...this.list, ...loaded.images.filter(({ imageId }) => !hidden.has(imageId))];
    this.cursor = loaded.cursor;
    this.state = { name: loaded.cursor ? 'partial' : 'complete' };
    // Results that arrived meanwhile are not in what was loaded before.
    for (const { imageId, status } of loaded.images)
      if (!hidden.has(imageId) && !isFinal(status)) this.watcher.watch(imageId);
    this.changed();
    if (!this.isCurrent(loaded)) this.refresh();
  }

  /** Says that pictures have changed that the library may not know. Those that it knows are given to `update`. */
  picturesChanged(): void {
    this.changedAt = performance.now();
  }

  /** Whether a part of a list needs not be loaded again. That can take many requests. */
  private isCurrent({ boxes, isOutdated, leftAt }: Loaded): boolean {
    const isRecent = leftAt > this.changedAt && performance.now() - leftAt < MAX_AGE;
    return isRecent && !isOutdated && (boxes || !this.listing?.boxes);
  }

  private get isRefreshing(): boolean {
    return this.refreshing !== undefined && !this.refreshing.aborted;
  }

  /** Loads the next page, if there is one and nothing is being loaded. */
  loadMore(): void {
    if (this.state.name === 'partial' && !this.isRefreshing) void this.load(this.request.signal);
  }

  /** Continues after a failure. */
  retry(): void {
    if (this.state.name !== 'failed') return;
    if (this.isOutdated) this.refresh();
    else void this.load(this.request.signal);
  }

  /** Adds a picture that is being uploaded. It is shown if there is no filter. */
  add(image: Summary): void {
    if (this.find(image.imageId)) return;
    this.picturesChanged();
    this.uploads.set(image.imageId, image);
    this.uploadIds = new Set(this.uploads.keys());
    if (!this.showsAll) return;
    this.list = [image, ...this.list];
    this.changed();
  }

  find(imageId: string): Summary | undefined {
    return this.list.find((image) => image.imageId === imageId);
  }

  /**
   * Loads the boxes of a picture's labels that match the filter, if boxes are shown: only the list has them, and not the
   * pictures that are updated. Without boxes if that fails: they are only a help.
   */
  async loadBoxes(imageId: string): Promise<void> {
    const { listing, request } = this;
    const image = this.find(imageId);
    if (!listing?.boxes || !image) return;
    const wanted = matchingLabels(image.labels, listing.filter).map(({ name }) => name);
    if (wanted.length === 0) return;
    try {
      const { labels } = await this.api.getImage(imageId, request.signal);
      const found = new Map(labels.map(({ name, instances }) => [name, instances]));
      const known = this.find(imageId);
      if (!known || request.signal.aborted) return;
      this.update({
        ...known,
        labels: known.labels.map((label) => {
          const instances = wanted.includes(label.name) ? found.get(label.name) : undefined;
          return instances ? { ...label, instances } : label;
        }),
      });
    } catch (error) {
      if (!request.signal.aborted && !(error instanceof UserFacingError)) console.error(error);
    }
  }

  /** Updates a picture, if it is known. Its labels keep the boxes that they have. */
  update(image: Summary): void {
    this.picturesChanged();
    const { imageId } = image;
    const index = this.list.findIndex((other) => other.imageId === imageId);
    const known = this.list[index] ?? this.uploads.get(imageId);
    if (!known) return;
    if (image.status === 'DELETED') {
      this.remove(imageId);
      return;
    }
    // The time is the picture's place in the list.
    const labels = image.labels.map((label) => withKnownBoxes(label, known));
    const updated = withKnownDimensions({ ...known, ...image, labels, time: known.time }, known);
    if (this.uploads.has(imageId)) this.uploads.set(imageId, updated);
    if (index < 0) return;
    this.list = this.list.with(index, updated);
    this.changed();
  }

  /** Removes pictures until they are restored. */
  remove(...imageIds: readonly string[]): void {
    for (const imageId of imageIds) this.removed.set(imageId, this.listing?.filter);
    const rest = this.list.filter(({ imageId }) => !this.removed.has(imageId));
    if (rest.length === this.list.length) return;
    this.list = rest;
    this.changed();
  }

  isRemoved(imageId: string): boolean {
    return this.removed.has(imageId);
  }

  /**
   * Removes all results, also those that are not loaded, until they are restored or the list is loaded again. Keeps pictures that
   * are being uploaded. Returns the ids of the loaded ones.
   */
  removeAll(): readonly string[] {
    this.picturesChanged();
    this.request.abort();
    this.request = new AbortController();
    this.refreshing = undefined;
    this.cursor = undefined;
    this.state = { name: 'complete' };
    const removed = this.list.flatMap(({ imageId, status }) => (status === 'AWAITING_UPLOAD' ? [] : [imageId]));
    for (const imageId of removed) this.removed.set(imageId, this.listing?.filter);
    this.list = this.list.filter(({ imageId }) => !this.removed.has(imageId));
    this.changed();
    return removed;
  }

  /** Restores what `removeAll` has removed: loads the list again. */
  restoreAll(imageIds: readonly string[]): void {
    this.picturesChanged();
    for (const imageId of imageIds) this.removed.delete(imageId);
    if (this.listing) this.show(this.listing);
  }

  /** Restores removed pictures at their places. */
  restore(...images: readonly Summary[]): void {
    this.picturesChanged();
    const { listing } = this;
    const isOtherFilter = images.some(
      ({ imageId }) => this.removed.has(imageId) && this.removed.get(imageId) !== listing?.filter,
    );
    for (const { imageId } of images) this.removed.delete(imageId);
    if (listing && isOtherFilter) {
      // Only the API knows which of the pictures match this filter.
      this.refresh();
      return;
    }
    const comparator = this.comparator();
    for (const image of images) {
      // Results that arrived meanwhile were ignored. The watcher would give up a picture whose upload takes long.
      if (image.status !== 'AWAITING_UPLOAD') this.watcher.watch(image.imageId);
      if (this.find(image.imageId)) continue;
      const index = this.list.findIndex((other) => comparator(image, other) < 0);
      this.list = this.list.toSpliced(index < 0 ? this.list.length : index, 0, image);
    }
    this.changed();
  }

  /**
   * Loads again what is loaded, because pictures may have other labels or match the filter now, or with `boxes` to get
   * those. Nothing moves meanwhile.
   */
  refresh(change: Partial<Pick<Listing, 'boxes'>> = {}): void {
    this.picturesChanged();
    if (!this.listing) return;
    const listing = { ...this.listing, ...change };
    if (this.state.name === 'loading' || this.list.length === 0) {
      this.show(listing);
      return;
    }
    this.request.abort();
    this.request = new AbortController();
    this.listing = listing;
    void this.reload(listing, this.request.signal);
  }

  private async reload(listing: Listing, signal: AbortSignal): Promise<void> {
    this.isOutdated = false;
    this.refreshing = signal;
    const wanted = this.list.length - this.justUploaded.size;
    const loaded: Summary[] = [];
    let cursor: string | undefined;
    try {
      for (let pages = Math.ceil(wanted / PAGE_SIZE) + MAX_PAGES; pages > 0; pages -= 1) {
        const page = await this.api.listImages(listing, cursor, signal);
        signal.throwIfAborted();
        loaded.push(...page.images);
        cursor = page.nextCursor;
        if (!cursor || loaded.length >= wanted) break;
      }
      loaded.push(...(await this.findUploads(loaded, signal)));
    } catch (error) {
      if (signal.aborted) return;
      this.refreshing = undefined;
      this.isOutdated = true;
      this.state = { name: 'failed', reason: messageFor(error) };
      this.changed();
      return;
    }
    this.refreshing = undefined;
    // Pictures that are being uploaded or labeled are not in a filtered list yet.
    const ids = new Set(loaded.map(({ imageId }) => imageId));
    const before = new Map(this.list.map((image) => [image.imageId, image]));
    const running = this.list.filter(({ imageId, status }) => !isFinal(status) && !ids.has(imageId));
    this.list = running;
    this.append(loaded);
    this.list = this.list
      .map((image) => withKnownDimensions(image, before.get(image.imageId)))
      .toSorted(this.comparator());
    this.cursor = cursor;
    this.state = { name: cursor ? 'partial' : 'complete' };
    this.changed();
  }

  /** The pictures among those just uploaded that a part of the list does not contain: they can be older than it reaches. */
  private async findUploads(loaded: readonly Summary[], signal: AbortSignal): Promise<readonly Summary[]> {
    const listed = new Set(loaded.map(({ imageId }) => imageId));
    const wanted = [...this.justUploaded].filter((imageId) => !listed.has(imageId) && this.find(imageId));
    const found: Summary[] = [];
    for (let start = 0; start < wanted.length; start += MAX_IDS) {
      found.push(...(await this.api.getImages(wanted.slice(start, start + MAX_IDS), signal)));
      signal.throwIfAborted();
    }
    return found.filter(({ status }) => status !== 'AWAITING_UPLOAD');
  }

  private async load(signal: AbortSignal): Promise<void> {
    if (!this.listing) return;
    this.state = { name: 'loading' };
    this.changed();
    try {
      for (let page = 0, found = 0; page < MAX_PAGES && found === 0; page += 1) {
        const { images, nextCursor } = await this.api.listImages(this.listing, this.cursor, signal);
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

  /** Whether there is no filter. */
  private get showsAll(): boolean {
    return this.listing !== undefined && isUnfiltered(this.listing.filter);
  }

  /** Compares the places of two pictures: negative if the first comes before the second one. */
  private comparator(): (one: Summary, other: Summary) => number {
    const { listing } = this;
    const uploads = new Map([...this.justUploaded].map((imageId, place) => [imageId, place]));
    const uploadOf = ({ imageId }: Summary) => uploads.get(imageId) ?? -1;
    return (one, other) => uploadOf(other) - uploadOf(one) || (listing ? compare(one, other, listing) : 0);
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** Keeps the boxes of a label, which only the list has. */
function withKnownBoxes(label: LabelSummary, { labels }: Summary): LabelSummary {
  const instances = label.instances ?? labels.find(({ name }) => name === label.name)?.instances;
  return instances ? { ...label, instances } : label;
}

/** Keeps the dimensions that are known, which the browser may have measured, so that the layout does not change. */
function withKnownDimensions(image: Summary, known: Summary | undefined): Summary {
  const { width, height } = known ?? {};
  return width && height ? { ...image, width, height } : image;
}
