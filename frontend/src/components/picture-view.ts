// One picture, large: what is in it and where, what is known of it, and what can be done with it.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { ApiError, NetworkError } from '../api/problem';
import { type Image, isFinal, type Label, type Summary } from '../api/types';
import type { Views } from '../library/views';
import { ImageEvent, type Watcher } from '../library/watcher';
import { text } from '../text';
import './box-overlay';
import { cssProperties } from './css-properties';
import './execution-graph';
import type { HighlightEvent } from './highlight-event';
import { back, download, next, picture as pictureIcon, previous, refused, retry, trash } from './icons';
import './label-list';
import './picture-facts';
import css from './picture-view.css?inline';
import { sheets } from './styles';

/** A small picture is shown this much larger than it is at most. */
const LARGER = 2;

/** Dispatches `back`, `previous`, `next` and `delete`, which are for the page to act on. */
@customElement('ilg-picture-view')
export class PictureView extends LitElement {
  static override styles = sheets(css);

  @property() imageId = '';
  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) views!: Views;
  @property({ attribute: false }) watcher!: Watcher;
  /** What the gallery knows already, to be shown at once. */
  @property({ attribute: false }) summary: Summary | undefined;
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
  @query('h2') private heading!: HTMLHeadingElement;
  /** The picture whose address was asked for anew, since the first one did not work. */
  private retried: string | undefined;
  private asking = new AbortController();
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    window.addEventListener('keydown', this.key, { signal });
    this.watcher.addEventListener('image', this.seen, { signal });
    this.views.addEventListener('change', () => this.requestUpdate(), { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.asking.abort();
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
    void this.load();
  }

  override updated(changed: PropertyValues): void {
    // A screen reader says the picture's name, and the keys work at once.
    if (changed.has('imageId')) this.heading.focus();
  }

  override render() {
    const known = this.image ?? this.summary;
    const name = known?.fileName || text.unnamed;
    const { width = 4, height = 3 } = this.dimensions() ?? this.natural ?? {};
    const sides = { '--ratio': `${width / height}`, '--largest': `${Math.max(LARGER * width, 320)}px` };
    return html`<section role="dialog" aria-modal="true" aria-labelledby="name">
      <header>
        ${button(back, text.picture.back, () => this.tell('back'))}
        <h2 id="name" tabindex="-1" title=${name}><bdi>${name}</bdi></h2>
        ${this.tools(name)}
      </header>
      <div class="stage" ${cssProperties(sides)}>
        ${this.hasPrevious ? button(previous, text.picture.previous, () => this.tell('previous'), 'turn previous') : nothing}
        ${this.stage(name)}
        ${this.hasNext ? button(next, text.picture.next, () => this.tell('next'), 'turn next') : nothing}
      </div>
      <div class="side" tabindex="-1">${this.side(known)}</div>
    </section>`;
  }

  private tools(name: string) {
    // The file itself, not what is shown of it.
    const url = this.image?.view?.url;
    const final = this.image && isFinal(this.image.status);
    return html`
      ${
        url
          ? html`<a class="tool" href=${url} download=${name} target="_blank" rel="noopener" aria-label=${text.picture.download} title=${text.picture.download}>${download}</a>`
          : nothing
      }
      ${final ? button(retry, text.picture.relabel, () => void this.relabel()) : nothing}
      ${(this.image ?? this.summary) ? button(trash, text.picture.delete, () => this.tell('delete')) : nothing}
    `;
  }

  private stage(name: string) {
    const url = this.undecodable ? undefined : this.views.get(this.imageId);
    // The gallery's version, which is there already, beneath the large one while that is on its way.
    const small = this.views.get(this.imageId, { width: 1, height: 1 });
    const beneath = small && small !== url ? `url(${JSON.stringify(small)})` : 'none';
    const labels = this.shownLabels();
    return html`<div class="frame">
      ${
        url
          ? html`<img
              src=${url}
              alt=${text.preview(name, labels)}
              decoding="async"
              @load=${this.loaded}
              @error=${this.broken}
              ${cssProperties({ 'background-image': beneath })}
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

  private side(known: Image | Summary | undefined) {
    if (this.failure) {
      return html`<div class="notice warn" role="alert">${refused}<p>${this.failure}</p></div>
        <button class="button" type="button" @click=${() => this.load()}>${retry}<span>${text.tryAgain}</span></button>`;
    }
    if (!known) return html`<p class="hint">${text.picture.loading}</p>`;
    return html`
      <div role="status">${this.notice ? html`<p class="hint">${this.notice}</p>` : nothing}</div>
      ${this.state(known)}
      ${this.image ? html`<h3>${text.facts.heading}</h3><ilg-picture-facts .image=${this.image}></ilg-picture-facts>` : nothing}
      ${this.image && known.status !== 'AWAITING_UPLOAD' ? this.happened() : nothing}
    `;
  }

  private state(known: Image | Summary) {
    if (!isFinal(known.status) || this.relabeling) {
      return html`<p class="looking">${text.stage.looking}</p><progress aria-label=${text.stage.looking}></progress>`;
    }
    if (known.status === 'LABELED')
      return this.image ? this.labels(this.image) : html`<p class="hint">${text.picture.loading}</p>`;
    const rejected = known.status === 'REJECTED';
    const advice = text.advice[known.error?.name ?? ''] ?? text.adviceOtherwise;
    return html`<div class="notice ${rejected ? 'bad' : 'warn'}">
      ${refused}
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
              <span>${text.picture.threshold} <span class="value">${text.find.atLeast(this.threshold)}</span></span>
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
      ${
        hidden > 0 && hidden === image.labels.length
          ? html`<p class="hint">${text.picture.allHidden}</p>`
          : html`<ilg-label-list
              .labels=${this.shownLabels()}
              .modelVersion=${image.modelVersion ?? undefined}
              .highlight=${this.highlight}
              @highlight=${this.pointed}
            ></ilg-label-list>`
      }
      ${hidden > 0 ? html`<p class="hint">${text.picture.hidden(hidden)}</p>` : nothing}`;
  }

  private happened() {
    return html`<details>
      <summary>${text.execution.heading}</summary>
      <ilg-execution-graph .api=${this.api} .image=${this.image}></ilg-execution-graph>
    </details>`;
  }

  private async load(): Promise<void> {
    this.asking.abort();
    const asking = new AbortController();
    this.asking = asking;
    this.failure = undefined;
    try {
      const image = await this.api.getImage(this.imageId, asking.signal);
      this.views.keep(image);
      this.image = image;
      if (!isFinal(image.status)) this.watcher.watch(image.imageId);
    } catch (error) {
      if (asking.signal.aborted) return;
      const gone = error instanceof ApiError && error.status === 404;
      this.failure = gone
        ? text.notFound
        : error instanceof ApiError || error instanceof NetworkError
          ? error.message
          : text.unexpected;
    }
  }

  private async relabel(): Promise<void> {
    const { image } = this;
    if (!image || this.relabeling) return;
    this.relabeling = true;
    this.notice = undefined;
    try {
      await this.api.relabel(image.imageId);
    } catch (error) {
      const running = error instanceof ApiError && error.status === 409;
      if (!running) {
        this.relabeling = false;
        this.notice = error instanceof Error ? error.message : text.unexpected;
        return;
      }
      this.notice = text.picture.relabelRunning;
    }
    this.watcher.watch(image.imageId, image.updatedAt);
  }

  private readonly seen = (event: Event): void => {
    if (!(event instanceof ImageEvent) || event.image.imageId !== this.imageId || !event.ended) return;
    if (this.relabeling) this.notice = text.picture.relabeled;
    this.relabeling = false;
    void this.load();
  };

  private shownLabels(): readonly Label[] {
    return (this.image?.labels ?? []).filter(({ confidence }) => confidence >= this.threshold);
  }

  private dimensions(): { width: number; height: number } | undefined {
    const { width, height } = this.image ?? this.summary ?? {};
    return width && height ? { width, height } : undefined;
  }

  private loaded({ target }: Event): void {
    // As it is seen: the browser has turned it by its EXIF orientation.
    const { naturalWidth: width, naturalHeight: height } = target as HTMLImageElement;
    this.natural = { width, height };
  }

  private broken(): void {
    // Its address may have expired: another one is worth a try.
    if (this.retried === this.imageId) this.undecodable = true;
    else {
      this.retried = this.imageId;
      this.views.forget(this.imageId);
      void this.load();
    }
  }

  private pointed(event: HighlightEvent): void {
    this.highlight = event.label;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const origin = event.composedPath()[0];
    // Arrows move a slider, and everything else means text in a field.
    if (origin instanceof HTMLInputElement && event.key !== 'Escape') return;
    const wish = { ArrowLeft: 'previous', ArrowRight: 'next', Escape: 'back', Delete: 'delete' }[event.key];
    if (!wish || (wish === 'previous' && !this.hasPrevious) || (wish === 'next' && !this.hasNext)) return;
    if (wish === 'delete' && !(this.image ?? this.summary)) return;
    event.preventDefault();
    this.tell(wish);
  };

  private tell(wish: string): void {
    this.dispatchEvent(new Event(wish));
  }
}

function button(icon: unknown, label: string, run: () => void, kind = '') {
  return html`<button class="tool ${kind}" type="button" aria-label=${label} title=${label} @click=${run}>${icon}</button>`;
}
