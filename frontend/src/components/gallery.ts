// The history in justified rows, newest first. Only the rows in sight, and a few beside, are in the document.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { type Filter, writeAddress } from '../address';
import { isFinal, type Summary } from '../api/types';
import type { Reading } from '../library/library';
import { layOut, type Row, rowsBetween, type Tile } from '../library/rows';
import type { Size, Views } from '../library/views';
import { text } from '../text';
import type { Stage } from '../upload/queue';
import { cssProperties } from './css-properties';
import css from './gallery.css?inline';
import { picture as pictureIcon, refused, retry } from './icons';
import { sheets } from './styles';

/** So far beyond the edges of the window rows are drawn too, in pixels. */
const OVERSCAN = 1_200;
/** So far beyond the edges of the window pictures are fetched already, in pixels. */
const AHEAD = 2_400;
/** With so little left below the window, in pixels, more of the history is wanted. */
const NEARLY_THERE = 6_000;
/** So long after the last scroll event the page stands still, in milliseconds. */
const STILL = 150;
const GAP = 4;
const HEADING = 56;
/** Of a picture whose dimensions nobody knows. */
const USUAL_RATIO = 4 / 3;
/** The labels of a picture that its tile names. */
const CAPTION = 3;

interface ImageTile extends Tile {
  readonly image: Summary;
}

/** From the row `start` to the one before `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
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
  /** The rows that are drawn. */
  @state({ hasChanged: (one: Range, other?: Range) => one.start !== other?.start || one.end !== other?.end })
  private range: Range = { start: 0, end: 0 };

  private rows: Row<ImageTile>[] = [];
  /** Where the first row is, in pixels from the top of the page. */
  private top = 0;
  /** The part of the rows that the window shows, in pixels from the first. */
  private shown = { from: 0, to: 0 };
  /** Goes up whenever rows may have to be drawn anew that were drawn before. */
  private drawing = 0;
  private readonly undecodable = new Set<string>();
  /** Pictures that the browser has fetched. */
  private readonly fetched = new Set<string>();
  /** What is fetched before it is drawn, by address. */
  private ahead = new Map<string, HTMLImageElement>();
  private readonly tiles = new WeakMap<Summary, ImageTile>();
  private still: ReturnType<typeof setTimeout> | undefined;
  private listening = new AbortController();
  private readonly resized = new ResizeObserver(() => {
    this.width = this.clientWidth;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.resized.observe(this);
    this.views.addEventListener('change', this.viewsChanged, { signal });
    window.addEventListener('scroll', this.scrolled, { signal, passive: true });
    window.addEventListener('resize', this.look, { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    this.listening.abort();
    clearTimeout(this.still);
    this.removeAttribute('scrolling');
  }

  /** Puts the focus on a picture's tile, if it is in the document. */
  focusTile(imageId: string): boolean {
    const tile = this.renderRoot.querySelector<HTMLElement>(`a[data-id="${CSS.escape(imageId)}"]`);
    tile?.focus({ preventScroll: true });
    return tile !== null;
  }

  override willUpdate(changed: PropertyValues): void {
    // Where the window is says nothing new of a row.
    if ([...changed.keys()].some((name) => name !== 'range')) this.drawing += 1;
    if (!changed.has('images') && !changed.has('width')) return;
    const narrow = this.width < 640;
    this.rows =
      this.width === 0
        ? []
        : layOut(
            this.images.map((image) => this.tileOf(image)),
            { width: this.width, rowHeight: narrow ? 130 : 220, gap: GAP, headingHeight: HEADING },
          );
    this.top = this.getBoundingClientRect().top + window.scrollY;
    this.look();
  }

  override updated(): void {
    for (const { image } of this.tilesOf(this.range)) this.views.want(image, () => this.inSight(image.imageId));
    this.fetchAhead();
    if (this.reading.name === 'partly' && this.shown.to > this.height - NEARLY_THERE) {
      this.dispatchEvent(new Event('more'));
    }
  }

  override render() {
    return html`
      <div class="rows" ${cssProperties({ height: `${this.height}px` })}>
        ${repeat(
          this.rows.slice(this.range.start, this.range.end),
          (row) => (row.kind === 'day' ? row.day : row.tiles[0]?.tile.imageId),
          (row) => guard([row, this.drawing], () => this.row(row)),
        )}
      </div>
      ${this.foot()}
    `;
  }

  private row(row: Row<ImageTile>) {
    const place = { transform: `translateY(${row.top}px)`, height: `${row.height}px` };
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
    const url = this.address(image, shown);
    const name = fileName || text.unnamed;
    const final = isFinal(image.status) || this.undecodable.has(imageId);
    const href = writeAddress({ view: { name: 'picture', imageId }, filter: this.filter });
    return html`<a href=${href} data-id=${imageId} data-status=${image.status} aria-label=${text.tile(name, labels, this.status(image))} title=${name}>
      ${
        url
          ? html`<img src=${url} alt="" draggable="false" ?data-loaded=${this.fetched.has(imageId)} @error=${() => this.broken(imageId)} @load=${(event: Event) => this.loaded(imageId, event)} />`
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

  /** Of all rows, in pixels. */
  private get height(): number {
    const last = this.rows.at(-1);
    return last ? last.top + last.height : 0;
  }

  private *tilesOf({ start, end }: Range) {
    for (const row of this.rows.slice(start, end)) {
      if (row.kind !== 'pictures') continue;
      for (const { tile, width } of row.tiles) yield { image: tile.image, width, height: row.height - GAP };
    }
  }

  /** The address of a picture, `shown` in CSS pixels. */
  private address({ imageId }: Summary, shown: Size): string | undefined {
    if (this.undecodable.has(imageId)) return undefined;
    return this.views.get(imageId, { width: shown.width * devicePixelRatio, height: shown.height * devicePixelRatio });
  }

  private rangeWithin(beyond: number): Range {
    return rowsBetween(this.rows, this.shown.from - beyond, this.shown.to + beyond);
  }

  private readonly look = (): void => {
    const from = window.scrollY - this.top;
    this.shown = { from, to: from + window.innerHeight };
    this.range = this.rangeWithin(OVERSCAN);
  };

  private readonly scrolled = (): void => {
    this.look();
    this.toggleAttribute('scrolling', true);
    clearTimeout(this.still);
    this.still = setTimeout(() => this.removeAttribute('scrolling'), STILL);
  };

  /** A picture that is there when its row is drawn is drawn once, and nobody sees it come in. */
  private fetchAhead(): void {
    const before = this.ahead;
    this.ahead = new Map();
    if (this.closest('[inert]')) return;
    const { start, end } = this.rangeWithin(AHEAD);
    const beyond = [this.tilesOf({ start, end: this.range.start }), this.tilesOf({ start: this.range.end, end })];
    for (const { image, width, height } of beyond.flatMap((tiles) => [...tiles])) {
      const { imageId } = image;
      const url = this.address(image, { width, height });
      const known = url && before.get(url);
      if (known) this.ahead.set(url, known);
      else if (url && !this.fetched.has(imageId)) this.ahead.set(url, this.fetch(imageId, url));
    }
  }

  private fetch(imageId: string, url: string): HTMLImageElement {
    const picture = new Image();
    picture.fetchPriority = 'low';
    picture.onload = () => this.fetched.add(imageId);
    picture.src = url;
    return picture;
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
    this.drawAnew();
  }

  private readonly retried = new Set<string>();

  /** Fades a picture in, unless it was there before its tile. */
  private loaded(imageId: string, { target }: Event): void {
    this.retried.delete(imageId);
    this.fetched.add(imageId);
    if (target instanceof HTMLImageElement) target.dataset['loaded'] = '';
  }

  private drawAnew(): void {
    this.drawing += 1;
    this.requestUpdate();
  }

  private readonly viewsChanged = (): void => this.drawAnew();
}

function localDay(instant: string): string {
  const date = new Date(instant);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
