// The files given to the page and what becomes of each: checked, uploaded, watched, ended. Components only show this.
import type { ApiClient } from '../api/client';
import { ApiError, NetworkError, SignedOutError } from '../api/problem';
import type { Summary } from '../api/types';
import type { Library } from '../library/library';
import type { Views } from '../library/views';
import { GoneEvent, ImageEvent, WaitEvent, type Watcher } from '../library/watcher';
import { text } from '../text';
import { announcedName, checkDimensions, checkFile, HEIC } from './checks';
import { type Dimensions, measure } from './dimensions';
import { convertHeic } from './heic';
import { Slots } from './slots';
import { writeUnfinished } from './unfinished';
import { UploadError, uploadFile } from './upload';

/** How many files are on their way to storage at the same time. */
const UPLOADS = 3;

/** Where one file stands, with what there is to say about it. */
export type Stage =
  | { readonly name: 'waiting' | 'preparing' | 'converting' }
  /** `sent` is a fraction, 0 to 1. */
  | { readonly name: 'uploading'; readonly sent: number }
  | { readonly name: 'looking'; readonly slow: boolean; readonly unreachable: boolean }
  | { readonly name: 'labeled'; readonly image: Summary }
  /** The file is at fault, found here or by the service. */
  | { readonly name: 'rejected'; readonly reason: string; readonly advice?: string }
  /** The file is not at fault: it can be uploaded again. */
  | { readonly name: 'failed'; readonly reason: string };

/** A file in the queue. Replaced, never changed, so that a component sees by identity what to draw again. */
export interface Item {
  /** Ours, not the API's: there before the API knows of the picture, and unique though a file comes twice. */
  readonly key: number;
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly stage: Stage;
  readonly imageId?: string;
}

/** A change of one item; `before` is absent when it is new, `after` when it is gone. */
export class ItemChange extends Event {
  constructor(
    readonly before: Item | undefined,
    readonly after: Item | undefined,
  ) {
    super('change');
  }
}

const ON_THE_WAY: readonly Stage['name'][] = ['waiting', 'preparing', 'converting', 'uploading'];
const ENDED: readonly Stage['name'][] = ['labeled', 'rejected', 'failed'];

/** Whether leaving the page now would lose this one. */
export const isOnTheWay = ({ stage }: Item): boolean => ON_THE_WAY.includes(stage.name);
export const isEnded = ({ stage }: Item): boolean => ENDED.includes(stage.name);

/** All files given to the page, in their order. Dispatches an `ItemChange` named `change` for each step of each. */
export class Queue extends EventTarget {
  private readonly entries = new Map<number, Item>();
  private readonly files = new Map<number, File>();
  private readonly running = new Map<number, AbortController>();
  private readonly byImage = new Map<string, number>();
  private readonly slots = new Slots(UPLOADS);
  private lastKey = 0;
  private held = false;

  constructor(
    private readonly api: ApiClient,
    private readonly watcher: Watcher,
    private readonly library: Library,
    private readonly views: Views,
  ) {
    super();
    watcher.addEventListener('image', (event) => event instanceof ImageEvent && event.ended && this.end(event.image));
    watcher.addEventListener('wait', (event) => {
      if (!(event instanceof WaitEvent)) return;
      const { slow, unreachable } = event;
      this.updateImage(event.imageId, { name: 'looking', slow, unreachable });
    });
    watcher.addEventListener('gone', (event) => {
      if (event instanceof GoneEvent) this.updateImage(event.imageId, { name: 'failed', reason: text.deleted });
    });
  }

  get items(): readonly Item[] {
    return [...this.entries.values()];
  }

  /** Whether what still waits is held back. */
  get paused(): boolean {
    return this.held;
  }

  /** Takes files in. */
  add(files: Iterable<File>): void {
    for (const file of files) {
      this.lastKey += 1;
      const item: Item = {
        key: this.lastKey,
        name: announcedName(file.name),
        size: file.size,
        stage: { name: 'waiting' },
      };
      this.files.set(item.key, file);
      this.entries.set(item.key, item);
      this.dispatchEvent(new ItemChange(undefined, item));
      void this.run(item.key, file);
    }
    this.remember();
  }

  /** Holds back what waits; what is on its way goes on. */
  pause(): void {
    this.held = true;
    this.slots.pause();
  }

  resume(): void {
    this.held = false;
    this.slots.resume();
  }

  /** Uploads a file that failed once more. */
  retry(key: number): void {
    const file = this.files.get(key);
    if (this.entries.get(key)?.stage.name !== 'failed' || !file) return;
    this.update(key, { stage: { name: 'waiting' } });
    this.remember();
    void this.run(key, file);
  }

  /** Takes a file out, and stops it if it is on its way; what is stored stays stored. */
  remove(key: number): void {
    const item = this.entries.get(key);
    if (!item) return;
    this.running.get(key)?.abort();
    this.running.delete(key);
    this.files.delete(key);
    this.entries.delete(key);
    if (item.imageId && isOnTheWay(item)) this.forgetImage(item.imageId);
    this.dispatchEvent(new ItemChange(item, undefined));
    this.remember();
  }

  /** Takes out whatever is not yet stored. */
  cancelAll(): void {
    for (const item of this.items.filter(isOnTheWay)) this.remove(item.key);
    this.resume();
  }

  /** Takes out whatever has ended. */
  clear(): void {
    for (const item of this.items.filter(isEnded)) this.remove(item.key);
  }

  private async run(key: number, file: File): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.running.set(key, controller);
    try {
      const finding = await checkFile(file);
      signal.throwIfAborted();
      if ('refusal' in finding) this.update(key, { stage: { name: 'rejected', reason: finding.refusal } });
      else await this.slots.run(() => this.upload(key, file, finding.contentType, signal));
    } catch (error) {
      if (signal.aborted) return;
      const known = [ApiError, NetworkError, UploadError, SignedOutError].some((kind) => error instanceof kind);
      // A defect of ours: the person gets a sentence, the console the rest.
      if (!known) console.error(error);
      const item = this.entries.get(key);
      if (item?.imageId) this.forgetImage(item.imageId);
      const reason = known && error instanceof Error ? error.message : text.unexpected;
      this.update(key, { stage: { name: 'failed', reason } });
    } finally {
      if (this.running.get(key) === controller) this.running.delete(key);
      this.remember();
    }
  }

  private async upload(key: number, given: File, contentType: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const file = contentType === HEIC ? await this.convert(key, given, signal) : given;
    if (!file) return;
    this.update(key, { stage: { name: 'preparing' } });
    const preview = URL.createObjectURL(file);
    let imageId: string | undefined;
    let dimensions: Dimensions | undefined;
    try {
      dimensions = await measure(preview);
      signal.throwIfAborted();
      const refusal = dimensions && checkDimensions(dimensions.width, dimensions.height);
      if (refusal) {
        this.update(key, { stage: { name: 'rejected', reason: refusal } });
        return;
      }
      await uploadFile(this.api, file, {
        contentType: file === given ? contentType : file.type,
        signal,
        onImageId: (id) => {
          imageId = id;
          this.byImage.set(id, key);
          this.update(key, { imageId: id, stage: { name: 'uploading', sent: 0 } });
          // What this browser cannot show is seen by its thumbnail, once there is one.
          if (dimensions) this.views.keepLocal(id, preview);
          this.library.add(announced(id, file, dimensions));
        },
        onProgress: (sent) => this.update(key, { stage: { name: 'uploading', sent } }),
      });
    } finally {
      if (!imageId || !dimensions) URL.revokeObjectURL(preview);
    }
    if (!imageId) return;
    this.update(key, { stage: { name: 'looking', slow: false, unreachable: false } });
    this.watcher.watch(imageId);
  }

  private async convert(key: number, file: File, signal: AbortSignal): Promise<File | undefined> {
    this.update(key, { stage: { name: 'converting' } });
    const converted = await convertHeic(file, signal);
    signal.throwIfAborted();
    if (converted instanceof File) return converted;
    this.update(key, { stage: { name: 'rejected', reason: converted.refusal } });
    return undefined;
  }

  private end(image: Summary): void {
    this.updateImage(image.imageId, endOf(image));
  }

  private forgetImage(imageId: string): void {
    this.watcher.unwatch(imageId);
    this.library.remove(imageId);
    this.views.forget(imageId);
    this.byImage.delete(imageId);
  }

  /** For a file's picture; not for one that was uploaded elsewhere, nor once more after its end. */
  private updateImage(imageId: string, stage: Stage): void {
    const key = this.byImage.get(imageId);
    if (key === undefined) return;
    if (ENDED.includes(stage.name)) {
      this.byImage.delete(imageId);
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

  /** What failed is lost with the page too: only here can it be tried again. */
  private remember(): void {
    const lost = this.items.filter((item) => isOnTheWay(item) || item.stage.name === 'failed');
    writeUnfinished(lost.map(({ name }) => name));
  }
}

/** What is known of a picture before the API says anything of it. */
function announced(imageId: string, file: File, dimensions: Dimensions | undefined): Summary {
  const now = new Date().toISOString();
  return {
    imageId,
    status: 'AWAITING_UPLOAD',
    fileName: announcedName(file.name),
    size: file.size,
    format: null,
    width: dimensions?.width ?? null,
    height: dimensions?.height ?? null,
    modelVersion: null,
    createdAt: now,
    updatedAt: now,
    labels: [],
    thumbnails: [],
  };
}

function endOf(image: Summary): Stage {
  switch (image.status) {
    case 'LABELED':
      return { name: 'labeled', image };
    case 'REJECTED':
      return {
        name: 'rejected',
        reason: image.error?.message || text.rejected,
        advice: text.advice[image.error?.name ?? ''] ?? text.adviceOtherwise,
      };
    default:
      return { name: 'failed', reason: text.failed };
  }
}
