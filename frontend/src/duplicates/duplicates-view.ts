// The duplicates: pictures with identical files side by side, to delete all but one of them.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiClient } from '../api/client';
import type { ImageUrls } from '../api/image-urls';
import { messageFor } from '../api/problem';
import { type DuplicateGroup, isFinal, type Summary } from '../api/types';
import { NOTHING_SELECTED, prune, type Selection, selectAll, toggle } from '../gallery/selection';
import { back, check, picture as pictureIcon, trash } from '../shared/icons';
import type { Kept } from '../shared/kept';
import { notLoaded } from '../shared/not-loaded';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import view from '../shared/view.css?inline';
import css from './duplicates-view.css?inline';
import { allButOne, merge, remaining, selectedImages, withoutCopy } from './groups';

/** How many pages are loaded in a row until one has groups. A page can be empty and still have a cursor. */
const MAX_PAGES = 50;
/** The size of a picture, in CSS pixels. */
const SIZE = 192;

type LoadState =
  | { readonly name: 'loading' | 'partial' | 'complete' }
  | { readonly name: 'failed'; readonly reason: string };

/** The person deletes pictures; dispatched as `deleteduplicates`. */
export class DeleteDuplicatesEvent extends Event {
  constructor(readonly images: readonly Summary[]) {
    super('deleteduplicates');
  }
}

/** Dispatches `back` and `deleteduplicates`. */
@customElement('ilg-duplicates-view')
export class DuplicatesView extends LitElement {
  static override styles = sheets(view, css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) urls!: ImageUrls;
  /** Returns the address of a picture's large view. */
  @property({ attribute: false }) hrefOf!: (imageId: string) => string;
  /** Whether a picture was deleted, also if that can still be undone. */
  @property({ attribute: false }) isRemoved!: (imageId: string) => boolean;
  @property({ attribute: false }) selected!: Kept<Selection>;
  @state() private found: readonly DuplicateGroup[] = [];
  @state() private loadState: LoadState = { name: 'loading' };
  @state() private selection: Selection = NOTHING_SELECTED;
  @query('h2') private heading!: HTMLHeadingElement;

  private cursor: string | undefined;
  private readonly undecodable = new Set<string>();
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.urls.addEventListener('change', () => this.requestUpdate(), { signal });
    window.addEventListener('keydown', this.key, { signal });
    this.selection = this.selected.value;
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.selected.value = this.selection;
  }

  override firstUpdated(): void {
    this.focus();
  }

  /** Focuses the heading. */
  override focus(): void {
    this.heading.focus();
  }

  override render() {
    const groups = remaining(this.found, this.isRemoved);
    const ids = new Set(groups.flatMap(({ images }) => images.map(({ imageId }) => imageId)));
    const selection = prune(this.selection, ids);
    return html`<section role="dialog" aria-modal="true" aria-labelledby="title">
      <header>
        <button class="round" type="button" aria-label=${text.picture.back} title=${text.picture.back} @click=${this.close}>${back}</button>
        <h2 id="title" tabindex="-1">${text.duplicates.title}</h2>
        ${groups.length > 0 ? this.toolbar(groups, selection) : nothing}
      </header>
      <div class="content">
        <p class="lead">${text.duplicates.lead}</p>
        ${repeat(
          groups,
          ({ sha256 }) => sha256,
          (group) => this.group(group, selection),
        )}
        ${this.footer(groups)}
      </div>
    </section>`;
  }

  override updated(): void {
    for (const { images } of this.found) {
      for (const image of images) this.urls.request(image, () => this.isConnected);
    }
  }

  private toolbar(groups: readonly DuplicateGroup[], selection: Selection) {
    const { size } = selection.ids;
    const lost = withoutCopy(groups, selection.ids);
    const { duplicates } = text;
    return html`<div class="tools">
        <button class="button" type="button" @click=${() => this.select(groups.flatMap(allButOne))}>${duplicates.allButOneOfEach}</button>
        <button
          class="button bad"
          type="button"
          aria-disabled=${size === 0 ? 'true' : nothing}
          title=${size === 0 ? duplicates.nothingSelected : nothing}
          @click=${() => this.delete(selectedImages(groups, selection.ids))}
        >
          ${trash}<span>${duplicates.delete(size)}</span>
        </button>
      </div>
      <p class="lost" role="status">${lost > 0 ? duplicates.noCopyLeft(lost) : nothing}</p>`;
  }

  private group(group: DuplicateGroup, selection: Selection) {
    const { images } = group;
    return html`<section class="group">
      <div class="caption">
        <h3>${text.duplicates.group(images.length, images[0]?.size ?? null)}</h3>
        <button class="button" type="button" @click=${() => this.select(allButOne(group))}>${text.duplicates.allButOne}</button>
      </div>
      <ul role="list">
        ${repeat(
          images,
          ({ imageId }) => imageId,
          (image) => html`<li>${this.picture(image, selection.ids.has(image.imageId))}</li>`,
        )}
      </ul>
    </section>`;
  }

  private picture(image: Summary, selected: boolean) {
    const { imageId, fileName, createdAt, status } = image;
    const name = fileName || text.unnamed;
    const state = status === 'LABELED' ? text.uploads.labels(image.labels) : (text.statuses[status] ?? status);
    const side = SIZE * devicePixelRatio;
    const url = this.undecodable.has(imageId) ? undefined : this.urls.get(imageId, { width: side, height: side });
    return html`<button
        class="card"
        type="button"
        role="checkbox"
        aria-checked=${selected}
        aria-label=${text.duplicates.picture(name, createdAt, state)}
        @click=${() => this.toggle(imageId)}
      >
        ${
          url
            ? html`<img src=${url} alt="" draggable="false" @error=${() => this.loadFailed(imageId)} />`
            : html`<span class="blank">${isFinal(status) ? pictureIcon : nothing}</span>`
        }
        <span class="mark">${selected ? check : nothing}</span>
      </button>
      <p class="name" title=${name}><bdi>${name}</bdi></p>
      <p class="facts">${text.dateTime(createdAt)}</p>
      <p class="facts">${state}</p>
      <a href=${this.hrefOf(imageId)} aria-label=${text.duplicates.open(name)}>${text.duplicates.openShort}</a>`;
  }

  private footer(groups: readonly DuplicateGroup[]) {
    const { loadState } = this;
    switch (loadState.name) {
      case 'loading':
        return html`<p class="load-state" role="status">${text.duplicates.loading}</p>`;
      case 'failed':
        return notLoaded(loadState.reason, () => this.loadAgain());
      case 'partial':
        return html`<p class="load-state"><button class="button" type="button" @click=${() => void this.load()}>${text.duplicates.more}</button></p>`;
      default:
        return groups.length === 0 ? html`<p class="load-state" role="status">${text.duplicates.none}</p>` : nothing;
    }
  }

  /** Loads pages until one has groups. */
  private async load(): Promise<void> {
    const { signal } = this.listening;
    this.loadState = { name: 'loading' };
    try {
      for (let page = 0, isEmpty = true; page < MAX_PAGES && isEmpty; page += 1) {
        const { groups, nextCursor } = await this.api.listDuplicates(this.cursor, signal);
        signal.throwIfAborted();
        for (const image of groups.flatMap(({ images }) => images)) this.urls.addThumbnails(image);
        this.found = merge(this.found, groups);
        this.cursor = nextCursor;
        isEmpty = remaining(groups, this.isRemoved).length === 0;
        if (!nextCursor) break;
      }
      this.loadState = { name: this.cursor ? 'partial' : 'complete' };
    } catch (error) {
      if (!signal.aborted) this.loadState = { name: 'failed', reason: messageFor(error) };
    }
  }

  private loadAgain(): void {
    // The button that was clicked disappears.
    this.focus();
    void this.load();
  }

  private toggle(imageId: string): void {
    this.selection = toggle(this.selection, imageId);
  }

  /** Selects pictures in addition to the selected ones, and deselects the others of their groups. */
  private select(ids: readonly string[]): void {
    const selected = new Set(ids);
    const groups = remaining(this.found, this.isRemoved).filter((group) =>
      allButOne(group).some((id) => selected.has(id)),
    );
    const others = new Set(groups.flatMap(({ images }) => images.map(({ imageId }) => imageId)));
    const kept = new Set([...this.selection.ids].filter((imageId) => !others.has(imageId)));
    this.selection = selectAll({ ids: kept, anchor: undefined }, ids);
  }

  private delete(images: readonly Summary[]): void {
    if (images.length === 0) return;
    this.selection = NOTHING_SELECTED;
    this.dispatchEvent(new DeleteDuplicatesEvent(images));
    // The focused button may have disappeared with the last group.
    void this.updateComplete.then(() => this.shadowRoot?.activeElement ?? this.heading.focus());
  }

  /** Requests another URL once, because the URL may have expired. */
  private loadFailed(imageId: string): void {
    if (this.retried.has(imageId)) this.undecodable.add(imageId);
    else this.urls.remove(imageId);
    this.retried.add(imageId);
    this.requestUpdate();
  }

  private readonly retried = new Set<string>();

  private close(): void {
    this.dispatchEvent(new Event('back'));
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key === KEYS.duplicates.back && !event.defaultPrevented) this.close();
  };
}

declare global {
  interface HTMLElementEventMap {
    deleteduplicates: DeleteDuplicatesEvent;
  }
}
