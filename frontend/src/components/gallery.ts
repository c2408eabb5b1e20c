// The history in justified rows, newest first. Only the rows in sight, and a few beside, are in the document.
import { observeWindowOffset, observeWindowRect, Virtualizer, windowScroll } from '@tanstack/virtual-core';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { type Filter, writeAddress } from '../address';
import { isFinal, type Summary } from '../api/types';
import type { Reading } from '../library/library';
import { layOut, type Row, type Tile } from '../library/rows';
import type { Size, Views } from '../library/views';
import { text } from '../text';
import type { Stage } from '../upload/queue';
import { cssProperties } from './css-properties';
import css from './gallery.css?inline';
import { picture as pictureIcon, refused, retry } from './icons';
import { sheets } from './styles';

/** Rows beyond the edge of the window that are drawn too. */
const OVERSCAN = 4;
/** With so few rows left below, more of the history is wanted. */
const NEARLY_THERE = 24;
const GAP = 4;
const HEADING = 56;
/** Of a picture whose dimensions nobody knows. */
const USUAL_RATIO = 4 / 3;
/** The labels of a picture that its tile names. */
const CAPTION = 3;

interface ImageTile extends Tile {
  readonly image: Summary;
}

/** Dispatches `more` when the end of what has been read comes near, and `again` to read on after a failure. */
@customElement('ilg-gallery')
export class Gallery extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) images: readonly Summary[] = [];
  @property({ attribute: false }) reading!: Reading;
  @property({ attribute: false }) views!: Views;
  @property({ attribute: false }) filter!: Filter;
  /** Uploads under way, by image id. */
  @property({ attribute: false }) stages: ReadonlyMap<string, Stage> = new Map();
  @state() private width = 0;
  @query('.rows') private container!: HTMLElement;

  private rows: Row<ImageTile>[] = [];
  private readonly undecodable = new Set<string>();
  private readonly tiles = new WeakMap<Summary, ImageTile>();
  private readonly resized = new ResizeObserver(() => {
    this.width = this.clientWidth;
  });
  private virtualizer = new Virtualizer<Window, HTMLElement>({
    count: 0,
    estimateSize: (index) => this.rows[index]?.height ?? 0,
    getItemKey: (index) => this.keyOf(index),
    getScrollElement: () => window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    overscan: OVERSCAN,
    onChange: () => this.requestUpdate(),
  });
  private unmount = () => {};

  override connectedCallback(): void {
    super.connectedCallback();
    this.resized.observe(this);
    this.views.addEventListener('change', this.viewsChanged);
    this.unmount = this.virtualizer._didMount();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    this.views.removeEventListener('change', this.viewsChanged);
    this.unmount();
  }

  /** Puts the focus on a picture's tile, if it is in the document. */
  focusTile(imageId: string): boolean {
    const tile = this.renderRoot.querySelector<HTMLElement>(`a[data-id="${CSS.escape(imageId)}"]`);
    tile?.focus({ preventScroll: true });
    return tile !== null;
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('images') && !changed.has('width')) return;
    const narrow = this.width < 640;
    this.rows =
      this.width === 0
        ? []
        : layOut(
            this.images.map((image) => this.tileOf(image)),
            { width: this.width, rowHeight: narrow ? 130 : 220, gap: GAP, headingHeight: HEADING },
          );
    this.virtualizer.setOptions({ ...this.virtualizer.options, count: this.rows.length });
    this.virtualizer.measure();
  }

  override updated(): void {
    const margin = this.container.getBoundingClientRect().top + window.scrollY;
    if (margin !== this.virtualizer.options.scrollMargin) {
      this.virtualizer.setOptions({ ...this.virtualizer.options, scrollMargin: margin });
      this.requestUpdate();
    }
    this.virtualizer._willUpdate();
    const items = this.virtualizer.getVirtualItems();
    for (const { index } of items) {
      const row = this.rows[index];
      if (row?.kind !== 'pictures') continue;
      for (const { tile } of row.tiles) this.views.want(tile.image, () => this.inSight(tile.imageId));
    }
    const last = items.at(-1)?.index ?? 0;
    if (this.reading.name === 'partly' && last >= this.rows.length - NEARLY_THERE) {
      this.dispatchEvent(new Event('more'));
    }
  }

  override render() {
    const items = this.virtualizer.getVirtualItems();
    const margin = this.virtualizer.options.scrollMargin;
    return html`
      <div class="rows" ${cssProperties({ height: `${this.virtualizer.getTotalSize()}px` })}>
        ${repeat(
          items,
          ({ key }) => key,
          ({ index, start }) => this.row(this.rows[index], start - margin),
        )}
      </div>
      ${this.foot()}
    `;
  }

  private row(row: Row<ImageTile> | undefined, top: number) {
    if (!row) return nothing;
    const place = { transform: `translateY(${top}px)`, height: `${row.height}px` };
    if (row.kind === 'day') return html`<h3 class="row" ${cssProperties(place)}>${text.day(row.day)}</h3>`;
    return html`<ul class="row" role="list" ${cssProperties(place)}>
      ${repeat(
        row.tiles,
        ({ tile }) => tile.imageId,
        ({ tile, width }) => html`<li ${cssProperties({ width: `${width}px`, height: `${row.height - GAP}px` })}>
          ${this.tile(tile.image, { width, height: row.height - GAP })}
        </li>`,
      )}
    </ul>`;
  }

  /** `shown` is in CSS pixels. */
  private tile(image: Summary, shown: Size) {
    const { imageId, fileName, labels } = image;
    const size = { width: shown.width * devicePixelRatio, height: shown.height * devicePixelRatio };
    const url = this.undecodable.has(imageId) ? undefined : this.views.get(imageId, size);
    const name = fileName || text.unnamed;
    const final = isFinal(image.status) || this.undecodable.has(imageId);
    const href = writeAddress({ view: { name: 'picture', imageId }, filter: this.filter });
    return html`<a href=${href} data-id=${imageId} data-status=${image.status} aria-label=${text.tile(name, labels, this.status(image))} title=${name}>
      ${
        url
          ? html`<img src=${url} alt="" decoding="async" draggable="false" @error=${() => this.broken(imageId)} @load=${(event: Event) => this.loaded(imageId, event)} />`
          : html`<span class="blank">${final && image.status !== 'LABELED' ? html`${pictureIcon}<span><bdi>${name}</bdi></span>` : nothing}</span>`
      }
      ${this.overlay(image)}
    </a>`;
  }

  private overlay(image: Summary) {
    const stage = this.stages.get(image.imageId);
    if (stage?.name === 'uploading') {
      return html`<span class="state"><progress max="1" .value=${stage.sent} aria-hidden="true"></progress>${text.tileState.uploading}</span>`;
    }
    if (!isFinal(image.status)) {
      return html`<span class="state"><progress aria-hidden="true"></progress>${text.tileState.looking}</span>`;
    }
    if (image.status !== 'LABELED') return html`<span class="badge">${refused}${this.status(image)}</span>`;
    if (image.labels.length === 0) return nothing;
    return html`<span class="caption">${image.labels
      .slice(0, CAPTION)
      .map(({ name }) => name)
      .join(' · ')}</span>`;
  }

  private foot() {
    switch (this.reading.name) {
      case 'loading':
        return this.images.length === 0
          ? html`<div class="skeleton" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i><i></i></div>`
          : html`<p class="foot">${text.library.loading}</p>`;
      case 'failed':
        return html`<div class="foot failure" role="alert">
          <p>${this.reading.reason}</p>
          <button class="button" type="button" @click=${() => this.dispatchEvent(new Event('again'))}>
            ${retry}<span>${text.tryAgain}</span>
          </button>
        </div>`;
      default:
        return nothing;
    }
  }

  private status(image: Summary): string {
    const stage = this.stages.get(image.imageId);
    if (stage?.name === 'uploading') return text.tileState.uploading;
    if (!isFinal(image.status)) return text.tileState.looking;
    return image.status === 'LABELED'
      ? ''
      : image.status === 'REJECTED'
        ? text.tileState.rejected
        : text.tileState.failed;
  }

  private tileOf(image: Summary): ImageTile {
    const known = this.tiles.get(image);
    if (known) return known;
    const { imageId, width, height, createdAt } = image;
    const ratio = width && height ? width / height : USUAL_RATIO;
    const tile = { imageId, ratio, day: localDay(createdAt), image };
    this.tiles.set(image, tile);
    this.views.learn(image);
    return tile;
  }

  private keyOf(index: number): string {
    const row = this.rows[index];
    if (!row) return String(index);
    return row.kind === 'day' ? row.day : (row.tiles[0]?.tile.imageId ?? String(index));
  }

  /** Not while a view lies over the gallery: that has the network to itself. */
  private inSight(imageId: string): boolean {
    if (this.closest('[inert]')) return false;
    return this.renderRoot.querySelector(`a[data-id="${CSS.escape(imageId)}"]`) !== null;
  }

  /** An address that has expired is asked for anew, once; a picture that the browser cannot show stays a placeholder. */
  private broken(imageId: string): void {
    if (this.images.find((image) => image.imageId === imageId)?.status === 'LABELED' && !this.retried.has(imageId)) {
      this.retried.add(imageId);
      this.views.forget(imageId);
    } else {
      this.undecodable.add(imageId);
    }
    this.requestUpdate();
  }

  private readonly retried = new Set<string>();

  /** Fades a picture in; what comes from the cache needs no fading. */
  private loaded(imageId: string, { target }: Event): void {
    this.retried.delete(imageId);
    if (target instanceof HTMLImageElement) target.dataset['loaded'] = '';
  }

  private readonly viewsChanged = (): void => this.requestUpdate();
}

function localDay(instant: string): string {
  const date = new Date(instant);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
