// The signed-in page: the gallery, what is opened over it, and everything that they share. It is made anew for each
// person who signs in, so that nothing of one is left for the next.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { EVERYTHING, isEverything, writeAddress } from '../address';
import { announcement } from '../announcements';
import { ApiClient } from '../api/client';
import type { Summary } from '../api/types';
import { DeletionFailedEvent, Deletions, UNDO_TIME } from '../library/deletions';
import { Library } from '../library/library';
import { Views } from '../library/views';
import { Watcher } from '../library/watcher';
import { Router } from '../router';
import type { Session } from '../sign-in/session';
import { text } from '../text';
import { ItemChange, isOnTheWay, Queue, type Stage } from '../upload/queue';
import { readUnfinished, type Unfinished, writeUnfinished } from '../upload/unfinished';
import './account-menu';
import './activity-log';
import type { ActivityLog } from './activity-log';
import './drop-target';
import './empty-state';
import './file-picker';
import type { FilePicker } from './file-picker';
import type { FilesEvent } from './files-event';
import './find-bar';
import type { FilterEvent } from './find-bar';
import './gallery';
import type { Gallery } from './gallery';
import css from './home.css?inline';
import { mark, offline } from './icons';
import './picture-view';
import './settings-view';
import { sheets } from './styles';
import './toasts';
import type { Toasts } from './toasts';
import './upload-panel';

/** Page and API share their origin. */
const API_BASE = `${location.origin}/api`;
/** So many pictures before the end of what has been read, the picture view wants more. */
const NEARLY_THERE = 5;

@customElement('ilg-home')
export class Home extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) session!: Session;
  @state() private online = navigator.onLine;
  @state() private lost: Unfinished | undefined = readUnfinished();
  @query('ilg-activity-log') private log!: ActivityLog;
  @query('ilg-toasts') private toasts!: Toasts;
  @query('ilg-gallery') private gallery!: Gallery | null;
  @query('ilg-file-picker:not([folder])') private picker!: FilePicker | null;

  private router!: Router;
  private api!: ApiClient;
  private watcher!: Watcher;
  private library!: Library;
  private views!: Views;
  private queue!: Queue;
  private deletions!: Deletions;
  private filterShown = '';
  /** Who had the focus before a view was opened over the gallery. */
  private opened: string | undefined;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.router = new Router(signal);
    this.api = new ApiClient(API_BASE, this.session);
    this.watcher = new Watcher(this.api);
    this.library = new Library(this.api, this.watcher);
    this.views = new Views(this.api);
    this.queue = new Queue(this.api, this.watcher, this.library, this.views);
    this.deletions = new Deletions(this.api, this.library);
    const connection = () => {
      this.online = navigator.onLine;
    };
    window.addEventListener('online', connection, { signal });
    window.addEventListener('offline', connection, { signal });
    window.addEventListener('beforeunload', this.leaving, { signal });
    window.addEventListener('keydown', this.key, { signal });
    this.router.addEventListener('change', this.moved, { signal });
    this.library.addEventListener('change', () => this.requestUpdate(), { signal });
    this.queue.addEventListener('change', this.uploadMoved, { signal });
    this.deletions.addEventListener('failed', this.notDeleted, { signal });
    this.showFilter();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.watcher.stop();
    this.queue.cancelAll();
    document.documentElement.classList.remove('covered');
  }

  override render() {
    const { view, filter } = this.router.address;
    const { images, reading } = this.library;
    const nothingYet = images.length === 0 && reading.name === 'whole';
    const empty = nothingYet && isEverything(filter);
    const covered = view.name !== 'library';
    document.documentElement.classList.toggle('covered', covered);
    return html`
      <div class="page" @files=${this.taken} @click=${(event: MouseEvent) => this.router.follow(event)}>
        <div class="under" ?inert=${covered}>
          <header>
            <h1><a href="/" aria-label=${text.title}>${mark}<span>${text.title}</span></a></h1>
            <ilg-find-bar .api=${this.api} .filter=${filter} @filter=${this.narrow}></ilg-find-bar>
            <div class="tools">
              <ilg-file-picker folder label=${text.addFolder}></ilg-file-picker>
              <ilg-file-picker label=${text.addPictures}></ilg-file-picker>
              <ilg-account-menu .email=${this.session.email} @signout=${() => void this.signOut()}>
                <a href=${writeAddress({ view: { name: 'settings' }, filter })}>${text.settings.title}</a>
                <a href="/licenses.txt" target="_blank">${text.signIn.licenses}</a>
              </ilg-account-menu>
            </div>
          </header>
          <div role="status">${this.online ? nothing : html`<p class="offline">${offline}<span>${text.offline}</span></p>`}</div>
          <main>
            <ilg-filter-chips .filter=${filter} @filter=${this.narrow}></ilg-filter-chips>
            ${empty ? html`<ilg-empty-state></ilg-empty-state>` : nothingYet ? this.noResults() : this.showGallery()}
          </main>
        </div>
        ${this.over()}
        <ilg-upload-panel
          .queue=${this.queue}
          .items=${this.queue.items}
          .lost=${this.lost}
          @again=${() => this.picker?.open()}
          @dismiss=${this.forgetLost}
        ></ilg-upload-panel>
        <ilg-drop-target></ilg-drop-target>
      </div>
      <ilg-toasts></ilg-toasts>
      <ilg-activity-log></ilg-activity-log>
    `;
  }

  private showGallery() {
    const stages = new Map<string, Stage>();
    for (const { imageId, stage } of this.queue.items) if (imageId) stages.set(imageId, stage);
    return html`
      <h2 class="visually-hidden">${text.picturesHeading}</h2>
      <ilg-gallery
        .images=${this.library.images}
        .reading=${this.library.reading}
        .views=${this.views}
        .filter=${this.router.address.filter}
        .stages=${stages}
        @more=${() => this.library.more()}
        @again=${() => this.library.again()}
      ></ilg-gallery>
    `;
  }

  private noResults() {
    return html`<section class="none">
      <h2>${text.library.noResults}</h2>
      <p>${text.library.noResultsHint}</p>
      <button class="button" type="button" @click=${() => this.router.go({ filter: EVERYTHING })}>${text.find.clear}</button>
    </section>`;
  }

  /** What is opened over the gallery, which stays where it is. */
  private over() {
    const { view } = this.router.address;
    if (view.name === 'settings') {
      return html`<ilg-settings-view
        .api=${this.api}
        .views=${this.views}
        @back=${() => this.router.close()}
        @emptied=${() => this.library.show(this.router.address.filter)}
      ></ilg-settings-view>`;
    }
    if (view.name !== 'picture') return nothing;
    const { images } = this.library;
    const index = images.findIndex(({ imageId }) => imageId === view.imageId);
    const turn = (to: Summary | undefined) => () => to && this.show(to.imageId);
    return html`<ilg-picture-view
      imageId=${view.imageId}
      .api=${this.api}
      .views=${this.views}
      .watcher=${this.watcher}
      .summary=${images[index]}
      ?hasPrevious=${index > 0}
      ?hasNext=${index >= 0 && index < images.length - 1}
      @back=${() => this.router.close()}
      @previous=${turn(images[index - 1])}
      @next=${turn(images[index + 1])}
      @delete=${(event: Event) => this.delete(view.imageId, event.target as LitElement)}
    ></ilg-picture-view>`;
  }

  private show(imageId: string): void {
    this.router.go({ view: { name: 'picture', imageId } }, 'replace');
    const index = this.library.images.findIndex((image) => image.imageId === imageId);
    if (index >= this.library.images.length - NEARLY_THERE) this.library.more();
  }

  private delete(imageId: string, view: LitElement): void {
    const { images } = this.library;
    const index = images.findIndex((image) => image.imageId === imageId);
    const image = images[index] ?? (view as unknown as { image?: Summary }).image;
    if (!image) return;
    const after = images[index + 1] ?? images[index - 1];
    this.deletions.delete(image);
    if (index >= 0 && after) this.show(after.imageId);
    else this.router.close();
    this.toasts.show({
      sentence: text.deletedToast(image.fileName || text.unnamed),
      time: UNDO_TIME,
      action: { label: text.undo, run: () => this.undo(image) },
    });
  }

  private undo({ imageId }: Summary): void {
    if (!this.deletions.undo(imageId)) this.toasts.show({ sentence: text.tooLate, time: UNDO_TIME });
    else if (this.router.address.view.name === 'picture') this.show(imageId);
  }

  private readonly notDeleted = (event: Event): void => {
    if (!(event instanceof DeletionFailedEvent)) return;
    const reason = event.cause instanceof Error ? event.cause.message : text.unexpected;
    this.toasts.show({ sentence: text.notDeleted(event.image.fileName || text.unnamed, reason), time: 2 * UNDO_TIME });
  };

  private taken({ files, left }: FilesEvent): void {
    if (files.length > 0) this.queue.add(files);
    else this.log.say(text.nothingDropped);
    if (left > 0) this.toasts.show({ sentence: text.uploads.left(left), time: UNDO_TIME });
    this.lost = undefined;
  }

  private forgetLost(): void {
    this.lost = undefined;
    if (!this.queue.items.some(isOnTheWay)) writeUnfinished([]);
  }

  private readonly uploadMoved = (event: Event): void => {
    if (!(event instanceof ItemChange)) return;
    const sentence = announcement(event.before, event.after);
    if (sentence) this.log.say(sentence);
    this.requestUpdate();
  };

  private narrow({ filter }: FilterEvent): void {
    this.router.go({ filter });
  }

  private readonly moved = (): void => {
    const { view } = this.router.address;
    this.showFilter();
    this.requestUpdate();
    if (view.name === 'picture') this.opened = view.imageId;
    else if (view.name === 'library' && this.opened) {
      const { opened } = this;
      this.opened = undefined;
      void this.updateComplete.then(() => this.gallery?.focusTile(opened));
    }
  };

  private showFilter(): void {
    const { filter } = this.router.address;
    const wanted = writeAddress({ view: { name: 'library' }, filter });
    if (wanted === this.filterShown) return;
    this.filterShown = wanted;
    this.library.show(filter);
    window.scrollTo({ top: 0 });
  }

  private async signOut(): Promise<void> {
    this.queue.cancelAll();
    // With the tokens still there.
    await this.deletions.flush();
    writeUnfinished([]);
    await this.session.signOut();
  }

  private readonly key = (event: KeyboardEvent): void => {
    const origin = event.composedPath()[0];
    if (origin instanceof HTMLInputElement) return;
    if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey) this.toasts.undo();
    if (event.key !== '/' || event.ctrlKey || event.metaKey || this.router.address.view.name !== 'library') return;
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>('ilg-find-bar')?.focus();
  };

  private readonly leaving = (event: BeforeUnloadEvent): void => {
    if (this.queue.items.some(isOnTheWay)) event.preventDefault();
  };
}
