// The pictures in justified rows, grouped by day. Only rows in and near the window are in the document.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { type Filter, NO_FILTER } from '../api/filter';
import { type ImageUrls, type Size, withoutSignature } from '../api/image-urls';
import type { Order } from '../api/listing';
import { isFinal, type Summary } from '../api/types';
import { cssProperties } from '../shared/css-properties';
import { picture as pictureIcon, play, retry, warning } from '../shared/icons';
import '../labels/box-overlay';
import { localDay } from '../shared/local-time';
import { KEYS, keyOf } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { type CaptionLabel, text } from '../shared/text';
import { captionLabels, firstSeen, matchingLabels } from './caption';
import checkMarkCss from './check-mark.css?inline';
import { coverOf } from './cover';
import css from './gallery.css?inline';
import type { LoadState } from './library';
import { LongPress } from './long-press';
import { type Point, RectangleDrag } from './rectangle';
import {
  type Area,
  type Direction,
  groupAt,
  layOut,
  neighborOf,
  type Row,
  rowOf,
  rowsBetween,
  type Tile,
  tilesIn,
} from './rows';
import {
  add,
  type Extent,
  extentOf,
  hasSamePictures,
  NOTHING_SELECTED,
  type Selection,
  selectRange,
  toggle,
  toggleGroup,
} from './selection';

/** Rows are rendered up to this distance from the window, in pixels. */
const OVERSCAN = 1_200;
/** Pictures are loaded up to this distance from the window, in pixels. */
const PREFETCH = 2_400;
/** More of the history is loaded when less than this is left below the window, in pixels. */
const LOAD_MORE_DISTANCE = 6_000;
/** How long after the last scroll event scrolling has ended, in milliseconds. */
const SCROLL_END_DELAY = 150;
const GAP = 4;
const HEADING = 56;
/** The ratio of pictures with unknown dimensions. */
const DEFAULT_RATIO = 4 / 3;
/** The group of pictures that this page has just uploaded. All others are days. */
const JUST_UPLOADED = 'just uploaded';
/** How far below the top of the window the day is that the timeline shows, in pixels: below the header. */
const DAY_POSITION = 140;

interface ImageTile extends Tile {
  readonly image: Summary;
}

/** The rows from `start` up to, but not including, `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where keys move the focus. */
const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  [KEYS.library.previous, 'previous'],
  [KEYS.library.next, 'next'],
  [KEYS.library.above, 'above'],
  [KEYS.library.below, 'below'],
  [KEYS.library.first, 'first'],
  [KEYS.library.last, 'last'],
]);

/** The values of `aria-checked`. */
const CHECKED: Readonly<Record<Extent, string>> = { none: 'false', some: 'mixed', all: 'true' };

/** The person changed the selection; dispatched as `selection`. */
export class SelectionEvent extends Event {
  constructor(readonly selection: Selection) {
    super('selection');
  }
}

/** Another day is at the top of the window, as far as there are days; dispatched as `day`. */
export class DayEvent extends Event {
  constructor(readonly day: string | undefined) {
    super('day');
  }
}

/**
 * Dispatches `selection`, `day`, `more` near the end of the loaded history, and `retry` to continue after a failure.
 */
@customElement('ilg-gallery')
export class Gallery extends LitElement {
  static override styles = sheets(css, checkMarkCss);

  @property({ attribute: false }) images: readonly Summary[] = [];
  @property({ attribute: false }) loadState!: LoadState;
  /** What the pictures are filtered by. Captions start with the labels that match. */
  @property({ attribute: false }) filter: Filter = NO_FILTER;
  /** Pictures are grouped by the day of the time that they are sorted by. */
  @property({ attribute: false }) order: Order = 'time';
  /** Pictures that come first because they were just uploaded, in a group of their own if pictures are sorted by time. */
  @property({ attribute: false }) justUploaded: ReadonlySet<string> = new Set();
  /** Whether tiles show the boxes of the labels that match the filter. */
  @property({ type: Boolean }) boxes = false;
  @property({ attribute: false }) urls!: ImageUrls;
  /** Returns the address of a picture's large view. */
  @property({ attribute: false }) hrefOf!: (imageId: string, startMs?: number) => string;
  /** How much of each running upload is sent, 0 to 1, by image id. */
  @property({ attribute: false }) uploading: ReadonlyMap<string, number> = new Map();
  @property({ attribute: false }) selection: Selection = NOTHING_SELECTED;
  @state() private width = 0;
  /** The rendered rows. */
  @state({ hasChanged: (one: Range, other?: Range) => one.start !== other?.start || one.end !== other?.end })
  private range: Range = { start: 0, end: 0 };

  private rows: Row<ImageTile>[] = [];
  /** The distance of the first row from the top of the page, in pixels. */
  private top = 0;
  /** The visible part of the rows, in pixels from the first row. */
  private viewport = { from: 0, to: 0 };
  /** Increases when rendered rows may have changed. */
  private renderVersion = 0;
  /** URLs without signatures of files that the browser cannot display, by their pictures. */
  private readonly undecodable = new Map<string, string | undefined>();
  /** Pictures that the browser has loaded. */
  private readonly loaded = new Set<string>();
  /** Pictures that are loaded before they are rendered, by URL. */
  private prefetched = new Map<string, HTMLImageElement>();
  private tiles = new WeakMap<Summary, ImageTile>();
  /** The ids of the pictures of each group. */
  private groups: ReadonlyMap<string, readonly string[]> = new Map();
  /** The day that was dispatched last. */
  private day: string | undefined;
  @query('.rectangle') private rectangle!: HTMLElement;
  /** What was selected before a rectangle is dragged. */
  private unextended: Selection | undefined;
  private readonly rectangleDrag = new RectangleDrag({
    canStart: (event) => this.canStartRectangle(event),
    moved: (start, end) => this.drawRectangle(start, end),
    ended: (canceled) => this.finishRectangle(canceled),
  });
  private readonly longPress = new LongPress((target) => this.longPressed(target));
  private scrollTimer: ReturnType<typeof setTimeout> | undefined;
  private listening = new AbortController();
  private readonly resized = new ResizeObserver(() => {
    this.width = this.clientWidth;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.resized.observe(this);
    this.rectangleDrag.listen(signal);
    this.urls.addEventListener('change', this.urlsChanged, { signal });
    window.addEventListener('scroll', this.scrolled, { signal, passive: true });
    window.addEventListener('resize', this.updateRange, { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    this.listening.abort();
    clearTimeout(this.scrollTimer);
    this.longPress.cancel();
    this.removeAttribute('scrolling');
  }

  /** Focuses a picture's tile, if it is in the document. */
  focusTile(imageId: string): boolean {
    const tile = this.renderedTile(imageId);
    tile?.focus({ preventScroll: true });
    return tile !== null;
  }

  /** Focuses a picture's tile, and scrolls to it unless it is completely visible. Returns false if there is none. */
  async showTile(imageId: string): Promise<boolean> {
    await this.updateComplete;
    const row = rowOf(this.rows, imageId);
    if (!row) return false;
    if (!this.renderedTile(imageId)) {
      window.scrollTo({ top: this.top + row.top - (window.innerHeight - row.height) / 2 });
      // The browser dispatches `scroll` later.
      this.updateRange();
      await this.updateComplete;
    }
    this.renderedTile(imageId)?.scrollIntoView({ block: 'nearest' });
    return this.focusTile(imageId);
  }

  /** Focuses the first tile that is completely visible below `top`, in pixels from the top of the window. */
  focusVisibleTile(top: number): void {
    const tiles = this.renderRoot.querySelectorAll<HTMLElement>('a[data-id]');
    [...tiles].find((tile) => tile.getBoundingClientRect().top >= top)?.focus({ preventScroll: true });
  }

  override willUpdate(changed: PropertyValues): void {
    // Scrolling alone does not change any row.
    if ([...changed.keys()].some((name) => name !== 'range')) this.renderVersion += 1;
    this.toggleAttribute('selecting', this.isSelecting);
    // Tiles contain their groups.
    if (changed.has('order')) this.tiles = new WeakMap();
    const isReordered = changed.has('images') || changed.has('order');
    if (isReordered) this.groups = this.groupImages();
    if (!isReordered && !changed.has('width')) return;
    const narrow = this.width < 640;
    this.rows =
      this.width === 0
        ? []
        : layOut(
            this.images.map((image) => this.tileOf(image)),
            { width: this.width, rowHeight: narrow ? 130 : 220, gap: GAP, headingHeight: HEADING },
          );
    this.top = this.getBoundingClientRect().top + window.scrollY;
    this.updateRange();
  }

  override updated(): void {
    for (const { image } of this.tilesOf(this.range)) this.urls.request(image, () => this.isRendered(image.imageId));
    this.prefetchPictures();
    this.reportDay();
    if (this.loadState.name === 'partial' && this.viewport.to > this.height - LOAD_MORE_DISTANCE) {
      this.dispatchEvent(new Event('more'));
    }
  }

  override render() {
    return html`
      <div
        class="rows"
        ${cssProperties({ height: `${this.height}px` })}
        @click=${this.clicked}
        @keydown=${this.keyPressed}
        @pointerdown=${this.longPress.handle}
        @pointermove=${this.longPress.handle}
        @pointerup=${this.longPress.handle}
        @pointercancel=${this.longPress.handle}
        @contextmenu=${this.longPress.handle}
        @dragstart=${this.longPress.handle}
      >
        ${repeat(
          this.rows.slice(this.range.start, this.range.end),
          (row) => (row.kind === 'heading' ? row.group : row.tiles[0]?.tile.imageId),
          (row) => guard([row, this.renderVersion], () => this.row(row)),
        )}
        <div class="rectangle" hidden></div>
      </div>
      ${this.footer()}
      <span id="selected" hidden>${text.selection.selected}</span>
    `;
  }

  private row(row: Row<ImageTile>) {
    const place = { transform: `translateY(${row.top}px)`, height: `${row.height}px` };
    if (row.kind === 'heading') return this.heading(row.group, place);
    return html`<ul class="row" role="list" ${cssProperties(place)}>
      ${repeat(
        row.tiles,
        ({ tile }) => tile.imageId,
        ({ tile, width }) => html`<li ${cssProperties({ width: `${width}px`, height: `${row.height - GAP}px` })}>
          ${this.tile(tile.image, { width, height: row.height - GAP })} ${this.checkMark(tile.image)}
        </li>`,
      )}
    </ul>`;
  }

  private heading(group: string, place: Readonly<Record<string, string>>) {
    const extent = extentOf(this.selection, this.groups.get(group) ?? []);
    const isUploaded = group === JUST_UPLOADED;
    const name = isUploaded ? text.justUploaded : text.day(group);
    const action = isUploaded ? text.selection.justUploaded : text.selection.day(name);
    return html`<div class="row heading" ${cssProperties(place)}>
      <h3>${name}</h3>
      <button class="check" type="button" role="checkbox" data-group=${group} aria-checked=${CHECKED[extent]} aria-label=${action} title=${action}></button>
    </div>`;
  }

  /** Not in the tab order, because X on the tile does the same. */
  private checkMark({ imageId, fileName }: Summary) {
    const checked = this.selection.ids.has(imageId);
    return html`<button class="check" type="button" role="checkbox" tabindex="-1" data-id=${imageId} aria-checked=${checked} aria-label=${text.selection.picture(fileName || text.unnamed)} title=${text.selection.tileHint}></button>`;
  }

  /** `size` is in CSS pixels. */
  private tile(image: Summary, size: Size) {
    const { imageId, fileName } = image;
    const labels = captionLabels(image.labels, this.filter);
    const url = this.urlOf(image, size);
    const name = fileName || text.unnamed;
    const final = isFinal(image.status) || this.undecodable.has(imageId);
    const selected = this.selection.ids.has(imageId);
    const href = this.hrefOf(imageId, firstSeen(image.labels, this.filter));
    return html`<a href=${href} data-id=${imageId} data-status=${image.status} ?data-selected=${selected} aria-label=${text.tile(name, labels, this.status(image), image.video?.durationMs)} aria-describedby=${selected ? 'selected' : nothing} aria-keyshortcuts=${KEYS.selection.toggle} title=${name}>
      ${
        url
          ? html`<img src=${url} alt="" draggable="false" ?data-loaded=${this.loaded.has(imageId)} @error=${() => this.loadFailed(imageId)} @load=${(event: Event) => this.pictureLoaded(imageId, event)} />`
          : html`<span class="blank">${final && image.status !== 'LABELED' ? html`${pictureIcon}<span><bdi>${name}</bdi></span>` : nothing}</span>`
      }
      ${url ? this.boxesOf(image, size) : nothing} ${this.overlay(image, labels)}
      ${image.video && image.status === 'LABELED' ? html`<span class="duration" aria-hidden="true">${play}${text.video.time(image.video.durationMs)}</span>` : nothing}
    </a>`;
  }

  /** The boxes of the labels that match, where the picture shows them. `size` is in CSS pixels. */
  private boxesOf({ labels, width, height }: Summary, size: Size) {
    if (!this.boxes || !width || !height) return nothing;
    const found = matchingLabels(labels, this.filter).flatMap(({ name, instances = [] }) =>
      instances.length > 0 ? [{ name, instances }] : [],
    );
    if (found.length === 0) return nothing;
    const place = coverOf(width / height, size);
    const properties = Object.entries(place).map(([name, value]) => [name, `${value}px`]);
    return html`<span class="boxes" ${cssProperties(Object.fromEntries(properties))}><ilg-box-overlay .labels=${found}></ilg-box-overlay></span>`;
  }

  private overlay(image: Summary, labels: readonly CaptionLabel[]) {
    const sent = this.uploading.get(image.imageId);
    if (sent !== undefined) {
      return html`<span class="state"><progress max="1" .value=${sent} aria-hidden="true"></progress>${text.tileState.uploading}</span>`;
    }
    if (!isFinal(image.status)) {
      return html`<span class="state"><progress aria-hidden="true"></progress>${text.tileState.labeling}</span>`;
    }
    if (image.status !== 'LABELED') return html`<span class="badge">${warning}${this.status(image)}</span>`;
    if (labels.length === 0) return nothing;
    return html`<span class="caption">${text.tileCaption(labels)}</span>`;
  }

  private footer() {
    switch (this.loadState.name) {
      case 'loading':
        return this.images.length === 0
          ? html`<div class="skeleton" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i><i></i></div>`
          : html`<p class="foot">${text.library.loading}</p>`;
      case 'failed':
        return html`<div class="foot failure" role="alert">
          <p>${this.loadState.reason}</p>
          <button class="button" type="button" @click=${() => this.dispatchEvent(new Event('retry'))}>
            ${retry}<span>${text.tryAgain}</span>
          </button>
        </div>`;
      default:
        return nothing;
    }
  }

  private get isSelecting(): boolean {
    return this.selection.ids.size > 0;
  }

  /** The pictures in their order. */
  private get ids(): readonly string[] {
    return this.images.map(({ imageId }) => imageId);
  }

  private groupImages(): ReadonlyMap<string, readonly string[]> {
    const groups = new Map<string, string[]>();
    for (const image of this.images) {
      const { group, imageId } = this.tileOf(image);
      if (group === undefined) continue;
      const ids = groups.get(group);
      if (ids) ids.push(imageId);
      else groups.set(group, [imageId]);
    }
    return groups;
  }

  private groupOf({ imageId, time, createdAt }: Summary): string | undefined {
    switch (this.order) {
      case 'time':
        // The time has no time zone: it is the day where the picture was taken.
        return this.justUploaded.has(imageId) ? JUST_UPLOADED : time.slice(0, 'YYYY-MM-DD'.length);
      case 'added':
        return localDay(new Date(createdAt));
      case 'confidence':
        return undefined;
    }
  }

  /** One listener for all rows: tiles stay cheap to render. */
  private readonly clicked = (event: MouseEvent): void => {
    if (this.longPress.endsWith(event)) return;
    const target = targetOf(event);
    if (!target) return;
    const { id, group } = target.dataset;
    if (group !== undefined) this.select(toggleGroup(this.selection, this.groups.get(group) ?? []));
    const toggles = target.matches('.check') || this.isSelecting || event.ctrlKey || event.metaKey;
    if (id === undefined || !toggles) return;
    event.preventDefault();
    this.toggle(id, event.shiftKey);
  };

  private readonly keyPressed = (event: KeyboardEvent): void => {
    const id = targetOf(event)?.dataset['id'];
    const key = keyOf(event);
    if (id === undefined) return;
    const direction = DIRECTIONS.get(key);
    if (direction) {
      event.preventDefault();
      const neighbor = neighborOf(this.rows, id, direction, GAP);
      if (neighbor) void this.showTile(neighbor.imageId);
      return;
    }
    const isRange = key === KEYS.selection.toggleRange;
    if (!isRange && key !== KEYS.selection.toggle) return;
    event.preventDefault();
    this.toggle(id, isRange);
  };

  /** A rectangle starts on the background of the page, or with Shift on a picture. */
  private canStartRectangle(event: PointerEvent): boolean {
    const [target] = event.composedPath();
    if (!(target instanceof Element) || this.closest('[inert]')) return false;
    if (!this.renderRoot.contains(target)) return isAround(target, this);
    const control = target.closest('a, button');
    return !control || (event.shiftKey && control.matches('a'));
  }

  /** Draws the rectangle, and selects the pictures in it. */
  private drawRectangle(start: Point, end: Point): void {
    this.unextended ??= this.selection;
    const box = this.getBoundingClientRect();
    const x = [start.x, end.x].map((side) => side - window.scrollX - box.left);
    const y = [start.y, end.y].map((side) => side - window.scrollY - box.top);
    const area = { left: Math.min(...x), top: Math.min(...y), right: Math.max(...x), bottom: Math.max(...y) };
    const ids = tilesIn(this.rows, area, GAP).map(({ imageId }) => imageId);
    this.showRectangle(area);
    const selection = add(this.unextended, ids, end.y < start.y ? ids[0] : ids.at(-1));
    if (!hasSamePictures(selection, this.selection)) this.select(selection);
  }

  private showRectangle({ left, top, right, bottom }: Area): void {
    const { rectangle } = this;
    rectangle.hidden = false;
    // Inside the gallery, so that the page does not become larger.
    const limit = (value: number, max: number) => Math.min(Math.max(value, 0), max);
    const [x, width] = [limit(left, this.clientWidth), limit(right, this.clientWidth)];
    const [y, height] = [limit(top, this.clientHeight), limit(bottom, this.clientHeight)];
    rectangle.style.translate = `${x}px ${y}px`;
    rectangle.style.width = `${width - x}px`;
    rectangle.style.height = `${height - y}px`;
  }

  private finishRectangle(canceled: boolean): void {
    const { unextended } = this;
    this.unextended = undefined;
    this.rectangle.hidden = true;
    if (canceled && unextended) this.select(unextended);
    // Keys such as Delete now act on the selection.
    else if (this.selection.anchor) this.focusTile(this.selection.anchor);
  }

  private longPressed(target: Element): void {
    const id = target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (id !== undefined) this.toggle(id, false);
  }

  /** Toggles a picture, or with `range` all from the last one that was toggled. */
  private toggle(imageId: string, range: boolean): void {
    this.select(range ? selectRange(this.selection, this.ids, imageId) : toggle(this.selection, imageId));
  }

  private select(selection: Selection): void {
    this.dispatchEvent(new SelectionEvent(selection));
  }

  private status(image: Summary): string {
    if (this.uploading.has(image.imageId)) return text.tileState.uploading;
    if (!isFinal(image.status)) return text.tileState.labeling;
    return image.status === 'LABELED'
      ? ''
      : image.status === 'REJECTED'
        ? text.tileState.rejected
        : text.tileState.failed;
  }

  private tileOf(image: Summary): ImageTile {
    const known = this.tiles.get(image);
    if (known) return known;
    const { imageId, width, height } = image;
    const ratio = width && height ? width / height : DEFAULT_RATIO;
    const tile = { imageId, ratio, group: this.groupOf(image), image };
    this.tiles.set(image, tile);
    this.urls.addThumbnails(image);
    return tile;
  }

  /** The height of all rows, in pixels. */
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

  /** The URL of a picture. `size` is in CSS pixels. */
  private urlOf({ imageId }: Summary, size: Size): string | undefined {
    if (this.undecodable.has(imageId)) return undefined;
    return this.urls.get(imageId, { width: size.width * devicePixelRatio, height: size.height * devicePixelRatio });
  }

  private rangeWithin(distance: number): Range {
    return rowsBetween(this.rows, this.viewport.from - distance, this.viewport.to + distance);
  }

  private readonly updateRange = (): void => {
    const from = window.scrollY - this.top;
    this.viewport = { from, to: from + window.innerHeight };
    this.range = this.rangeWithin(OVERSCAN);
  };

  private reportDay(): void {
    const { from, to } = this.viewport;
    // The last days are never at the top of the window.
    const isAtEnd = this.loadState.name === 'complete' && to >= this.height;
    const group = groupAt(this.rows, isAtEnd && from > 0 ? this.height : from + DAY_POSITION);
    const day = group === JUST_UPLOADED ? undefined : group;
    if (day === this.day) return;
    this.day = day;
    this.dispatchEvent(new DayEvent(day));
  }

  private readonly scrolled = (): void => {
    this.updateRange();
    this.reportDay();
    this.toggleAttribute('scrolling', true);
    clearTimeout(this.scrollTimer);
    this.scrollTimer = setTimeout(() => this.removeAttribute('scrolling'), SCROLL_END_DELAY);
  };

  /** Loads pictures near the window, so that they are complete when they become visible. */
  private prefetchPictures(): void {
    const previous = this.prefetched;
    this.prefetched = new Map();
    if (this.closest('[inert]')) return;
    const { start, end } = this.rangeWithin(PREFETCH);
    const nearby = [this.tilesOf({ start, end: this.range.start }), this.tilesOf({ start: this.range.end, end })];
    for (const { image, width, height } of nearby.flatMap((tiles) => [...tiles])) {
      const { imageId } = image;
      const url = this.urlOf(image, { width, height });
      const known = url && previous.get(url);
      if (known) this.prefetched.set(url, known);
      else if (url && !this.loaded.has(imageId)) this.prefetched.set(url, this.fetch(imageId, url));
    }
  }

  private fetch(imageId: string, url: string): HTMLImageElement {
    const picture = new Image();
    picture.fetchPriority = 'low';
    picture.onload = () => this.loaded.add(imageId);
    picture.src = url;
    return picture;
  }

  /** Whether a picture is rendered. False while a view covers the gallery, so that the view loads first. */
  private isRendered(imageId: string): boolean {
    if (this.closest('[inert]')) return false;
    return this.renderedTile(imageId) !== null;
  }

  /** A picture's tile, if it is in the document. */
  private renderedTile(imageId: string): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(`a[data-id="${CSS.escape(imageId)}"]`);
  }

  /**
   * Requests another URL once, because the URL or the credentials that signed it may have expired. A picture that the
   * browser cannot display keeps its placeholder until it has thumbnails.
   */
  private loadFailed(imageId: string): void {
    if (!this.retried.has(imageId)) {
      this.retried.add(imageId);
      this.urls.remove(imageId);
    } else {
      const failed = this.urls.get(imageId);
      this.undecodable.set(imageId, failed && withoutSignature(failed));
      this.urls.awaitThumbnails(imageId);
    }
    this.redraw();
  }

  private readonly retried = new Set<string>();

  /** Fades a picture in, unless it was loaded before its tile was rendered. */
  private pictureLoaded(imageId: string, { target }: Event): void {
    this.retried.delete(imageId);
    this.loaded.add(imageId);
    if (target instanceof HTMLImageElement) target.dataset['loaded'] = '';
  }

  private redraw(): void {
    this.renderVersion += 1;
    this.requestUpdate();
  }

  private readonly urlsChanged = (): void => {
    for (const [imageId, failed] of this.undecodable) {
      const url = this.urls.get(imageId);
      if (url && withoutSignature(url) !== failed) this.undecodable.delete(imageId);
    }
    this.redraw();
  };
}

declare global {
  interface HTMLElementEventMap {
    day: DayEvent;
    selection: SelectionEvent;
  }
}

/** Whether an element contains another one, also across shadow roots. */
function isAround(outer: Element, inner: Element): boolean {
  for (let node: Node | null = inner; node; node = node instanceof ShadowRoot ? node.host : node.parentNode) {
    if (node === outer) return true;
  }
  return false;
}

/** The tile or check mark that an event belongs to. */
function targetOf({ target }: Event): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>('[data-id], [data-group]') : null;
}
