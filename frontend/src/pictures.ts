// The pictures in view and what becomes of each: checked, uploaded, watched, ended. The components only show this.
import type { ApiClient } from './api/client';
import { ApiError, NetworkError, SignedOutError } from './api/problem';
import type { Image } from './api/types';
import { watchImage } from './poll';
import { text } from './text';
import { checkDimensions, checkFile } from './upload/checks';
import { type Dimensions, measure } from './upload/dimensions';
import { Slots } from './upload/slots';
import { UploadError, uploadFile } from './upload/upload';

/** How many files are on their way to storage at the same time. */
const UPLOADS = 3;

/** Where one picture stands, with what there is to say about it. */
export type Stage =
  | { readonly name: 'waiting' | 'preparing' }
  /** `sent` is a fraction, 0 to 1. */
  | { readonly name: 'uploading'; readonly sent: number }
  | { readonly name: 'looking'; readonly slow: boolean; readonly unreachable: boolean }
  | { readonly name: 'labeled'; readonly image: Image }
  /** The file is at fault, found here or by the service. */
  | { readonly name: 'rejected'; readonly reason: string; readonly advice?: string }
  /** The file is not at fault: it can be uploaded again if it is still at hand, otherwise asked for again. */
  | { readonly name: 'failed'; readonly reason: string; readonly again: 'upload' | 'check' | undefined };

/** A picture in view. Replaced, never changed, so that a component sees by identity what to draw again. */
export interface Picture {
  /** Ours, not the API's: there before the API knows of the picture, and unique though a file comes twice. */
  readonly key: number;
  readonly name: string;
  readonly stage: Stage;
  /** In bytes. */
  readonly size?: number;
  readonly imageId?: string;
  /** An object URL of the chosen file. */
  readonly preview?: string;
  readonly dimensions?: Dimensions;
}

/** A change of one picture; `before` is absent when it is new, `after` when it is gone. */
export class PictureChange extends Event {
  constructor(
    readonly before: Picture | undefined,
    readonly after: Picture | undefined,
  ) {
    super('change');
  }
}

/** All pictures in view, newest first. Dispatches a `PictureChange` named `change` for each step of each. */
export class Pictures extends EventTarget {
  private list: readonly Picture[] = [];
  private readonly files = new Map<number, File>();
  private readonly running = new Map<number, AbortController>();
  private readonly slots = new Slots(UPLOADS);
  private lastKey = 0;

  constructor(private readonly api: ApiClient) {
    super();
  }

  get all(): readonly Picture[] {
    return this.list;
  }

  /** Whether leaving the page now would lose an upload. */
  get uploading(): boolean {
    return this.list.some(({ stage }) => ['waiting', 'preparing', 'uploading'].includes(stage.name));
  }

  /** Takes files in: the first of them ends up on top. */
  add(files: Iterable<File>): void {
    for (const file of [...files].reverse()) {
      const key = this.insert({ name: file.name || text.unnamed, size: file.size, stage: { name: 'waiting' } });
      this.files.set(key, file);
      void this.run(key, (signal) => this.upload(key, file, signal));
    }
  }

  /** Shows pictures that were uploaded before, unless they are in view already. */
  restore(imageIds: readonly string[]): void {
    const known = new Set(this.list.map((picture) => picture.imageId));
    for (const imageId of imageIds.filter((id) => !known.has(id)).reverse()) {
      const key = this.insert({ name: text.unnamed, imageId, stage: { name: 'preparing' } });
      void this.run(key, (signal) => this.watch(key, imageId, false, signal));
    }
  }

  /** Does again what failed: uploads the file once more, or asks for the picture once more. */
  again(key: number): void {
    const picture = this.find(key);
    const file = this.files.get(key);
    if (picture?.stage.name !== 'failed') return;
    const { imageId } = picture;
    if (picture.stage.again === 'upload' && file) {
      this.update(key, { stage: { name: 'waiting' } });
      void this.run(key, (signal) => this.upload(key, file, signal));
    } else if (picture.stage.again === 'check' && imageId) {
      this.update(key, { stage: { name: 'preparing' } });
      void this.run(key, (signal) => this.watch(key, imageId, false, signal));
    }
  }

  /** Takes a picture out of view and stops what is under way for it; what is stored stays stored. */
  remove(key: number): void {
    const picture = this.find(key);
    if (!picture) return;
    this.running.get(key)?.abort();
    this.running.delete(key);
    this.files.delete(key);
    this.list = this.list.filter((other) => other.key !== key);
    if (picture.preview) URL.revokeObjectURL(picture.preview);
    this.dispatchEvent(new PictureChange(picture, undefined));
  }

  private async upload(key: number, file: File, signal: AbortSignal): Promise<void> {
    const finding = await checkFile(file);
    signal.throwIfAborted();
    if ('refusal' in finding) return this.update(key, { stage: { name: 'rejected', reason: finding.refusal } });
    const preview = this.find(key)?.preview ?? URL.createObjectURL(file);
    this.update(key, { preview });

    const imageId = await this.slots.run(async () => {
      signal.throwIfAborted();
      this.update(key, { stage: { name: 'preparing' } });
      const dimensions = await measure(preview);
      signal.throwIfAborted();
      if (dimensions) this.update(key, { dimensions });
      const refusal = dimensions && checkDimensions(dimensions.width, dimensions.height);
      if (refusal) return this.update(key, { stage: { name: 'rejected', reason: refusal } });
      await uploadFile(this.api, file, {
        contentType: finding.contentType,
        signal,
        onImageId: (id) => this.update(key, { imageId: id }),
        onProgress: (sent) => this.update(key, { stage: { name: 'uploading', sent } }),
      });
      return this.find(key)?.imageId;
    });
    if (imageId) await this.watch(key, imageId, true, signal);
  }

  private async watch(key: number, imageId: string, stored: boolean, signal: AbortSignal): Promise<void> {
    this.update(key, { stage: { name: 'looking', slow: false, unreachable: false } });
    const image = await watchImage(async (poll) => this.learn(key, await this.api.getImage(imageId, poll)), {
      signal,
      stored,
      onWait: (wait) => this.update(key, { stage: { name: 'looking', ...wait } }),
    });
    this.update(key, { stage: this.end(image, this.files.has(key)) });
  }

  /** Takes from a record what is not known yet of a picture that was uploaded before. */
  private learn(key: number, image: Image): Image {
    const { fileName, size, width, height } = image;
    // A file at hand knows better: the browser measures it after EXIF orientation.
    if (this.files.has(key)) return image;
    this.update(key, {
      ...(fileName ? { name: fileName } : {}),
      ...(size ? { size } : {}),
      ...(width && height ? { dimensions: { width, height } } : {}),
    });
    return image;
  }

  private end(image: Image, atHand: boolean): Stage {
    switch (image.status) {
      case 'LABELED':
        return { name: 'labeled', image };
      case 'REJECTED':
        return {
          name: 'rejected',
          reason: image.error?.message || text.rejected,
          advice: text.advice[image.error?.name ?? ''] ?? text.adviceOtherwise,
        };
      case 'DELETED':
        return { name: 'failed', reason: text.deleted, again: undefined };
      case 'AWAITING_UPLOAD':
        return { name: 'failed', reason: text.neverArrived, again: undefined };
      default:
        return { name: 'failed', reason: text.failed, again: atHand ? 'upload' : 'check' };
    }
  }

  /** Runs one picture's work and turns whatever it throws into a stage with a sentence. */
  private async run(key: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    this.running.set(key, controller);
    try {
      await work(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return;
      const known = [ApiError, NetworkError, SignedOutError, UploadError].some((kind) => error instanceof kind);
      // A defect of ours: the person gets a sentence, the console the rest.
      if (!known) console.error(error);
      const atHand = this.files.has(key);
      if (error instanceof ApiError && error.status === 404 && !atHand) {
        this.update(key, { stage: { name: 'failed', reason: text.notFound, again: undefined } });
      } else {
        const reason = known && error instanceof Error ? error.message : text.unexpected;
        this.update(key, { stage: { name: 'failed', reason, again: atHand ? 'upload' : 'check' } });
      }
    } finally {
      if (this.running.get(key) === controller) this.running.delete(key);
    }
  }

  private insert(picture: Omit<Picture, 'key'>): number {
    this.lastKey += 1;
    const added = { ...picture, key: this.lastKey };
    this.list = [added, ...this.list];
    this.dispatchEvent(new PictureChange(undefined, added));
    return added.key;
  }

  private find(key: number): Picture | undefined {
    return this.list.find((picture) => picture.key === key);
  }

  private update(key: number, change: Partial<Omit<Picture, 'key'>>): undefined {
    const before = this.find(key);
    if (!before) return;
    const after = { ...before, ...change };
    this.list = this.list.map((picture) => (picture === before ? after : picture));
    this.dispatchEvent(new PictureChange(before, after));
  }
}
