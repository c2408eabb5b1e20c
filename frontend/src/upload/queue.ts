// The files that were given to the page: each is checked, uploaded, and watched until it has a result.
import type { ApiClient } from '../api/client';
import type { ImageUrls } from '../api/image-urls';
import { messageFor } from '../api/problem';
import { isVideo as isVideoImage, type Summary } from '../api/types';
import { GoneEvent, ImageEvent, WaitEvent, type Watcher } from '../api/watcher';
import type { Library } from '../gallery/library';
import { ConcurrencyLimiter } from '../shared/concurrency-limiter';
import { localTime } from '../shared/local-time';
import { text } from '../shared/text';
import { checkDimensions, checkFile, isInParts, isVideo, sanitizedName } from './checks';
import { type Dimensions, measure } from './dimensions';
import { durationOf } from './duration';
import type { SavedUploads } from './saved-uploads';
import { writeUnfinished } from './unfinished';
import { uploadFile } from './upload';
import type { Waiting } from './upload-parts';

/** How many files are uploaded at the same time. */
const CONCURRENT_UPLOADS = 3;

/** The state of one file. */
export type Stage =
  | { readonly name: 'waiting' | 'preparing' }
  /** `sent` is a fraction, 0 to 1. `waiting`: what the upload waits for before it continues. */
  | { readonly name: 'uploading'; readonly sent: number; readonly waiting: Waiting | undefined }
  | { readonly name: 'labeling'; readonly slow: boolean; readonly unreachable: boolean }
  | { readonly name: 'labeled'; readonly image: Summary }
  /** A picture in the library has the same file. */
  | { readonly name: 'duplicate'; readonly existingImageId: string }
  /** The file cannot be labeled. */
  | { readonly name: 'rejected'; readonly reason: string; readonly advice?: string }
  /** Something else went wrong. The file can be uploaded again. */
  | { readonly name: 'failed'; readonly reason: string };

/** A file in the queue. Items are immutable: components compare them by identity. */
export interface Item {
  /** Identifies the item in this queue: before the API knows the picture, and when a file is added twice. */
  readonly key: number;
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly stage: Stage;
  readonly imageId?: string;
  /** Whether the upload can be continued after a reload. */
  readonly inParts?: true;
}

/** A change of one item. `before` is `undefined` for a new item, `after` for a removed one. */
export class ItemChange extends Event {
  constructor(
    readonly before: Item | undefined,
    readonly after: Item | undefined,
  ) {
    super('change');
  }
}

const UNFINISHED: readonly Stage['name'][] = ['waiting', 'preparing', 'uploading'];
const FINISHED: readonly Stage['name'][] = ['labeled', 'duplicate', 'rejected', 'failed'];

/** Whether closing the page now would lose this file. */
export const isUnfinished = ({ stage }: Item): boolean => UNFINISHED.includes(stage.name);
export const isFinished = ({ stage }: Pick<Item, 'stage'>): boolean => FINISHED.includes(stage.name);

/** All files given to the page, in their order. Dispatches an `ItemChange` named `change` for each change of a file. */
export class Queue extends EventTarget {
  private readonly entries = new Map<number, Item>();
  private readonly files = new Map<number, File>();
  private readonly running = new Map<number, AbortController>();
  /** Files that the person uploads although the library has them. */
  private readonly insisted = new Set<number>();
  private readonly keyOfImage = new Map<string, number>();
  private readonly limiter = new ConcurrencyLimiter(CONCURRENT_UPLOADS);
  private minutesLeft: number | undefined;
  private lastKey = 0;
  private isPaused = false;

  constructor(
    private readonly api: ApiClient,
    private readonly watcher: Watcher,
    private readonly library: Library,
    private readonly urls: ImageUrls,
    private readonly saved: SavedUploads,
  ) {
    super();
    watcher.addEventListener('image', (event) => {
      if (event instanceof ImageEvent && event.isResult) this.updateImage(event.image.imageId, resultOf(event.image));
    });
    watcher.addEventListener('wait', (event) => {
      if (!(event instanceof WaitEvent)) return;
      const { slow, unreachable } = event;
      this.updateImage(event.imageId, { name: 'labeling', slow, unreachable });
    });
    watcher.addEventListener('gone', (event) => {
      if (event instanceof GoneEvent) this.updateImage(event.imageId, { name: 'failed', reason: text.deleted });
    });
  }

  get items(): readonly Item[] {
    return [...this.entries.values()];
  }

  /** The minutes of video that could still be labeled today when the last video was added. */
  get videoMinutesLeft(): number | undefined {
    return this.minutesLeft;
  }

  /** Whether queued files are held back. */
  get paused(): boolean {
    return this.isPaused;
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      this.lastKey += 1;
      const item: Item = {
        key: this.lastKey,
        name: sanitizedName(file.name),
        size: file.size,
        stage: { name: 'waiting' },
      };
      this.files.set(item.key, file);
      this.entries.set(item.key, item);
      this.dispatchEvent(new ItemChange(undefined, item));
      void this.run(item.key, file);
    }
    this.saveUnfinished();
  }

  /** Holds back queued files. Running uploads continue. */
  pause(): void {
    this.isPaused = true;
    this.limiter.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.limiter.resume();
  }

  /** Uploads a failed file again. */
  retry(key: number): void {
    if (this.entries.get(key)?.stage.name === 'failed') this.restart(key);
  }

  /** Uploads files that the library already has. */
  uploadAnyway(keys: readonly number[]): void {
    for (const key of keys.filter((key) => this.entries.get(key)?.stage.name === 'duplicate')) {
      this.insisted.add(key);
      this.restart(key);
    }
  }

  /** Removes a file, and cancels its upload. A stored file stays stored. */
  remove(key: number): void {
    const item = this.entries.get(key);
    if (!item) return;
    const { imageId, inParts, stage } = item;
    // Failed ones, too: they could be continued.
    if (imageId && inParts && (isUnfinished(item) || stage.name === 'failed')) void this.cancelUpload(imageId);
    this.drop(item);
  }

  /** Removes a file from the list. */
  private drop(item: Item): void {
    const { key } = item;
    this.running.get(key)?.abort();
    this.running.delete(key);
    this.files.delete(key);
    this.insisted.delete(key);
    this.entries.delete(key);
    if (item.imageId && isUnfinished(item)) this.forgetImage(item.imageId);
    this.dispatchEvent(new ItemChange(item, undefined));
    this.saveUnfinished();
  }

  /** Removes all files that are not stored yet. */
  cancelAll(): void {
    for (const item of this.items.filter(isUnfinished)) this.remove(item.key);
    this.resume();
  }

  /** Deletes the parts of an upload that have arrived. */
  async cancelUpload(imageId: string): Promise<void> {
    await this.saved.forget(imageId);
    // If the service cannot be reached, S3 deletes the parts after one to two days.
    await this.api.deleteImage(imageId, true).catch((error) => console.info('The upload is not deleted yet.', error));
  }

  /** Ends all uploads. Those in parts can be continued. */
  stop(): void {
    for (const controller of this.running.values()) controller.abort();
  }

  /** Removes all finished files. Failed multipart uploads can still be continued after a reload. */
  clear(): void {
    for (const item of this.items.filter(isFinished)) this.drop(item);
  }

  private restart(key: number): void {
    const file = this.files.get(key);
    if (!file) return;
    this.update(key, { stage: { name: 'waiting' } });
    this.saveUnfinished();
    void this.run(key, file);
  }

  private async run(key: number, file: File): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.running.set(key, controller);
    try {
      const result = await checkFile(file);
      signal.throwIfAborted();
      if ('rejection' in result) this.update(key, { stage: { name: 'rejected', reason: result.rejection } });
      else await this.limiter.run(() => this.upload(key, file, result.contentType, signal));
    } catch (error) {
      if (signal.aborted) return;
      const item = this.entries.get(key);
      if (item?.imageId) this.forgetImage(item.imageId);
      this.update(key, { stage: { name: 'failed', reason: messageFor(error) } });
    } finally {
      if (this.running.get(key) === controller) this.running.delete(key);
      this.saveUnfinished();
    }
  }

  private async upload(key: number, file: File, contentType: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.update(key, { stage: { name: 'preparing' } });
    const inParts = isInParts(contentType, file.size);
    let preview = URL.createObjectURL(file);
    let imageId: string | undefined;
    let dimensions: Dimensions | undefined;
    const progress: { sent: number; waiting: Waiting | undefined } = { sent: 0, waiting: undefined };
    const report = (change: Partial<typeof progress>): void => {
      Object.assign(progress, change);
      this.update(key, { stage: { name: 'uploading', ...progress } });
    };
    try {
      dimensions = isVideo(contentType) ? undefined : await measure(preview);
      signal.throwIfAborted();
      const rejection = dimensions && checkDimensions(dimensions.width, dimensions.height);
      if (rejection) {
        this.update(key, { stage: { name: 'rejected', reason: rejection } });
        return;
      }
      const durationMs = isVideo(contentType) ? await durationOf(preview) : undefined;
      signal.throwIfAborted();
      const existingImageId = await uploadFile(this.api, file, {
        contentType,
        durationMs,
        signal,
        saved: this.saved,
        // The API still has a picture that was just deleted, because that can be undone. The person does not see it anymore.
        allowDuplicate: (existing) => this.insisted.has(key) || this.library.isRemoved(existing),
        onImageId: (id) => {
          if (imageId) {
            // The first upload expired, so nothing will be stored under its id.
            this.forgetImage(imageId);
            if (dimensions) preview = URL.createObjectURL(file);
          }
          imageId = id;
          this.watcher.expectUpload(id);
          this.keyOfImage.set(id, key);
          this.update(key, { imageId: id, ...(inParts ? { inParts } : {}) });
          report({ sent: 0 });
          this.saveUnfinished();
          // A file that this browser cannot display appears when it has a thumbnail.
          if (dimensions) this.urls.setLocal(id, preview);
          this.library.add(newSummary(id, file, contentType, dimensions));
        },
        onMinutesLeft: (minutes) => {
          this.minutesLeft = minutes ?? this.minutesLeft;
        },
        onProgress: (sent) => report({ sent }),
        // Most calls change nothing, and each report updates the page.
        onWaiting: (waiting) => waiting !== progress.waiting && report({ waiting }),
      });
      if (existingImageId) {
        // The first presigned URL expired, so nothing was stored under its id.
        if (imageId) this.forgetImage(imageId);
        this.update(key, { stage: { name: 'duplicate', existingImageId } });
        return;
      }
    } finally {
      if (!imageId || !dimensions) URL.revokeObjectURL(preview);
    }
    if (!imageId) return;
    this.update(key, { stage: { name: 'labeling', slow: false, unreachable: false } });
    this.watcher.watchUpload(imageId);
  }

  private forgetImage(imageId: string): void {
    this.watcher.unwatch(imageId);
    this.library.remove(imageId);
    this.urls.remove(imageId);
    this.keyOfImage.delete(imageId);
  }

  /** Updates the item of a picture. Ignores pictures of other pages and pictures that already have a result. */
  private updateImage(imageId: string, stage: Stage): void {
    const key = this.keyOfImage.get(imageId);
    if (key === undefined) return;
    if (FINISHED.includes(stage.name)) {
      this.keyOfImage.delete(imageId);
      if (stage.name !== 'failed') this.files.delete(key);
    }
    this.update(key, { stage });
  }

  private update(key: number, change: Partial<Omit<Item, 'key'>>): void {
    const before = this.entries.get(key);
    if (!before) return;
    const after = { ...before, ...change };
    this.entries.set(key, after);
    this.dispatchEvent(new ItemChange(before, after));
  }

  /**
   * Saves the files that closing the page would lose. Failed ones are included: only this page can retry them. Uploads in
   * parts are saved elsewhere.
   */
  private saveUnfinished(): void {
    const unfinished = this.items.filter(
      (item) => !item.inParts && (isUnfinished(item) || item.stage.name === 'failed'),
    );
    writeUnfinished(
      unfinished.map(({ name }) => name),
      this.items.some((item) => item.inParts && isUnfinished(item)),
    );
  }
}

/** What the page knows of a picture before the API lists it. */
function newSummary(imageId: string, file: File, contentType: string, dimensions: Dimensions | undefined): Summary {
  const date = new Date();
  const now = date.toISOString();
  return {
    imageId,
    status: 'AWAITING_UPLOAD',
    type: isVideo(contentType) ? 'VIDEO' : 'PICTURE',
    fileName: sanitizedName(file.name),
    size: file.size,
    format: null,
    width: dimensions?.width ?? null,
    height: dimensions?.height ?? null,
    modelVersion: null,
    createdAt: now,
    updatedAt: now,
    time: localTime(date),
    labels: [],
    thumbnails: [],
  };
}

function resultOf(image: Summary): Stage {
  switch (image.status) {
    case 'LABELED':
      return { name: 'labeled', image };
    case 'REJECTED':
      return {
        name: 'rejected',
        reason: image.error?.message || text.rejected,
        advice: text.adviceFor(image.error?.name, isVideoImage(image)),
      };
    default:
      return { name: 'failed', reason: text.failed };
  }
}
