// The signed-in page: the gallery, the view opened over it, uploads, downloads and notices. It renders a workspace and calls
// it for the person's actions. Each person who signs in gets a new element, so that no data of one reaches the next.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { isUnfiltered, NO_FILTER } from '../api/filter';
import type { JobTracker } from '../api/job-tracker';
import type { Summary } from '../api/types';
import '../download/download-dialog';
import type { DownloadDialog, DownloadFoundEvent } from '../download/download-dialog';
import '../download/download-panel';
import '../duplicates/duplicates-view';
import type { DeleteDuplicatesEvent } from '../duplicates/duplicates-view';
import '../export/export-dialog';
import type { ExportDialog, ExportEvent } from '../export/export-dialog';
import '../export/export-panel';
import '../gallery/filter-chips';
import type { EditEvent } from '../gallery/filter-chips';
import '../gallery/find-bar';
import type { BoxesEvent, FilterEvent, FindBar } from '../gallery/find-bar';
import '../gallery/edit-labels-dialog';
import type { CorrectJobEvent, EditLabelsDialog, SavedEvent } from '../gallery/edit-labels-dialog';
import '../gallery/gallery';
import type { DayEvent, Gallery, SelectionEvent } from '../gallery/gallery';
import '../gallery/order-menu';
import type { OrderEvent } from '../gallery/order-menu';
import { relabelable } from '../gallery/relabeling';
import { hasSamePictures, NOTHING_SELECTED, prune } from '../gallery/selection';
import '../gallery/selection-bar';
import type { SelectionBar } from '../gallery/selection-bar';
import '../gallery/timeline';
import type { MonthEvent } from '../gallery/timeline';
import { isWorthwhile } from '../gallery/timeline-marks';
import '../jobs/delete-dialog';
import type { DeleteDialog, DeleteFoundEvent } from '../jobs/delete-dialog';
import { JobPanel } from '../jobs/job-panel';
import '../jobs/relabel-dialog';
import type { RelabelDialog, RelabelEvent, RelabelJobEvent } from '../jobs/relabel-dialog';
import type { UndoableEvent } from '../labels/corrector';
import '../picture/picture-view';
import type { DeleteEvent, PictureView } from '../picture/picture-view';
import '../settings/labels-view';
import '../settings/settings-view';
import { mark, newest, offline } from '../shared/icons';
import { monthOf } from '../shared/local-time';
import { setPageTitle } from '../shared/page-title';
import { isTyping, KEYS, keyOf } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import '../sign-in/account-menu';
import type { Session } from '../sign-in/session';
import '../upload/drop-target';
import '../upload/empty-state';
import '../upload/file-picker';
import type { FilePicker } from '../upload/file-picker';
import type { FilesEvent } from '../upload/files-event';
import '../upload/upload-panel';
import './activity-log';
import type { ActivityLog } from './activity-log';
import { writeAddress } from './address';
import css from './home.css?inline';
import { pageName } from './page-name';
import './shortcuts-dialog';
import type { ShortcutsDialog } from './shortcuts-dialog';
import './toasts';
import type { Toasts } from './toasts';
import { AnnounceEvent, ListEvent, ToastEvent, Workspace } from './workspace';

/** The height of the header, in pixels. */
const HEADER_HEIGHT = 72;

/** The address of the pictures with all of these labels. */
const picturesWith = (names: readonly string[]): string =>
  writeAddress({
    view: { name: 'library' },
    filter: { ...NO_FILTER, labels: names.map((name) => [{ name, minConfidence: undefined }]) },
    order: 'time',
  });

@customElement('ilg-home')
export class Home extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) session!: Session;
  @state() private online = navigator.onLine;
  /** The month at the top of the gallery. */
  @state() private month: string | undefined;
  @query('ilg-activity-log') private log!: ActivityLog;
  @query('ilg-toasts') private toasts!: Toasts;
  @query('ilg-shortcuts-dialog') private shortcuts!: ShortcutsDialog;
  @query('ilg-gallery') private gallery!: Gallery | null;
  @query('ilg-edit-labels-dialog') private labelsDialog!: EditLabelsDialog;
  @query('ilg-export-dialog') private exportDialog!: ExportDialog;
  @query('ilg-relabel-dialog') private relabelDialog!: RelabelDialog;
  @query('ilg-delete-dialog') private deleteDialog!: DeleteDialog;
  @query('ilg-download-dialog') private downloadDialog!: DownloadDialog;
  @query('ilg-picture-view') private pictureView!: PictureView | null;
  /** The view over the gallery. */
  @query('ilg-picture-view, ilg-settings-view, ilg-labels-view, ilg-duplicates-view') private view!: LitElement | null;
  @query('ilg-find-bar') private findBar!: FindBar;
  @query('ilg-selection-bar') private selectionBar!: SelectionBar | null;
  @query('ilg-file-picker:not([folder])') private picker!: FilePicker | null;
  @query('.arrangement') private arrangementLine!: HTMLElement | null;

  private workspace!: Workspace;
  /** The pictures that were shown first and last in the open view. The tile of the last one gets the focus afterwards. */
  private opened: { readonly first: string; readonly last: string } | undefined;
  /** Where the list is shown first, in pixels from the top of the page. */
  private place = 0;
  /** The panel that had the focus before an update. */
  private focusedPanel: JobPanel | undefined;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    const workspace = new Workspace(this.session, signal);
    this.workspace = workspace;
    workspace.addEventListener('change', () => this.requestUpdate(), { signal });
    workspace.addEventListener('refresh', () => this.pictureView?.refresh(), { signal });
    workspace.addEventListener('filter', (event) => event instanceof ListEvent && void this.scrollToPlace(event.top), {
      signal,
    });
    workspace.addEventListener('toast', (event) => event instanceof ToastEvent && this.toasts.show(event.toast), {
      signal,
    });
    workspace.addEventListener(
      'announce',
      (event) => event instanceof AnnounceEvent && this.log.announce(event.sentence),
      {
        signal,
      },
    );
    const connection = () => {
      this.online = navigator.onLine;
    };
    window.addEventListener('online', connection, { signal });
    window.addEventListener('offline', connection, { signal });
    window.addEventListener('beforeunload', this.beforeUnload, { signal });
    window.addEventListener('keydown', this.key, { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    document.documentElement.classList.remove('covered');
    setPageTitle(undefined);
  }

  override willUpdate(): void {
    const focused = this.shadowRoot?.activeElement;
    this.focusedPanel = focused instanceof JobPanel ? focused : undefined;
  }

  override render() {
    const { router, library } = this.workspace;
    const { view, filter } = router.address;
    const isEmpty = library.images.length === 0 && library.loadState.name === 'complete';
    const covered = view.name !== 'library';
    document.documentElement.classList.toggle('covered', covered);
    // The keyboard reaches messages and panels before the gallery, which can be endless. A view covers the panels.
    return html`
      <ilg-toasts
        .timers=${this.workspace.undoTimers}
        @leave=${() => void this.returnFocus(this.workspace.selection.anchor)}
      ></ilg-toasts>
      <div class="page" @files=${(event: FilesEvent) => this.workspace.addFiles(event)} @click=${(event: MouseEvent) => router.follow(event)} @undoable=${(event: UndoableEvent) => this.workspace.offerLabelUndo(event)} @relabelolder=${() => this.relabelDialog.open(NO_FILTER, { olderModel: true })}>
        <div class="panels" ?inert=${covered}>
          <ilg-download-panel
            .state=${this.workspace.downloads.state}
            @cancel=${this.cancelDownload}
            @dismiss=${this.dismissDownload}
          ></ilg-download-panel>
          <ilg-export-panel
            .job=${this.workspace.exports.job}
            .exports=${this.workspace.exports}
            ?unreachable=${this.workspace.exports.isUnreachable}
            @cancel=${() => void this.workspace.cancelExport()}
            @dismiss=${() => this.dismissJob(this.workspace.exports)}
          ></ilg-export-panel>
          ${this.jobPanels()}
          <ilg-upload-panel
            .queue=${this.workspace.queue}
            .items=${this.workspace.queue.items}
            .interrupted=${this.workspace.interrupted}
            .saved=${this.workspace.savedUploads}
            @resume=${() => void this.workspace.resumeSavedUploads()}
            @cancel=${() => this.workspace.cancelSavedUploads()}
            @choose=${() => this.picker?.open()}
            @dismiss=${() => this.workspace.forgetInterrupted()}
          ></ilg-upload-panel>
        </div>
        <div class="under" ?inert=${covered}>
          <header>${this.bar()} ${this.selectionTools()}</header>
          <div role="status">${this.online ? nothing : html`<p class="offline">${offline}<span>${text.offline}</span></p>`}</div>
          <main>
            <ilg-filter-chips
              .filter=${filter}
              @filter=${this.filterBy}
              @edit=${this.edit}
              @leave=${this.focusSearch}
            ></ilg-filter-chips>
            ${
              isEmpty && isUnfiltered(filter)
                ? html`<ilg-empty-state ?uploading=${this.workspace.isUploading}></ilg-empty-state>`
                : html`<div class="arrangement">${this.arrangement()}</div>
                    <div class="pictures">${isEmpty ? this.noResults() : this.pictures()}</div>`
            }
          </main>
        </div>
        ${this.openView()}
        <ilg-drop-target></ilg-drop-target>
        <ilg-edit-labels-dialog
          .api=${this.workspace.api}
          .corrector=${this.workspace.corrector}
          .sendDeletions=${this.workspace.sendDeletions}
          @correctjob=${this.correctJobStarted}
          @saved=${this.labelsSaved}
        ></ilg-edit-labels-dialog>
        <ilg-relabel-dialog
          .api=${this.workspace.api}
          .sendDeletions=${this.workspace.sendDeletions}
          @relabel=${this.relabelSelection}
          @relabeljob=${this.relabelJobStarted}
        ></ilg-relabel-dialog>
        <ilg-delete-dialog
          .api=${this.workspace.api}
          .sendDeletions=${this.workspace.sendDeletions}
          @deletefound=${this.deleteFound}
        ></ilg-delete-dialog>
        <ilg-download-dialog
          .api=${this.workspace.api}
          .isRemoved=${(imageId: string) => library.isRemoved(imageId)}
          @downloadfound=${({ files }: DownloadFoundEvent) => this.workspace.download(files)}
        ></ilg-download-dialog>
        <ilg-export-dialog
          .api=${this.workspace.api}
          .sendDeletions=${this.workspace.sendDeletions}
          @export=${({ jobId }: ExportEvent) => this.workspace.exports.follow(jobId)}
        ></ilg-export-dialog>
      </div>
      <ilg-activity-log></ilg-activity-log>
      <ilg-shortcuts-dialog></ilg-shortcuts-dialog>
    `;
  }

  override updated(): void {
    if (this.focusedPanel) void this.panelUpdated(this.focusedPanel);
    const { view, filter } = this.workspace.router.address;
    // The view of a picture knows its name.
    if (view.name !== 'picture') setPageTitle(pageName(view.name, filter));
    if (view.name === 'picture') this.opened = { first: this.opened?.first ?? view.imageId, last: view.imageId };
    else {
      if (view.name === 'library' && this.opened) void this.returnTo(this.opened);
      // A picture that was opened in another view is not where the gallery was left.
      this.opened = undefined;
    }
  }

  private bar() {
    const { workspace } = this;
    const { address } = workspace.router;
    const { filter } = address;
    return html`<div class="bar" ?data-covered=${this.isSelecting}>
      <h1><a href="/" aria-label=${text.title}>${mark}<span>${text.title}</span></a></h1>
      <ilg-find-bar
        .api=${workspace.api}
        .filter=${filter}
        ?boxes=${workspace.boxes}
        @filter=${this.filterBy}
        @boxes=${({ shown }: BoxesEvent) => workspace.showBoxes(shown)}
      ></ilg-find-bar>
      <div class="tools">
        <ilg-file-picker folder label=${text.addFolder}></ilg-file-picker>
        <ilg-file-picker label=${text.addPictures}></ilg-file-picker>
        <ilg-account-menu .email=${this.session.email} @shortcuts=${() => this.shortcuts.open()} @signout=${() => void workspace.signOut()}>
          <a href=${writeAddress({ ...address, view: { name: 'labels' } })}>${text.labels.title}</a>
          <a href=${writeAddress({ ...address, view: { name: 'duplicates' } })}>${text.duplicates.title}</a>
          <button type="button" @click=${this.openExport}>${text.exports.tool}</button>
          <a href=${writeAddress({ ...address, view: { name: 'settings' } })}>${text.settings.title}</a>
          <a href="/licenses.txt" target="_blank">${text.signIn.licenses}</a>
        </ilg-account-menu>
      </div>
    </div>`;
  }

  /** Covers the bar while pictures are selected. */
  private selectionTools() {
    if (!this.isSelecting) return nothing;
    const { workspace } = this;
    // The page keeps its heading.
    return html`<h1 class="visually-hidden">${text.title}</h1>
      <ilg-selection-bar
        .images=${workspace.selectedImages}
        ?all=${workspace.isAllLoaded}
        ?more=${workspace.hasMore}
        ?found=${workspace.isAllFound}
        ?downloading=${workspace.downloads.isRunning}
        @clear=${this.clearSelection}
        @selectall=${this.selectAll}
        @download=${this.download}
        @editlabels=${this.openEditLabels}
        @exportlabels=${this.openExport}
        @relabel=${this.openRelabel}
        @delete=${this.deleteSelection}
      ></ilg-selection-bar>`;
  }

  private get isSelecting(): boolean {
    return this.workspace.selection.ids.size > 0;
  }

  /** The order of the gallery, and the ways to another month. */
  private arrangement() {
    const { filter, order } = this.workspace.router.address;
    const { from, to } = filter;
    const { months } = this.workspace.timeline;
    const offered = from ? months.filter((month) => month >= monthOf(from)) : months;
    const month = this.month ?? (to && monthOf(to));
    return html`
      ${
        order === 'time' && to
          ? html`<button class="newest button" type="button" aria-label=${text.timeline.newest} title=${text.timeline.newest} @click=${this.goToNewest}>${newest}<span>${text.timeline.newest}</span></button>`
          : nothing
      }
      ${
        order === 'time' && isWorthwhile(offered)
          ? html`<ilg-timeline
              .months=${offered}
              .current=${month}
              @month=${({ month }: MonthEvent) => this.goToMonth(month)}
            ></ilg-timeline>`
          : nothing
      }
      <ilg-order-menu
        .filter=${filter}
        .order=${order}
        @order=${(event: OrderEvent) => this.workspace.orderBy(event.order)}
      ></ilg-order-menu>
    `;
  }

  private pictures() {
    const { library, urls, uploading, hrefOf, router, selection, boxes } = this.workspace;
    return html`
      <h2 class="visually-hidden">${text.picturesHeading}</h2>
      <ilg-gallery
        .images=${library.images}
        .loadState=${library.loadState}
        .filter=${router.address.filter}
        .order=${router.address.order}
        .justUploaded=${library.justUploaded}
        ?boxes=${boxes}
        .urls=${urls}
        .hrefOf=${hrefOf}
        .uploading=${uploading}
        .selection=${selection}
        @selection=${(event: SelectionEvent) => this.workspace.select(event.selection)}
        @day=${this.dayChanged}
        @more=${() => library.loadMore()}
        @retry=${() => library.retry()}
      ></ilg-gallery>
    `;
  }

  private noResults() {
    return html`<section class="none">
      <h2>${text.library.noResults}</h2>
      <p>${text.library.noResultsHint}</p>
      <button class="button" type="button" @click=${() => this.workspace.filterBy(NO_FILTER)}>${text.find.clear}</button>
    </section>`;
  }

  /** The view over the gallery, which keeps its scroll position. */
  private openView() {
    const { view } = this.workspace.router.address;
    if (view.name === 'settings') return this.settings();
    if (view.name === 'labels') return this.labels();
    if (view.name === 'duplicates') return this.duplicates();
    return view.name === 'picture' ? this.picture(view.imageId, view.startMs) : nothing;
  }

  private settings() {
    const { api, urls, router, settings, jobs, relabelJobs, dataDeletion, settingsEdits } = this.workspace;
    return html`<ilg-settings-view
      .api=${api}
      .urls=${urls}
      .settings=${settings}
      .jobs=${jobs}
      .relabelJobs=${relabelJobs}
      .deletion=${dataDeletion}
      .edits=${settingsEdits}
      @back=${() => router.close()}
      >${this.jobPanel(relabelJobs)}</ilg-settings-view
    >`;
  }

  private duplicates() {
    const { api, urls, library, router, hrefOf, selectedDuplicates } = this.workspace;
    return html`<ilg-duplicates-view
      .api=${api}
      .urls=${urls}
      .hrefOf=${hrefOf}
      .isRemoved=${(imageId: string) => library.isRemoved(imageId)}
      .selected=${selectedDuplicates}
      @back=${() => router.close()}
      @deleteduplicates=${({ images }: DeleteDuplicatesEvent) => this.workspace.deleteAll(images)}
    ></ilg-duplicates-view>`;
  }

  private labels() {
    const { api, router, settings, jobs, labelListing } = this.workspace;
    return html`<ilg-labels-view
      .api=${api}
      .settings=${settings}
      .jobs=${jobs}
      .listing=${labelListing}
      .hrefOf=${(name: string) => picturesWith([name])}
      @back=${() => router.close()}
    ></ilg-labels-view>`;
  }

  private picture(imageId: string, startMs = 0) {
    const { api, urls, watcher, router, library, corrector, settings } = this.workspace;
    const { images } = library;
    const index = images.findIndex((image) => image.imageId === imageId);
    const turn = (to: Summary | undefined) => () => to && this.workspace.turnTo(to.imageId);
    return html`<ilg-picture-view
      imageId=${imageId}
      .api=${api}
      .urls=${urls}
      .watcher=${watcher}
      .corrector=${corrector}
      .settings=${settings}
      .summary=${images[index]}
      .startMs=${startMs}
      .hrefWith=${picturesWith}
      ?hasPrevious=${index > 0}
      ?hasNext=${index >= 0 && index < images.length - 1}
      @back=${() => router.close()}
      @previous=${turn(images[index - 1])}
      @next=${turn(images[index + 1])}
      @delete=${({ image }: DeleteEvent) => this.workspace.delete(image)}
    ></ilg-picture-view>`;
  }

  private filterBy({ filter, mode }: FilterEvent): void {
    this.workspace.filterBy(filter, mode);
  }

  private dayChanged({ day }: DayEvent): void {
    this.month = day && monthOf(day);
  }

  private goToMonth(month: string | undefined): void {
    this.month = undefined;
    this.workspace.goToMonth(month);
    // The month can be the one that the gallery begins with already.
    window.scrollTo({ top: 0 });
  }

  /** The button disappears: after a click with the keyboard, the search field gets the focus. */
  private goToNewest({ detail }: MouseEvent): void {
    this.goToMonth(undefined);
    if (detail === 0) void this.focusSearch();
  }

  /** Waits for the update: the filter clears the selection, and until then the field is hidden and can't get the focus. */
  private async edit({ part }: EditEvent): Promise<void> {
    this.workspace.filterBy(part.rest);
    await this.updateComplete;
    this.findBar.edit(part);
  }

  /** Waits for the update, like `edit`. */
  private async focusSearch(): Promise<void> {
    await this.updateComplete;
    this.findBar.focus();
  }

  private openExport(): void {
    const { router, selectedImages, isAllFound } = this.workspace;
    this.exportDialog.open(router.address.filter, isAllFound ? [] : selectedImages);
  }

  private openEditLabels(): void {
    const { router, selectedImages, isAllFound } = this.workspace;
    this.labelsDialog.open(selectedImages, isAllFound ? router.address.filter : undefined);
  }

  private openRelabel(): void {
    const { router, selectedImages, isAllFound } = this.workspace;
    if (isAllFound) {
      this.relabelDialog.open(router.address.filter);
      return;
    }
    const applicable = relabelable(selectedImages);
    this.relabelDialog.open(
      applicable.map(({ imageId }) => imageId),
      { skipped: selectedImages.length - applicable.length },
    );
  }

  private relabelJobStarted({ jobId }: RelabelJobEvent): void {
    this.workspace.relabelJobs.follow(jobId);
    if (this.workspace.isAllFound) this.clearSelection();
    // The button that was clicked in the settings disappears.
    else void this.returnFocus(this.workspace.selection.anchor);
  }

  private correctJobStarted({ jobId }: CorrectJobEvent): void {
    this.workspace.correctJobs.follow(jobId, 'CORRECT');
    if (this.workspace.isAllFound) this.clearSelection();
  }

  /** Clears the selection, unless the person has selected other pictures while these were being changed. */
  private labelsSaved({ imageIds }: SavedEvent): void {
    const { isAllFound, library, selection } = this.workspace;
    const known = new Set(library.images.map(({ imageId }) => imageId));
    const changed = prune({ ids: imageIds, anchor: undefined }, known);
    if (!isAllFound && hasSamePictures(selection, changed)) this.clearSelection();
  }

  /** Selects all loaded pictures, and then all results. */
  private selectAll(): void {
    const { hasMore, isAllLoaded } = this.workspace;
    if (hasMore && isAllLoaded) this.workspace.selectFound();
    else this.workspace.selectLoaded();
  }

  private jobPanels() {
    const { jobs, relabelJobs, deleteJobs, importJobs, correctJobs, router, viewShowsSettingsJob } = this.workspace;
    const settingsJobs = viewShowsSettingsJob ? [] : [jobs];
    // The settings show the job that labels pictures again.
    const elsewhere = router.address.view.name === 'settings' ? [] : [relabelJobs];
    const all = [...settingsJobs, ...elsewhere, deleteJobs, importJobs, ...correctJobs.trackers];
    const trackers = all.filter(({ job }) => job);
    if (trackers.length === 0) return nothing;
    return html`<section aria-label=${text.jobs}>
      ${repeat(
        trackers,
        (tracker) => tracker,
        (tracker) => this.jobPanel(tracker),
      )}
    </section>`;
  }

  private jobPanel(tracker: JobTracker) {
    return html`<ilg-job-panel
      .job=${tracker.job}
      ?unreachable=${tracker.isUnreachable}
      @cancel=${() => void this.workspace.cancelJob(tracker)}
      @restart=${() => void this.workspace.restartJob(tracker)}
      @reapply=${() => void this.workspace.reapplySettings()}
      @dismiss=${() => this.dismissJob(tracker)}
      @undo=${() => void this.workspace.undoJob(tracker)}
    ></ilg-job-panel>`;
  }

  private dismissJob(tracker: JobTracker): void {
    tracker.dismiss();
    void this.returnFocus(this.workspace.selection.anchor);
  }

  /** Its button that had the focus may have disappeared, or the whole panel, because the job has started again or has ended. */
  private async panelUpdated(panel: JobPanel): Promise<void> {
    await panel.updateComplete;
    await this.returnFocus(this.workspace.selection.anchor);
  }

  private clearSelection(): void {
    const { anchor } = this.workspace.selection;
    this.workspace.select(NOTHING_SELECTED);
    void this.returnFocus(anchor);
  }

  private cancelDownload(): void {
    this.workspace.downloads.cancel();
    void this.returnFocus(this.workspace.selection.anchor);
  }

  private dismissDownload(): void {
    this.workspace.downloads.dismiss();
    void this.returnFocus(this.workspace.selection.anchor);
  }

  private relabelSelection({ imageIds }: RelabelEvent): void {
    const { anchor } = this.workspace.selection;
    void this.workspace.relabel(imageIds);
    void this.returnFocus(anchor);
  }

  /** Downloads the selected pictures, or asks about all results. */
  private download(): void {
    const { router, isAllFound } = this.workspace;
    if (isAllFound) this.downloadDialog.open(router.address.filter);
    else this.workspace.downloadSelected();
  }

  private deleteFound({ filter, preview }: DeleteFoundEvent): void {
    this.workspace.deleteFound(filter, preview);
    void this.returnFocus(undefined);
  }

  /** Deletes the selected pictures, or asks about all results. The picture after the first of them gets the focus. */
  private deleteSelection(): void {
    const { library, selection, router, isAllFound } = this.workspace;
    if (isAllFound) {
      this.deleteDialog.open(router.address.filter);
      return;
    }
    const { images } = library;
    const isSelected = ({ imageId }: Summary) => selection.ids.has(imageId);
    const first = images.findIndex(isSelected);
    const next = images.find((image, index) => index > first && !isSelected(image));
    this.workspace.deleteSelected();
    void this.returnFocus((next ?? images[first - 1])?.imageId);
  }

  /** Scrolls to where a list was left, or to its start. */
  private async scrollToPlace(top: number): Promise<void> {
    // The picture that was open belongs to the list before.
    this.opened = undefined;
    this.place = top;
    window.scrollTo({ top: 0 });
    if (top === 0) return;
    await this.updateComplete;
    await this.gallery?.updateComplete;
    window.scrollTo({ top });
    // A gallery that was not there before knows its width in the next frame, and has no rows until then.
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    if (this.place === top) window.scrollTo({ top });
  }

  /** Returns to the gallery: to the same place, or to the picture that the person has turned to. */
  private async returnTo({ first, last }: { readonly first: string; readonly last: string }): Promise<void> {
    if (this.gallery?.focusTile(last) && first === last) return;
    // After `popstate`, the browser returns to the place where the first picture was opened.
    await new Promise(requestAnimationFrame);
    if (this.workspace.router.address.view.name !== 'library') return;
    const isShown = await this.gallery?.showTile(last);
    if (!isShown) await this.returnFocus(undefined);
  }

  /**
   * Focuses a tile if the element that had the focus has disappeared. Without a gallery, the button that adds pictures or,
   * with a filter, the search field gets the focus. A view that covers the gallery gets the focus itself.
   */
  private async returnFocus(imageId: string | undefined): Promise<void> {
    await this.updateComplete;
    await this.gallery?.updateComplete;
    await this.view?.updateComplete;
    if (this.shadowRoot?.activeElement) return;
    if (this.view) {
      this.view.focus();
      return;
    }
    const { gallery } = this;
    if (gallery) {
      const isFocused = imageId !== undefined && gallery.focusTile(imageId);
      // On phones, the line below the header hides tiles, too.
      const { bottom = 0 } = this.arrangementLine?.getBoundingClientRect() ?? {};
      if (!isFocused) gallery.focusVisibleTile(Math.max(HEADER_HEIGHT, bottom));
    } else if (isUnfiltered(this.workspace.router.address.filter)) this.picker?.focus();
    else this.findBar.focus();
  }

  /** The keyboard shortcuts of the selection. Returns whether the key is one of them. */
  private selectionKey(event: KeyboardEvent): boolean {
    const path = event.composedPath();
    const isHere = [this.gallery, this.selectionBar].some((element) => element && path.includes(element));
    const key = keyOf(event);
    if (isHere && key === KEYS.selection.all) this.selectAll();
    else if (!this.isSelecting) return false;
    else if (key === KEYS.selection.clear) this.clearSelection();
    else if (key === KEYS.selection.toolbar) this.selectionBar?.focus();
    else if (key === KEYS.selection.delete && isHere) this.deleteSelection();
    else if (key === KEYS.selection.editLabels && isHere) this.openEditLabels();
    else if (key === KEYS.selection.download && isHere && !this.workspace.downloads.isRunning) this.download();
    else return false;
    return true;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (isTyping(event) || event.defaultPrevented) return;
    const inLibrary = this.workspace.router.address.view.name === 'library';
    if (inLibrary && this.selectionKey(event)) {
      event.preventDefault();
      return;
    }
    switch (keyOf(event)) {
      case KEYS.everywhere.undo:
        if (!this.toasts.undo()) this.workspace.undoLastJob();
        break;
      case KEYS.everywhere.shortcuts:
        event.preventDefault();
        this.shortcuts.open();
        break;
      case KEYS.library.search:
        if (!inLibrary || this.isSelecting) break;
        event.preventDefault();
        this.findBar.focus();
        break;
      default:
    }
  };

  private readonly beforeUnload = (event: BeforeUnloadEvent): void => {
    if (this.workspace.isBusy) event.preventDefault();
  };
}
