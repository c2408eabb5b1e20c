// The state behind the signed-in page, for one person. Creates the router, the API client, the library, the upload queue
// and the deletions, connects them, and offers the actions of the view. It does not know any elements.
import { ApiClient } from '../api/client';
import type { Filter } from '../api/filter';
import { ImageUrls } from '../api/image-urls';
import { messageFor } from '../api/problem';
import type { Summary } from '../api/types';
import { Watcher } from '../api/watcher';
import { DeletionFailedEvent, Deletions, UNDO_TIME } from '../gallery/deletions';
import { Library } from '../gallery/library';
import { text } from '../shared/text';
import type { Session } from '../sign-in/session';
import type { FilesEvent } from '../upload/files-event';
import { ItemChange, isUnfinished, Queue } from '../upload/queue';
import { readUnfinished, type Unfinished, writeUnfinished } from '../upload/unfinished';
import { writeAddress } from './address';
import { announcement } from './announcements';
import { Router } from './router';
import type { Toast } from './toasts';

/** The page and the API have the same origin. */
const API_BASE = `${location.origin}/api`;
/** The next page of the history is loaded this many pictures before the end of the loaded ones. */
const PREFETCH = 5;

/** A short notice; dispatched as `toast`. */
export class ToastEvent extends Event {
  constructor(readonly toast: Toast) {
    super('toast');
  }
}

/** A sentence for screen readers; dispatched as `announce`. */
export class AnnounceEvent extends Event {
  constructor(readonly sentence: string) {
    super('announce');
  }
}

/** Dispatches `change` when there is something to render, `filter` when another filter applies, `toast` and `announce`. */
export class Workspace extends EventTarget {
  readonly router: Router;
  readonly api: ApiClient;
  readonly watcher: Watcher;
  readonly urls: ImageUrls;
  readonly library: Library;
  readonly queue: Queue;
  private readonly deletions: Deletions;
  private appliedFilter = '';
  private interruptedUploads: Unfinished | undefined = readUnfinished();

  /** Stops when `signal` is aborted. */
  constructor(
    private readonly session: Session,
    signal: AbortSignal,
  ) {
    super();
    this.router = new Router(signal);
    this.api = new ApiClient(API_BASE, session);
    this.watcher = new Watcher(this.api);
    this.urls = new ImageUrls(this.api);
    this.library = new Library(this.api, this.watcher);
    this.queue = new Queue(this.api, this.watcher, this.library, this.urls);
    this.deletions = new Deletions(this.api, this.library, signal);
    this.router.addEventListener('change', () => this.navigated(), { signal });
    this.library.addEventListener('change', () => this.changed(), { signal });
    this.queue.addEventListener('change', (event) => event instanceof ItemChange && this.uploadChanged(event), {
      signal,
    });
    this.deletions.addEventListener(
      'failed',
      (event) => event instanceof DeletionFailedEvent && this.notDeleted(event),
      {
        signal,
      },
    );
    signal.addEventListener('abort', () => this.stop());
    this.applyFilter();
  }

  /** Uploads that a reload of the page interrupted. */
  get interrupted(): Unfinished | undefined {
    return this.interruptedUploads;
  }

  /** Whether closing the page now would lose uploads. */
  get isUploading(): boolean {
    return this.queue.items.some(isUnfinished);
  }

  /** How much of each running upload is sent, 0 to 1, by image id. */
  get uploading(): ReadonlyMap<string, number> {
    const uploading = new Map<string, number>();
    for (const { imageId, stage } of this.queue.items) {
      if (imageId && stage.name === 'uploading') uploading.set(imageId, stage.sent);
    }
    return uploading;
  }

  /** The address of a picture's large view. */
  readonly hrefOf = (imageId: string): string =>
    writeAddress({ view: { name: 'picture', imageId }, filter: this.router.address.filter });

  /** Uploads files that were dropped, pasted or chosen. */
  addFiles({ files, skipped }: Pick<FilesEvent, 'files' | 'skipped'>): void {
    if (files.length > 0) this.queue.add(files);
    else this.announce(text.nothingDropped);
    if (skipped > 0) this.toast({ sentence: text.uploads.skipped(skipped), duration: UNDO_TIME });
    this.interruptedUploads = undefined;
    this.changed();
  }

  /** Dismisses the list of interrupted uploads. */
  forgetInterrupted(): void {
    this.interruptedUploads = undefined;
    if (!this.isUploading) writeUnfinished([]);
    this.changed();
  }

  filterBy(filter: Filter): void {
    this.router.go({ filter });
  }

  /** Opens another picture in the large view. */
  turnTo(imageId: string): void {
    this.router.go({ view: { name: 'picture', imageId } }, 'replace');
    const index = this.library.images.findIndex((image) => image.imageId === imageId);
    if (index >= this.library.images.length - PREFETCH) this.library.loadMore();
  }

  /** Deletes the open picture, offers to undo that, and opens the next picture. */
  delete(image: Summary): void {
    const { images } = this.library;
    const index = images.findIndex(({ imageId }) => imageId === image.imageId);
    const neighbor = images[index + 1] ?? images[index - 1];
    this.deletions.delete(images[index] ?? image);
    if (index >= 0 && neighbor) this.turnTo(neighbor.imageId);
    else this.router.close();
    this.toast({
      sentence: text.deletedToast(image.fileName || text.unnamed),
      duration: UNDO_TIME,
      action: { label: text.undo, run: () => this.undo(image) },
    });
  }

  /** Loads the library again, after all its pictures were deleted. */
  reload(): void {
    this.library.show(this.router.address.filter);
  }

  async signOut(): Promise<void> {
    this.queue.cancelAll();
    // Deletions need the tokens, so send them before signing out.
    await this.deletions.flush().catch((error) => console.warn('Pictures could not be deleted.', error));
    writeUnfinished([]);
    await this.session.signOut();
  }

  private undo({ imageId }: Summary): void {
    if (!this.deletions.undo(imageId)) this.toast({ sentence: text.tooLate, duration: UNDO_TIME });
    else if (this.router.address.view.name === 'picture') this.turnTo(imageId);
  }

  private notDeleted({ image, cause }: DeletionFailedEvent): void {
    const sentence = text.notDeleted(image.fileName || text.unnamed, messageFor(cause));
    this.toast({ sentence, duration: 2 * UNDO_TIME });
  }

  private uploadChanged({ before, after }: ItemChange): void {
    const sentence = announcement(before, after);
    if (sentence) this.announce(sentence);
    this.changed();
  }

  private navigated(): void {
    this.applyFilter();
    this.changed();
  }

  private applyFilter(): void {
    const { filter } = this.router.address;
    const wanted = writeAddress({ view: { name: 'library' }, filter });
    if (wanted === this.appliedFilter) return;
    this.appliedFilter = wanted;
    this.library.show(filter);
    this.dispatchEvent(new Event('filter'));
  }

  private stop(): void {
    this.watcher.stop();
    this.queue.cancelAll();
  }

  private toast(toast: Toast): void {
    this.dispatchEvent(new ToastEvent(toast));
  }

  private announce(sentence: string): void {
    this.dispatchEvent(new AnnounceEvent(sentence));
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
