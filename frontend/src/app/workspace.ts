// The state behind the signed-in page, for one person. Creates the router, the API client, the library, the timeline,
// uploads, downloads, deletions, label corrections, settings and their job, and exports. Connects them, and offers the
// actions of the view. It does not know any elements.
import { ApiClient } from '../api/client';
import type { Filter } from '../api/filter';
import { ImageUrls } from '../api/image-urls';
import { JobTracker } from '../api/job-tracker';
import type { Order } from '../api/listing';
import { messageFor } from '../api/problem';
import type { Summary } from '../api/types';
import { ImageEvent, Watcher } from '../api/watcher';
import { type DownloadState, Downloads } from '../download/downloads';
import { readBoxes, writeBoxes } from '../gallery/box-visibility';
import { DeletionFailedEvent, Deletions, UNDO_TIME } from '../gallery/deletions';
import { Library } from '../gallery/library';
import { type RelabelResult, relabelAll } from '../gallery/relabeling';
import { NOTHING_SELECTED, prune, type Selection } from '../gallery/selection';
import { TimelineMonths } from '../gallery/timeline-months';
import { CorrectedEvent, Corrector, correctionProblem, type UndoableEvent } from '../labels/corrector';
import { SettingsStore } from '../labels/settings-store';
import { lastDayOf, monthOf } from '../shared/local-time';
import { text } from '../shared/text';
import type { Session } from '../sign-in/session';
import type { FilesEvent } from '../upload/files-event';
import { ItemChange, isUnfinished, Queue } from '../upload/queue';
import { readUnfinished, type Unfinished, writeUnfinished } from '../upload/unfinished';
import { writeAddress } from './address';
import { announcement, downloadAnnouncement, exportAnnouncement, selectionAnnouncement } from './announcements';
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

/** Dispatches `change` when there is something to render, `filter` when another filter or order applies, `refresh` when pictures may have other labels, `toast` and `announce`. */
export class Workspace extends EventTarget {
  readonly router: Router;
  readonly api: ApiClient;
  readonly watcher: Watcher;
  readonly urls: ImageUrls;
  readonly library: Library;
  readonly queue: Queue;
  readonly downloads: Downloads;
  /** The job that applies new settings. There is at most one: a new job replaces a running one. */
  readonly jobs: JobTracker;
  /** The export that was started last. */
  readonly exports: JobTracker;
  readonly corrector: Corrector;
  readonly settings: SettingsStore;
  readonly timeline: TimelineMonths;
  private readonly deletions: Deletions;
  private selected = NOTHING_SELECTED;
  private showsBoxes = readBoxes();
  private appliedFilter = '';
  private announcedDownload: DownloadState | undefined;
  private interruptedUploads: Unfinished | undefined = readUnfinished();

  /** Stops when `signal` is aborted. */
  constructor(
    private readonly session: Session,
    private readonly signal: AbortSignal,
  ) {
    super();
    this.router = new Router(signal);
    this.api = new ApiClient(API_BASE, session);
    this.watcher = new Watcher(this.api);
    this.urls = new ImageUrls(this.api);
    this.library = new Library(this.api, this.watcher);
    this.queue = new Queue(this.api, this.watcher, this.library, this.urls);
    this.downloads = new Downloads(this.api);
    this.deletions = new Deletions(this.api, this.library, signal);
    this.jobs = new JobTracker(this.api, 'REFILTER');
    this.exports = new JobTracker(this.api, 'EXPORT');
    this.corrector = new Corrector(this.api, signal);
    this.settings = new SettingsStore(this.api, this.jobs, signal);
    this.timeline = new TimelineMonths(this.api);
    this.corrector.addEventListener('corrected', (event) => event instanceof CorrectedEvent && this.corrected(event), {
      signal,
    });
    this.jobs.addEventListener('change', () => this.changed(), { signal });
    this.jobs.addEventListener('ended', () => this.labelsChanged(), { signal });
    void this.jobs.resume(signal);
    this.exports.addEventListener('change', () => this.changed(), { signal });
    this.exports.addEventListener('ended', () => this.exportEnded(), { signal });
    void this.exports.resume(signal);
    this.router.addEventListener('change', () => this.navigated(), { signal });
    this.library.addEventListener('change', () => this.libraryChanged(), { signal });
    this.timeline.addEventListener('change', () => this.changed(), { signal });
    this.watcher.addEventListener('image', (event) => event instanceof ImageEvent && this.imageWatched(event), {
      signal,
    });
    this.queue.addEventListener('change', (event) => event instanceof ItemChange && this.uploadChanged(event), {
      signal,
    });
    this.downloads.addEventListener('change', () => this.downloadChanged(), { signal });
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

  get selection(): Selection {
    return this.selected;
  }

  /** The selected pictures, in the order of the gallery. */
  get selectedImages(): readonly Summary[] {
    const { ids } = this.selected;
    return ids.size > 0 ? this.library.images.filter(({ imageId }) => ids.has(imageId)) : [];
  }

  /** Whether tiles show the boxes of the labels in the search. */
  get boxes(): boolean {
    return this.showsBoxes;
  }

  /** Whether closing the page now would lose uploads or a download. */
  get isBusy(): boolean {
    return this.isUploading || this.downloads.isRunning;
  }

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
    writeAddress({ ...this.router.address, view: { name: 'picture', imageId } });

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

  orderBy(order: Order): void {
    this.router.go({ order });
  }

  /** Shows the pictures from a month on, down to the oldest ones; `undefined` for the newest month. */
  goToMonth(month: string | undefined): void {
    const { filter } = this.router.address;
    const to = month === undefined || month === this.timeline.months[0] ? undefined : lastDayOf(month);
    // The way back does not lead through all months that the person has looked at.
    const isNext = filter.to !== undefined && to !== undefined;
    this.router.go({ filter: { ...filter, to } }, isNext ? 'replace' : 'push');
  }

  /** Shows or hides boxes on tiles, now and later. */
  showBoxes(shown: boolean): void {
    this.showsBoxes = shown;
    writeBoxes(shown);
    if (shown && this.router.address.filter.labels.length > 0) this.library.refresh({ boxes: true });
    this.changed();
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
    const undo = this.deletions.delete([images[index] ?? image]);
    if (index >= 0 && neighbor) this.turnTo(neighbor.imageId);
    else this.router.close();
    this.offerUndo(text.deletedToast(nameOf(image)), undo, image.imageId);
  }

  select(selection: Selection): void {
    const sentence = selectionAnnouncement(this.selected, selection);
    this.selected = selection;
    if (sentence) this.announce(sentence);
    this.changed();
  }

  /** Deletes the selected pictures, and offers to undo that. */
  deleteSelected(): void {
    this.deleteAll(this.selectedImages);
  }

  /** Deletes pictures, and offers to undo that. */
  deleteAll(images: readonly Summary[]): void {
    const [first] = images;
    if (!first) return;
    const undo = this.deletions.delete(images);
    const sentence = images.length === 1 ? text.deletedToast(nameOf(first)) : text.selection.deleted(images.length);
    this.offerUndo(sentence, undo);
  }

  /** Downloads the selected pictures as one ZIP. Call it for a click or a key. */
  downloadSelected(): void {
    void this.downloads.start(this.selectedImages, text.download.zipName(new Date()));
  }

  /** Cancels the running export, and forgets it. */
  async cancelExport(): Promise<void> {
    try {
      await this.exports.cancel();
      this.exports.dismiss();
    } catch (error) {
      if (!this.signal.aborted) this.toast({ sentence: messageFor(error), duration: 2 * UNDO_TIME });
    }
  }

  /** Labels pictures again, and clears the selection. */
  async relabel(images: readonly Summary[]): Promise<void> {
    this.select(NOTHING_SELECTED);
    const result = await relabelAll(images, this.api, this.watcher, this.library, this.signal);
    if (!this.signal.aborted) this.relabeled(result, images.length);
  }

  /** Loads the library again, after all its pictures were deleted. */
  reload(): void {
    this.timeline.clear();
    this.show();
  }

  async signOut(): Promise<void> {
    this.queue.cancelAll();
    this.downloads.cancel();
    // Deletions need the tokens, so send them before signing out.
    await this.deletions.flush().catch((error) => console.warn('Pictures could not be deleted.', error));
    writeUnfinished([]);
    await this.session.signOut();
  }

  /** Says what was done with labels, and offers to undo it. */
  offerLabelUndo({ sentence, undo }: UndoableEvent): void {
    const action = undo && { label: text.undo, run: () => void this.undoLabels(undo) };
    this.toast({ sentence, duration: UNDO_TIME, ...(action ? { action } : {}) });
  }

  private async undoLabels(undo: () => Promise<void>): Promise<void> {
    try {
      await undo();
    } catch (error) {
      if (this.signal.aborted) return;
      this.toast({ sentence: text.corrections.notUndone(correctionProblem(error)), duration: 2 * UNDO_TIME });
    }
  }

  /** Says what was deleted, and offers to undo it. See `undo` for `imageId`. */
  private offerUndo(sentence: string, undo: () => boolean, imageId?: string): void {
    this.toast({
      sentence,
      duration: UNDO_TIME,
      action: { label: text.undo, run: () => this.undo(undo, imageId) },
    });
  }

  /** Undoes a deletion. If the large view is open, it shows the picture with this id. */
  private undo(undo: () => boolean, imageId?: string): void {
    if (!undo()) this.toast({ sentence: text.tooLate, duration: UNDO_TIME });
    else if (imageId !== undefined && this.router.address.view.name === 'picture') this.turnTo(imageId);
  }

  private notDeleted({ failures, total }: DeletionFailedEvent): void {
    const [first] = failures;
    const reasons = messagesFor(failures.map(({ cause }) => cause));
    const sentence =
      total === 1 && first
        ? text.notDeleted(nameOf(first.image), reasons.join(' '))
        : text.selection.notDeleted(failures.length, total, reasons);
    this.toast({ sentence, duration: 2 * UNDO_TIME });
  }

  /** Pictures may have other labels now. */
  private labelsChanged(): void {
    this.library.refresh();
    this.dispatchEvent(new Event('refresh'));
    // Only these views show the result of the job. It would be out of date when they are opened later.
    const { name } = this.router.address.view;
    if (name !== 'settings' && name !== 'labels') this.jobs.dismiss();
  }

  private corrected({ image }: CorrectedEvent): void {
    const known = this.library.find(image.imageId);
    if (!known) return;
    // The boxes, which only the list has, are still those of the model.
    const boxesOf = (name: string) => known.labels.find((label) => label.name === name)?.instances;
    const labels = image.labels.map((label) => {
      const instances = boxesOf(label.name);
      return instances ? { ...label, instances } : label;
    });
    this.library.update({ ...known, labels });
  }

  private imageWatched({ image, isResult }: ImageEvent): void {
    if (isResult) this.timeline.add(monthOf(image.time));
  }

  private relabeled({ started, causes }: RelabelResult, total: number): void {
    const failed = causes.length > 0;
    // All pictures were deleted meanwhile.
    if (started === 0 && !failed) return;
    const sentence = failed
      ? text.selection.notRelabeled(started, total, messagesFor(causes))
      : text.selection.relabeling(started);
    this.toast({ sentence, duration: failed ? 2 * UNDO_TIME : UNDO_TIME });
  }

  private libraryChanged(): void {
    const { ids } = this.selected;
    if (ids.size > 0) {
      this.selected = prune(this.selected, new Set(this.library.images.map(({ imageId }) => imageId)));
    }
    this.changed();
  }

  private uploadChanged({ before, after }: ItemChange): void {
    const sentence = announcement(before, after);
    if (sentence) this.announce(sentence);
    this.changed();
  }

  private downloadChanged(): void {
    const { state } = this.downloads;
    const sentence = downloadAnnouncement(this.announcedDownload, state);
    this.announcedDownload = state;
    if (sentence) this.announce(sentence);
    this.changed();
  }

  private exportEnded(): void {
    const { job } = this.exports;
    if (job) this.announce(exportAnnouncement(job));
  }

  private navigated(): void {
    this.applyFilter();
    this.changed();
  }

  private applyFilter(): void {
    const wanted = writeAddress({ ...this.router.address, view: { name: 'library' } });
    if (wanted === this.appliedFilter) return;
    this.appliedFilter = wanted;
    this.show();
    this.dispatchEvent(new Event('filter'));
  }

  private show(): void {
    const { filter, order } = this.router.address;
    this.library.show({ filter, order, boxes: this.showsBoxes });
    void this.timeline.load(this.signal);
  }

  private stop(): void {
    this.watcher.stop();
    this.jobs.stop();
    this.exports.stop();
    this.queue.cancelAll();
    this.downloads.cancel();
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

function nameOf({ fileName }: Summary): string {
  return fileName || text.unnamed;
}

/** The messages for errors, each once. */
function messagesFor(causes: readonly unknown[]): readonly string[] {
  return [...new Set(causes.map((cause) => messageFor(cause)))];
}
