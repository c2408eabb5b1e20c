// The large view of a picture, with its labels, boxes, details and actions.
import { initialState, Task, TaskStatus } from '@lit/task';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import type { ImageUrls } from '../api/image-urls';
import { ApiError, messageFor } from '../api/problem';
import { lacksThumbnails, withThumbnails } from '../api/thumbnails';
import { type Image, isFinal, isVideo, type Label, type Summary } from '../api/types';
import { ImageEvent, type Watcher } from '../api/watcher';
import { sleep } from '../shared/backoff';
import { whenVisible } from '../shared/page-state';
import { text } from '../shared/text';
import '../labels/box-overlay';
import '../video/video-view';
import { cssProperties } from '../shared/css-properties';
import { distinctiveLabels } from './distinctive-labels';
import './execution-graph';
import { CorrectedEvent, type Corrector } from '../labels/corrector';
import type { HighlightEvent } from '../labels/highlight-event';
import type { SettingsStore } from '../labels/settings-store';
import { back, download, next, picture as pictureIcon, previous, retry, trash, warning } from '../shared/icons';
import './label-editor';
import type { LabelEditor } from './label-editor';
import './picture-facts';
import { setPageTitle } from '../shared/page-title';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import css from './picture-view.css?inline';

/** The maximum enlargement of a small picture. */
const MAX_ENLARGEMENT = 2;
/** How long before its expiry the URL of the file is renewed, in milliseconds. */
const RENEWAL_MARGIN = 30_000;
/** How many labels lead to similar pictures. */
const MAX_SIMILAR = 3;

/** The person wants to delete the picture; dispatched as `delete`. */
export class DeleteEvent extends Event {
  constructor(readonly image: Summary) {
    super('delete');
  }
}

/** Dispatches `back`, `previous`, `next`, `delete` and, after a correction of labels, `undoable`. */
@customElement('ilg-picture-view')
export class PictureView extends LitElement {
  static override styles = sheets(css);

  @property() imageId = '';
  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) urls!: ImageUrls;
  @property({ attribute: false }) watcher!: Watcher;
  @property({ attribute: false }) corrector!: Corrector;
  @property({ attribute: false }) settings!: SettingsStore;
  /** The picture from the gallery, shown until all details are loaded. */
  @property({ attribute: false }) summary: Summary | undefined;
  /** Where a video starts, in milliseconds. */
  @property({ attribute: false }) startMs = 0;
  /** The address of the pictures with all of these labels. */
  @property({ attribute: false }) hrefWith: (names: readonly string[]) => string = () => '';
  @property({ type: Boolean }) hasPrevious = false;
  @property({ type: Boolean }) hasNext = false;
  @state() private image: Image | undefined;
  @state() private failure: string | undefined;
  @state() private highlight: string | undefined;
  @state() private threshold = 0;
  @state() private natural: { readonly width: number; readonly height: number } | undefined;
  @state() private undecodable = false;
  @state() private notice: string | undefined;
  @state() private relabeling = false;
  /** Whether a new URL is being requested, because the current one does not work. */
  @state() private renewing = false;
  @query('h2') private heading!: HTMLHeadingElement;
  @query('ilg-label-editor') private labelEditor!: LabelEditor | null;
  @query('header a') private downloadLink!: HTMLAnchorElement | null;
  /** The picture for which a new URL was already requested. */
  private retried: string | undefined;
  private readonly loading = new Task(this, {
    args: () => [this.imageId] as const,
    task: ([imageId], { signal }) => this.api.getImage(imageId, signal),
    onComplete: (image) => {
      this.urls.add(image);
      this.image = image;
      if (!isFinal(image.status)) this.watcher.watch(image.imageId);
    },
    onError: (error) => {
      if (!this.isConnected) return;
      const gone = error instanceof ApiError && error.status === 404;
      this.failure = gone ? text.notFound : messageFor(error);
    },
  });
  /** Renews the URL of the file before it expires, so that the download link works as long as the view is open. */
  private readonly renewal = new Task(this, {
    args: () => [this.image] as const,
    task: async ([image], { signal }) =>
      image?.view ? this.renew(image.imageId, image.view.expiresAt, signal) : initialState,
    onComplete: (image) => {
      this.image = image;
    },
  });
  private readonly thumbnails = new Task(this, {
    args: () => [this.image] as const,
    task: async ([image], { signal }) =>
      image && lacksThumbnails(image) ? withThumbnails(this.api, image.imageId, signal) : initialState,
    onComplete: (image) => {
      this.urls.add(image);
      this.image = image;
      if (!isFinal(image.status)) this.watcher.watch(image.imageId);
    },
  });
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    window.addEventListener('keydown', this.key, { signal });
    this.watcher.addEventListener('image', this.imageWatched, { signal });
    this.corrector.addEventListener('corrected', this.labelsCorrected, { signal });
    this.urls.addEventListener('change', () => this.urlsChanged(), { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.loading.abort();
    this.renewal.abort();
    this.thumbnails.abort();
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('imageId')) return;
    this.image = undefined;
    this.failure = undefined;
    this.highlight = undefined;
    this.natural = undefined;
    this.undecodable = false;
    this.notice = undefined;
    this.relabeling = false;
    this.renewing = false;
  }

  override updated(changed: PropertyValues): void {
    // Screen readers announce the picture's name, and keyboard shortcuts work.
    if (changed.has('imageId')) this.focus();
    // The last update can come after the view is closed.
    if (this.isConnected) setPageTitle(this.known && this.name);
  }

  /** Focuses the picture's name. */
  override focus(): void {
    this.heading.focus();
  }

  override render() {
    const { known, name } = this;
    const { width = 4, height = 3 } = this.dimensions() ?? this.natural ?? {};
    // A rejected video has nothing to show.
    const video = this.image && isVideo(this.image) && this.image.view ? this.image : undefined;
    const sides = { '--ratio': `${width / height}`, '--largest': `${Math.max(MAX_ENLARGEMENT * width, 320)}px` };
    return html`<section role="dialog" aria-modal="true" aria-labelledby="name">
      <header>
        ${button(back, text.picture.back, () => this.dispatch('back'))}
        <h2 id="name" tabindex="-1" title=${name}><bdi>${name}</bdi></h2>
        ${this.tools(name)}
      </header>
      <div class="stage ${video ? 'video' : ''}" ${cssProperties(sides)}>
        ${this.hasPrevious ? button(previous, text.picture.previous, () => this.dispatch('previous'), 'turn previous') : nothing}
        ${video ? this.video(video) : this.stage(name)}
        ${this.hasNext ? button(next, text.picture.next, () => this.dispatch('next'), 'turn next') : nothing}
      </div>
      <div class="side" tabindex="-1">${this.side(known)}</div>
    </section>`;
  }

  private get known(): Image | Summary | undefined {
    return this.image ?? this.summary;
  }

  private get name(): string {
    return this.known?.fileName || text.unnamed;
  }

  /** Loads the picture again, because it may have other labels now. */
  refresh(): void {
    void this.loading.run();
  }

  private tools(name: string) {
    // The file itself, not a thumbnail.
    const url = this.image?.view?.url;
    const final = this.image && isFinal(this.image.status);
    return html`
      ${
        url
          ? html`<a class="round" href=${url} download=${name} target="_blank" rel="noopener" aria-label=${text.picture.download} title=${text.picture.download}>${download}</a>`
          : nothing
      }
      ${final ? button(retry, text.picture.relabel, () => void this.relabel()) : nothing}
      ${(this.image ?? this.summary) ? button(trash, text.picture.delete, () => this.delete()) : nothing}
    `;
  }

  private stage(name: string) {
    // The gallery removes URLs that do not work. In that case, use the file itself.
    const best = this.urls.get(this.imageId) ?? this.image?.view?.url;
    const url = this.undecodable || this.renewing ? undefined : best;
    // The thumbnail is already loaded: show it while the large version loads.
    const small = this.urls.get(this.imageId, { width: 1, height: 1 });
    const background = small && small !== url ? `url(${JSON.stringify(small)})` : 'none';
    const labels = this.shownLabels();
    return html`<div class="frame">
      ${
        url
          ? html`<img
              src=${url}
              alt=${text.alternative(name, labels)}
              decoding="async"
              @load=${this.loaded}
              @error=${this.loadFailed}
              ${cssProperties({ 'background-image': background })}
            />`
          : html`<div class="placeholder">${pictureIcon}${this.undecodable ? html`<p>${text.picture.undecodable}</p>` : nothing}</div>`
      }
      <ilg-box-overlay
        ?bare=${!url}
        .labels=${labels}
        .highlight=${this.highlight}
        @highlight=${this.pointed}
      ></ilg-box-overlay>
    </div>`;
  }

  private video(image: Image) {
    return html`<ilg-video-view
      .api=${this.api}
      .image=${image}
      .poster=${this.urls.get(this.imageId)}
      .minConfidence=${this.threshold}
      .highlight=${this.highlight}
      .startMs=${this.startMs}
      .renew=${this.renewUrl}
      @highlight=${this.pointed}
    ></ilg-video-view>`;
  }

  private side(known: Image | Summary | undefined) {
    if (this.failure && this.loading.status === TaskStatus.ERROR) {
      return html`<div class="notice warn" role="alert">${warning}<p>${this.failure}</p></div>
        <button class="button" type="button" @click=${() => this.loading.run()}>${retry}<span>${text.tryAgain}</span></button>`;
    }
    if (!known) return html`<p class="hint">${text.picture.loading}</p>`;
    return html`
      <div role="status">${this.notice ? html`<p class="hint">${this.notice}</p>` : nothing}</div>
      ${this.state(known)}
      ${this.image ? html`<h3>${text.facts.heading}</h3><ilg-picture-facts .image=${this.image}></ilg-picture-facts>` : nothing}
      ${this.image && known.status !== 'AWAITING_UPLOAD' ? this.processingSteps() : nothing}
    `;
  }

  private state(known: Image | Summary) {
    if (!isFinal(known.status) || this.relabeling) {
      return html`<p class="labeling">${text.stage.labeling}</p><progress aria-label=${text.stage.labeling}></progress>
        ${this.image?.status === 'PROCESSING' ? this.editor(this.image) : nothing}`;
    }
    if (known.status === 'LABELED')
      return this.image ? this.labels(this.image) : html`<p class="hint">${text.picture.loading}</p>`;
    const rejected = known.status === 'REJECTED';
    const advice = text.adviceFor(known.error?.name, isVideo(known));
    return html`<div class="notice ${rejected ? 'bad' : 'warn'}">
      ${warning}
      <div>
        <p><strong>${rejected ? text.rejectedTitle : text.failedTitle}</strong></p>
        <p>${rejected ? known.error?.message || text.rejected : text.failed}</p>
        <p>${rejected ? advice : text.picture.relabelAdvice}</p>
      </div>
    </div>`;
  }

  private labels(image: Image) {
    const hidden = image.labels.length - this.shownLabels().length;
    return html`<h3>${text.labelsHeading}</h3>
      ${
        image.labels.length > 0
          ? html`<label class="threshold">
              <span>${text.picture.threshold} <span class="value">${text.minConfidence(this.threshold)}</span></span>
              <input
                type="range"
                min="0"
                max="100"
                .value=${String(this.threshold)}
                @input=${({ target }: Event) => {
                  this.threshold = Number((target as HTMLInputElement).value);
                }}
              />
            </label>`
          : nothing
      }
      ${hidden > 0 && hidden === image.labels.length ? html`<p class="hint">${text.picture.allHidden}</p>` : nothing}
      ${hidden > 0 ? html`<p class="hint">${text.picture.hidden(hidden)}</p>` : nothing} ${this.editor(image)}
      ${this.similar()}`;
  }

  /** Links to the pictures with the labels that say best what this one shows. */
  private similar() {
    const names = distinctiveLabels(this.shownLabels(), MAX_SIMILAR);
    if (names.length === 0) return nothing;
    const link = (labels: readonly string[], label: string) =>
      html`<a href=${this.hrefWith(labels)} aria-label=${labels.length > 1 ? `${label}: ${text.picture.similarWith(labels)}` : text.picture.similarWith(labels)}>${label}</a>`;
    return html`<nav class="similar" aria-labelledby="similar">
      <h3 id="similar">${text.picture.similar}</h3>
      ${names.map((name) => link([name], name))}
      ${names.length > 1 ? link(names, text.picture.similarAll(names.length)) : nothing}
    </nav>`;
  }

  private editor(image: Image) {
    return html`<ilg-label-editor
      .api=${this.api}
      .corrector=${this.corrector}
      .settings=${this.settings}
      .image=${image}
      .labels=${this.shownLabels()}
      .highlight=${this.highlight}
      @highlight=${this.pointed}
    ></ilg-label-editor>`;
  }

  private processingSteps() {
    return html`<details>
      <summary>${text.execution.heading}</summary>
      <ilg-execution-graph .api=${this.api} .image=${this.image}></ilg-execution-graph>
    </details>`;
  }

  private async renew(imageId: string, expiresAt: string, signal: AbortSignal): Promise<Image> {
    for (;;) {
      // Wait at least this long, even if this computer's clock is wrong.
      await sleep(Math.max(RENEWAL_MARGIN, Date.parse(expiresAt) - Date.now() - RENEWAL_MARGIN), signal);
      await whenVisible(signal);
      const image = await this.api.getImage(imageId, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (image) return image;
    }
  }

  private readonly renewUrl = async (): Promise<string | undefined> => {
    await this.loading.run();
    return this.loading.status === TaskStatus.ERROR ? undefined : this.image?.view?.url;
  };

  private async relabel(): Promise<void> {
    const { image } = this;
    if (!image || this.relabeling) return;
    this.relabeling = true;
    this.notice = undefined;
    try {
      await this.api.relabel(image.imageId);
    } catch (error) {
      const running = error instanceof ApiError && error.isRunning;
      if (!running) {
        this.relabeling = false;
        this.notice = messageFor(error);
        return;
      }
      this.notice = text.picture.relabelRunning;
    }
    this.watcher.watch(image.imageId, image.updatedAt);
  }

  private readonly imageWatched = (event: Event): void => {
    if (!(event instanceof ImageEvent) || event.image.imageId !== this.imageId || !event.isResult) return;
    if (this.relabeling) this.notice = text.picture.relabeled;
    this.relabeling = false;
    void this.loading.run();
  };

  private readonly labelsCorrected = (event: Event): void => {
    if (event instanceof CorrectedEvent && event.image.imageId === this.imageId) this.refresh();
  };

  private shownLabels(): readonly Label[] {
    return (this.image?.labels ?? []).filter(({ confidence }) => confidence >= this.threshold);
  }

  private dimensions(): { width: number; height: number } | undefined {
    const { width, height } = this.image ?? this.summary ?? {};
    return width && height ? { width, height } : undefined;
  }

  private loaded({ target }: Event): void {
    this.retried = undefined;
    // After rotation by the EXIF orientation.
    const { naturalWidth: width, naturalHeight: height } = target as HTMLImageElement;
    this.natural = { width, height };
  }

  /** Requests another URL once, because the URL or the credentials that signed it may have expired. */
  private loadFailed(): void {
    if (this.retried === this.imageId) this.undecodable = true;
    else {
      this.retried = this.imageId;
      this.renewing = true;
      this.urls.remove(this.imageId);
      void this.loading.run().finally(() => {
        this.renewing = false;
      });
    }
  }

  /** A file that the browser cannot display, such as a HEIC picture, can have thumbnails now. */
  private urlsChanged(): void {
    const path = (url: string | undefined) => url?.split('?', 1)[0];
    const known = path(this.urls.get(this.imageId));
    if (known && known !== path(this.image?.view?.url)) this.undecodable = false;
    this.requestUpdate();
  }

  private pointed(event: HighlightEvent): void {
    this.highlight = event.label;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const origin = event.composedPath()[0];
    // Keys in a slider or a field change its value, and those in a player control it.
    if ((origin instanceof HTMLInputElement || origin instanceof HTMLVideoElement) && event.key !== KEYS.picture.back)
      return;
    const actions: Record<string, (() => void) | false> = {
      [KEYS.picture.previous]: this.hasPrevious && (() => this.dispatch('previous')),
      [KEYS.picture.next]: this.hasNext && (() => this.dispatch('next')),
      [KEYS.picture.back]: () => this.dispatch('back'),
      [KEYS.picture.addLabel]: this.labelEditor !== null && (() => this.labelEditor?.focusField()),
      [KEYS.picture.download]: this.downloadLink !== null && (() => this.downloadLink?.click()),
      [KEYS.picture.delete]: () => this.delete(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  private dispatch(name: 'back' | 'previous' | 'next'): void {
    this.dispatchEvent(new Event(name));
  }

  private delete(): void {
    const image = this.image ?? this.summary;
    if (image) this.dispatchEvent(new DeleteEvent(image));
  }
}

declare global {
  interface HTMLElementEventMap {
    delete: DeleteEvent;
  }
}

function button(icon: unknown, label: string, run: () => void, kind = '') {
  return html`<button class="round ${kind}" type="button" aria-label=${label} title=${label} @click=${run}>${icon}</button>`;
}
