// The state behind the signed-in page, for one person. Creates the router, the API client, the library, the timeline,
// uploads, downloads, deletions, label corrections, settings, and bulk jobs. Connects them, and offers the
// actions of the view. It does not know any elements.
import { ApiClient } from '../api/client';
import type { Filter } from '../api/filter';
import { ImageUrls } from '../api/image-urls';
import { JobTracker } from '../api/job-tracker';
import { JobEvent, JobTrackers } from '../api/job-trackers';
import type { Order } from '../api/listing';
import type { DeletionPreview } from '../api/preview';
import { messageFor, UserFacingError } from '../api/problem';
import type { Job, Summary } from '../api/types';
import { ImageEvent, Watcher } from '../api/watcher';
import { type DownloadState, Downloads, type Listed } from '../download/downloads';
import { readBoxes, writeBoxes } from '../gallery/box-visibility';
import { BulkDeletion, DeletionRefusedEvent, DeletionStartedEvent } from '../gallery/bulk-deletion';
import { DeletionFailedEvent, Deletions, UNDO_TIME } from '../gallery/deletions';
import { Library, type Loaded } from '../gallery/library';
import { type RelabelResult, relabelAll } from '../gallery/relabeling';
import { NOTHING_SELECTED, prune, type Selection, selectAll } from '../gallery/selection';
import { TimelineMonths } from '../gallery/timeline-months';
import { DismissedJobs } from '../jobs/dismissed-jobs';
import { isUndoable, jobAnnouncement } from '../jobs/job-panel';
import { CorrectedEvent, Corrector, correctionProblem, type UndoableEvent } from '../labels/corrector';
import { type SettingsEdits, SettingsStore } from '../labels/settings-store';
import { DataDeletion } from '../settings/data-deletion';
import type { LabelListing } from '../settings/label-groups';
import { Kept } from '../shared/kept';
import { lastDayOf, monthOf } from '../shared/local-time';
import { PausableTimers } from '../shared/pausable-timers';
import { text } from '../shared/text';
import type { Session } from '../sign-in/session';
import { fileOf } from '../upload/file-handles';
import type { FilesEvent } from '../upload/files-event';
import { ItemChange, isUnfinished, Queue } from '../upload/queue';
import { type RunningUploads, withChange } from '../upload/running-uploads';
import { isSameFile, type SavedUpload, SavedUploads } from '../upload/saved-uploads';
import { readUnfinished, type Unfinished, writeUnfinished } from '../upload/unfinished';
import { isGone } from '../upload/upload-parts';
import { writeAddress } from './address';
import {
  announcement,
  downloadAnnouncement,
  exportAnnouncement,
  resultsAnnouncement,
  selectionAnnouncement,
} from './announcements';
import { Router } from './router';
import type { Toast, ToastAction } from './toasts';

/** The page and the API have the same origin. */
const API_BASE = `${location.origin}/api`;
/** The next page of the history is loaded this many pictures before the end of the loaded ones. */
const PREFETCH = 5;

/** How many lists are kept for the way back. */
const MAX_PLACES = 20;

/** Where a list was left. */
interface Place {
  readonly loaded: Loaded;
  /** In pixels from the top of the page. */
  readonly top: number;
}

/** Another filter or order applies; dispatched as `filter`. */
export class ListEvent extends Event {
  /** `top`: where the list was left, in pixels from the top of the page. 0 for a new one. */
  constructor(readonly top: number) {
    super('filter');
  }
}

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
  private readonly saved: SavedUploads;
  readonly downloads: Downloads;
  /** The job that applies new settings. There is at most one: a new job replaces a running one. */
  readonly jobs: JobTracker;
  /** The export that was started last. */
  readonly exports: JobTracker;
  /** The job that labels pictures again. There is at most one. */
  readonly relabelJobs: JobTracker;
  /** The job that deletes all results of a search. There is at most one. */
  readonly deleteJobs: JobTracker;
  /** The import that the service's operator has started last for this person. */
  readonly importJobs: JobTracker;
  /** The jobs that change labels, or undo that. */
  readonly correctJobs: JobTrackers;
  readonly corrector: Corrector;
  readonly settings: SettingsStore;
  readonly dataDeletion: DataDeletion;
  readonly settingsEdits = new Kept<SettingsEdits | undefined>(undefined);
  readonly labelListing = new Kept<LabelListing>({ filter: '', grouping: 'category' });
  readonly selectedDuplicates = new Kept(NOTHING_SELECTED);
  readonly timeline: TimelineMonths;
  /** The time in which a change can be undone, and in which its notice is shown. */
  readonly undoTimers = new PausableTimers();
  /** Aborted when pending deletions are sent, so that nobody is offered to undo them. */
  private undoOffers = new AbortController();
  private readonly deletions: Deletions;
  private readonly bulkDeletion: BulkDeletion;
  private selected = NOTHING_SELECTED;
  /** Whether all results of the search are selected, also those that are not loaded. */
  private allFound = false;
  /** Whether the selection is that of all pictures that were loaded at that time. */
  private allLoaded = false;
  private showsBoxes = readBoxes();
  private appliedFilter = '';
  /** Where lists were left, by their addresses. */
  private readonly places = new Map<string, Place>();
  /** Whether the results of a new search are still to be announced. */
  private awaitsResults = false;
  private announcedDownload: DownloadState | undefined;
  /** The announced state of each job. */
  private readonly announcedJobs = new Map<string, string>();
  private runningUploads: RunningUploads = new Map();
  private interruptedUploads: Unfinished | undefined = readUnfinished();
  private interruptedParts: readonly SavedUpload[] = [];

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
    this.saved = new SavedUploads(session.email ?? '');
    this.queue = new Queue(this.api, this.watcher, this.library, this.urls, this.saved);
    this.downloads = new Downloads(this.api);
    this.deletions = new Deletions(this.api, this.library, this.undoTimers, signal);
    this.bulkDeletion = new BulkDeletion(this.api, this.library, this.undoTimers, signal);
    const dismissed = new DismissedJobs();
    this.jobs = new JobTracker(this.api, 'REFILTER', dismissed);
    this.exports = new JobTracker(this.api, 'EXPORT', dismissed);
    this.relabelJobs = new JobTracker(this.api, 'RELABEL', dismissed);
    this.deleteJobs = new JobTracker(this.api, 'DELETE', dismissed);
    this.importJobs = new JobTracker(this.api, 'IMPORT', dismissed);
    this.correctJobs = new JobTrackers(this.api, ['CORRECT', 'UNDO'], dismissed);
    this.corrector = new Corrector(this.api, signal);
    this.settings = new SettingsStore(this.api, this.jobs, signal);
    this.dataDeletion = new DataDeletion(this.api, signal);
    this.timeline = new TimelineMonths(this.api);
    this.corrector.addEventListener('corrected', (event) => event instanceof CorrectedEvent && this.corrected(event), {
      signal,
    });
    for (const tracker of this.trackers) tracker.addEventListener('change', () => this.changed(), { signal });
    this.jobs.addEventListener('ended', () => void this.settingsApplied(), { signal });
    this.exports.addEventListener('ended', () => this.exportEnded(), { signal });
    for (const tracker of [this.relabelJobs, this.deleteJobs, this.importJobs]) {
      tracker.addEventListener('change', () => this.bulkChanged(tracker), { signal });
      tracker.addEventListener('ended', () => this.bulkEnded(tracker), { signal });
    }
    const deletionEvent = (event: Event) => {
      if (event instanceof DeletionStartedEvent) this.deleteJobs.follow(event.jobId);
      else if (event instanceof DeletionRefusedEvent && !signal.aborted) this.deletionRefused(event.cause);
    };
    this.bulkDeletion.addEventListener('started', deletionEvent, { signal });
    this.bulkDeletion.addEventListener('refused', deletionEvent, { signal });
    const bulkEvent = (event: Event) => {
      if (!(event instanceof JobEvent)) return;
      if (event.type === 'ended') this.bulkEnded(event.tracker);
      else this.bulkChanged(event.tracker);
      this.changed();
    };
    this.correctJobs.addEventListener('change', bulkEvent, { signal });
    this.correctJobs.addEventListener('ended', bulkEvent, { signal });
    this.dataDeletion.addEventListener('ended', () => this.dataDeletionEnded(), { signal });
    void this.resumeJobs();
    void this.findSavedUploads();
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

  /** Multipart uploads that can be continued. */
  get savedUploads(): readonly SavedUpload[] {
    return this.interruptedParts;
  }

  get selection(): Selection {
    return this.selected;
  }

  /** The selected pictures, in the order of the gallery. */
  get selectedImages(): readonly Summary[] {
    const { ids } = this.selected;
    return ids.size > 0 ? this.library.images.filter(({ imageId }) => ids.has(imageId)) : [];
  }

  /** Whether all results of the search are selected, also those that are not loaded. */
  get isAllFound(): boolean {
    return this.allFound;
  }

  /** Whether the search may have results that are not loaded. */
  get hasMore(): boolean {
    return this.library.loadState.name !== 'complete';
  }

  /** Whether tiles show the boxes of the labels in the search. */
  get boxes(): boolean {
    return this.showsBoxes;
  }

  /** Whether closing the page now would lose uploads or a download, or keep a part of the data that is being deleted. */
  get isBusy(): boolean {
    return this.isUploading || this.downloads.isRunning || this.dataDeletion.isRunning;
  }

  get isUploading(): boolean {
    return this.queue.items.some(isUnfinished);
  }

  /** How much of each running upload is sent. */
  get uploading(): RunningUploads {
    return this.runningUploads;
  }

  /** The address of a picture's large view. A video starts at a time, in milliseconds. */
  readonly hrefOf = (imageId: string, startMs?: number): string =>
    writeAddress({ ...this.router.address, view: { name: 'picture', imageId, ...(startMs ? { startMs } : {}) } });

  /** Uploads files that were dropped, pasted or chosen. */
  addFiles({ files, skipped }: Pick<FilesEvent, 'files' | 'skipped'>): void {
    if (files.length > 0) this.queue.add(files);
    else this.announce(text.nothingDropped);
    if (skipped > 0) this.toast({ sentence: text.uploads.skipped(skipped), duration: UNDO_TIME });
    this.interruptedUploads = undefined;
    this.interruptedParts = this.interruptedParts.filter((saved) => !files.some((file) => isSameFile(saved, file)));
    this.changed();
  }

  /** Continues the uploads whose files the browser can read again. Call it for a click. */
  async resumeSavedUploads(): Promise<void> {
    const files = await Promise.all(
      this.interruptedParts.map(async (saved) => {
        const file = saved.handle && (await fileOf(saved.handle));
        return file && isSameFile(saved, file) ? file : undefined;
      }),
    );
    const found = files.filter((file) => file !== undefined);
    if (found.length > 0) this.addFiles({ files: found, skipped: 0 });
    // These were moved, have changed, or may not be read: they have to be chosen.
    this.interruptedParts = this.interruptedParts.map(({ handle, ...saved }) => saved);
    this.changed();
  }

  /** Cancels the uploads that could be continued. */
  cancelSavedUploads(): void {
    for (const { imageId } of this.interruptedParts) void this.queue.cancelUpload(imageId);
    this.interruptedParts = [];
    this.changed();
  }

  /** Dismisses the list of interrupted uploads. */
  forgetInterrupted(): void {
    this.interruptedUploads = undefined;
    if (!this.isUploading) writeUnfinished([]);
    this.changed();
  }

  filterBy(filter: Filter, mode: 'push' | 'replace' = 'push'): void {
    this.router.go({ filter }, mode);
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
    // This is a way through the same pictures, and not a search.
    this.awaitsResults = false;
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
    this.allFound = false;
    this.allLoaded = false;
    if (sentence) this.announce(sentence);
    this.changed();
  }

  /** Selects all loaded pictures. */
  selectLoaded(): void {
    this.select(selectAll(this.selected, this.loadedIds));
    this.allLoaded = true;
    this.changed();
  }

  /** Whether all loaded pictures are selected. Stays so while more are being loaded. */
  get isAllLoaded(): boolean {
    return (this.allLoaded && this.hasMore) || this.selected.ids.size >= this.library.images.length;
  }

  /** Selects all results of the search, also those that are not loaded. */
  selectFound(): void {
    this.select(selectAll(this.selected, this.loadedIds));
    this.allFound = true;
    this.announce(text.selection.found);
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

  /** Deletes all results of a search that were added before they were counted, and offers to undo that. */
  deleteFound(filter: Filter, { images, countedAt }: DeletionPreview): void {
    this.select(NOTHING_SELECTED);
    const undo = this.bulkDeletion.delete(filter, countedAt);
    this.offerUndo(text.deleteAll.started(images), undo);
  }

  /** Downloads the selected pictures as one ZIP. Call it for a click or a key. */
  downloadSelected(): void {
    this.download(this.selectedImages);
  }

  /** Downloads pictures as one ZIP. Call it for a click or a key. */
  download(files: readonly Listed[]): void {
    void this.downloads.start(files, text.download.zipName(new Date()));
  }

  /** Cancels the running export, and forgets it. */
  async cancelExport(): Promise<void> {
    if (await this.cancelJob(this.exports)) this.exports.dismiss();
  }

  /** Cancels a running job. Returns whether it has ended. */
  async cancelJob(tracker: JobTracker): Promise<boolean> {
    try {
      await tracker.cancel();
      return true;
    } catch (error) {
      if (!this.signal.aborted) this.toast({ sentence: messageFor(error), duration: 2 * UNDO_TIME });
      return false;
    }
  }

  /** Continues a job that has failed or was canceled. */
  async restartJob(tracker: JobTracker): Promise<void> {
    try {
      await tracker.restart();
    } catch (error) {
      if (!this.signal.aborted) this.toast({ sentence: messageFor(error), duration: 2 * UNDO_TIME });
    }
  }

  /** Whether the open view shows the job that applies settings itself, and says how it has ended. */
  get viewShowsSettingsJob(): boolean {
    const { name } = this.router.address.view;
    return name === 'settings' || name === 'labels';
  }

  /** Applies the settings to all pictures again, after the job that did so has failed or was canceled. */
  async reapplySettings(): Promise<void> {
    try {
      await this.settings.reapply();
    } catch (error) {
      if (!this.signal.aborted) this.toast({ sentence: messageFor(error), duration: 2 * UNDO_TIME });
    }
  }

  /** Undoes a job that has changed labels. */
  async undoJob(tracker: JobTracker): Promise<void> {
    const { job } = tracker;
    if (!job || !isUndoable(job)) return;
    try {
      const { jobId, kind } = await this.api.undoCorrection(job.jobId);
      tracker.dismiss();
      this.correctJobs.follow(jobId, kind);
    } catch (error) {
      if (this.signal.aborted) return;
      this.toast({ sentence: text.corrections.notUndone(messageFor(error)), duration: 2 * UNDO_TIME });
    }
  }

  /** Undoes the last job that has changed labels since the page was loaded, if it is still shown, for Ctrl+Z. */
  undoLastJob(): void {
    const last = this.correctJobs.trackers.findLast(({ job, isRestored }) => job && !isRestored && isUndoable(job));
    if (last) void this.undoJob(last);
  }

  /**
   * Sends pending deletions, which can't be undone then. Call it before a job that finds pictures by a search. Throws while a
   * job deletes pictures, because the search would find them, too.
   */
  readonly sendDeletions = async (): Promise<void> => {
    this.undoOffers.abort();
    this.undoOffers = new AbortController();
    await Promise.all([this.deletions.flush(), this.bulkDeletion.flush()]);
    if (this.deleteJobs.isRunning) throw new UserFacingError(text.deleteAll.running);
  };

  /** Labels pictures again, and clears the selection. */
  async relabel(imageIds: readonly string[]): Promise<void> {
    this.select(NOTHING_SELECTED);
    const images = imageIds.flatMap((imageId) => this.library.find(imageId) ?? []);
    const result = await relabelAll(images, this.api, this.watcher, this.library, this.signal);
    if (!this.signal.aborted) this.relabeled(result, images.length);
  }

  async signOut(): Promise<void> {
    this.queue.cancelAll();
    this.downloads.cancel();
    // Deletions need the tokens, so send them before signing out.
    await this.sendDeletions().catch((error) => console.warn('Pictures could not be deleted.', error));
    writeUnfinished([]);
    await this.saved.clear();
    await this.session.signOut();
  }

  /** Says what was done with labels, and offers to undo it. */
  offerLabelUndo({ sentence, undo }: UndoableEvent): void {
    const action = undo && this.labelUndo(undo);
    this.toast({ sentence, duration: UNDO_TIME, ...(action ? { action } : {}) });
  }

  private labelUndo(undo: () => Promise<void>): ToastAction {
    return { label: text.undo, run: () => void this.undoLabels(undo) };
  }

  /** Undoes a change of labels. If that fails, it can be repeated. */
  private async undoLabels(undo: () => Promise<void>): Promise<void> {
    try {
      await undo();
    } catch (error) {
      if (this.signal.aborted) return;
      const sentence = text.corrections.notUndone(correctionProblem(error));
      this.toast({ sentence, duration: 2 * UNDO_TIME, action: this.labelUndo(undo) });
    }
  }

  /** Says what was deleted, and offers to undo it. See `undo` for `imageId`. */
  private offerUndo(sentence: string, undo: () => boolean, imageId?: string): void {
    this.toast({
      sentence,
      duration: UNDO_TIME,
      action: { label: text.undo, run: () => this.undo(undo, imageId) },
      signal: this.undoOffers.signal,
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

  private get trackers(): readonly JobTracker[] {
    return [this.jobs, this.exports, this.relabelJobs, this.deleteJobs, this.importJobs];
  }

  private async findSavedUploads(): Promise<void> {
    const saved = await this.saved.interrupted();
    const continuable = await Promise.all(saved.map(({ imageId }) => this.canContinue(imageId)));
    if (this.signal.aborted) return;
    this.interruptedParts = saved.filter((_, index) => continuable[index]);
    if (this.interruptedParts.length > 0) this.changed();
  }

  /** Whether a saved upload can be continued. Forgets one that is complete, or that no longer exists. */
  private async canContinue(imageId: string): Promise<boolean> {
    try {
      const { complete } = await this.api.listParts(imageId, this.signal);
      if (!complete) return true;
    } catch (error) {
      // Without an answer, the person can try.
      if (!isGone(error)) return true;
    }
    await this.saved.forget(imageId);
    return false;
  }

  /** Loads the library again: pictures were deleted, also if not all of them could be. */
  private dataDeletionEnded(): void {
    this.timeline.clear();
    this.places.clear();
    this.show();
    this.settingsEdits.value = undefined;
    const { result } = this.dataDeletion;
    // The settings say it themselves.
    if (!result || this.router.address.view.name === 'settings') return;
    this.toast({ sentence: result.sentence, duration: 2 * UNDO_TIME });
    // An error is shown again in the settings.
    if (!result.bad) this.dataDeletion.forget();
  }

  private deletionRefused(cause: unknown): void {
    this.toast({ sentence: text.deleteAll.refused(messageFor(cause)), duration: 2 * UNDO_TIME });
  }

  /** Follows jobs that are running already, and shows those that have stopped, for example after the page was reloaded. */
  private async resumeJobs(): Promise<void> {
    const jobs = await this.listJobs();
    if (this.signal.aborted) return;
    for (const tracker of [...this.trackers, this.correctJobs]) tracker.resume(jobs);
  }

  private listJobs(): Promise<readonly Job[]> {
    return this.api.listJobs(this.signal).catch(() => []);
  }

  /** Announces that a job has started, or has begun to wait for the next day. */
  private bulkChanged({ job }: JobTracker): void {
    if (job?.status !== 'RUNNING') return;
    const state = job.waitsUntil ?? '';
    const isKnown = this.announcedJobs.get(job.jobId) === state;
    this.announcedJobs.set(job.jobId, state);
    // That a job continues is not announced.
    if (!isKnown && (job.waitsUntil || job.changed === 0)) this.announce(jobAnnouncement(job));
  }

  private bulkEnded({ job }: JobTracker): void {
    if (job) this.announce(jobAnnouncement(job));
    // Pictures that the job has not deleted come back.
    if (job?.kind === 'DELETE' && job.status !== 'SUCCEEDED') this.bulkDeletion.restore();
    this.labelsChanged();
  }

  /** Pictures may have other labels now, or are being labeled. */
  private labelsChanged(): void {
    this.library.refresh();
    this.dispatchEvent(new Event('refresh'));
  }

  private async settingsApplied(): Promise<void> {
    const { job } = this.jobs;
    this.labelsChanged();
    // A job is also canceled when another tab or device saves newer settings: another job applies those.
    if (job?.status === 'CANCELED') this.jobs.resume(await this.listJobs());
    if (!job || this.signal.aborted || this.jobs.job !== job || this.viewShowsSettingsJob) return;
    this.announce(jobAnnouncement(job));
    // That it has succeeded would be out of date when these views are opened later.
    if (job.status === 'SUCCEEDED') this.jobs.dismiss();
  }

  private corrected({ image }: CorrectedEvent): void {
    this.library.picturesChanged();
    const known = this.library.find(image.imageId);
    if (!known) return;
    const before = new Set(known.labels.map(({ name }) => name));
    this.library.update({ ...known, labels: image.labels });
    // Labels of the model that come back have boxes.
    if (image.labels.some(({ name, added }) => !added && !before.has(name))) void this.library.loadBoxes(image.imageId);
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
    if (this.allFound) this.selected = selectAll(NOTHING_SELECTED, this.loadedIds);
    else if (ids.size > 0) this.selected = prune(this.selected, new Set(this.loadedIds));
    this.announceResults();
    this.changed();
  }

  private announceResults(): void {
    const sentence = this.awaitsResults ? resultsAnnouncement(this.library) : undefined;
    if (!sentence) return;
    this.awaitsResults = false;
    this.announce(sentence);
  }

  private get loadedIds(): readonly string[] {
    return this.library.images.map(({ imageId }) => imageId);
  }

  private uploadChanged(change: ItemChange): void {
    const { before, after } = change;
    this.runningUploads = withChange(this.runningUploads, change);
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
    // The page that was just opened announces itself.
    this.awaitsResults = this.appliedFilter !== '';
    const { step } = this.router;
    // No way leads back to an address that was replaced.
    if (this.appliedFilter && step !== 'replace') this.keepPlace();
    this.appliedFilter = wanted;
    // A link shows the newest pictures, and the way back the same ones as before.
    const place = step === 'traverse' ? this.places.get(wanted) : undefined;
    // It is kept again when the list is left.
    if (place) this.places.delete(wanted);
    this.show(place?.loaded);
    this.dispatchEvent(new ListEvent(place?.top ?? 0));
  }

  private keepPlace(): void {
    this.places.delete(this.appliedFilter);
    this.places.set(this.appliedFilter, { loaded: this.library.loaded, top: window.scrollY });
    const [oldest] = this.places.keys();
    if (oldest !== undefined && this.places.size > MAX_PLACES) this.places.delete(oldest);
  }

  private show(loaded?: Loaded): void {
    const { filter, order } = this.router.address;
    // These are results of another search. An empty list clears the selection, but what was loaded before is shown at once.
    if (this.allFound || loaded) this.selected = NOTHING_SELECTED;
    this.allFound = false;
    this.library.show({ filter, order, boxes: this.showsBoxes }, loaded);
    void this.timeline.load(this.signal);
  }

  private stop(): void {
    this.watcher.stop();
    for (const tracker of [...this.trackers, this.correctJobs]) tracker.stop();
    // The session may have ended during an upload.
    this.queue.stop();
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
