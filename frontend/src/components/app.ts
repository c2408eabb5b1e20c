// The page: it takes files in, shows every picture as a card, and keeps the address in step.
import { html, LitElement, nothing } from 'lit';
import { customElement, query, queryAll, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { imageIdsHash, readImageIds } from '../address';
import { announcement } from '../announcements';
import { ApiClient } from '../api/client';
import { type Picture, type PictureChange, Pictures } from '../pictures';
import { loadConfig } from '../sign-in/config';
import { Session } from '../sign-in/session';
import { text } from '../text';
import './account-menu';
import './activity-log';
import type { ActivityLog } from './activity-log';
import css from './app.css?inline';
import './drop-target';
import './empty-state';
import type { EmptyState } from './empty-state';
import './file-picker';
import type { FilesEvent } from './files-event';
import { mark, offline } from './icons';
import './picture-card';
import type { PictureCard } from './picture-card';
import { sheets } from './styles';
import './welcome';

/** Page and API share their origin. */
const API_BASE = `${location.origin}/api`;

@customElement('ilg-app')
export class App extends LitElement {
  static override styles = sheets(css);

  @state() private shown: readonly Picture[] = [];
  @state() private online = navigator.onLine;
  @query('ilg-activity-log') private log!: ActivityLog;
  @query('ilg-empty-state') private invitation!: EmptyState | null;
  @queryAll('ilg-picture-card') private cards!: NodeListOf<PictureCard>;

  /** Undefined until it is known whether the person has just come back from the sign-in page. */
  @state() private signedIn: boolean | undefined;
  @state() private reason: string | undefined;

  private readonly session = new Session(loadConfig());
  private readonly pictures = new Pictures(new ApiClient(API_BASE, this.session));
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    const connection = () => {
      this.online = navigator.onLine;
    };
    window.addEventListener('online', connection, { signal });
    window.addEventListener('offline', connection, { signal });
    window.addEventListener('hashchange', () => this.restore(), { signal });
    window.addEventListener('beforeunload', this.leaving, { signal });
    this.pictures.addEventListener('change', this.changed, { signal });
    this.session.addEventListener('change', this.signedInOrOut, { signal });
    void this.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
  }

  override render() {
    if (this.signedIn === undefined) return nothing;
    const empty = this.shown.length === 0;
    return html`
      <div class="page" @files=${this.taken}>
        <header>
          <h1>${mark}<span>${text.title}</span></h1>
          ${this.signedIn ? this.tools(empty) : nothing}
        </header>
        <div role="status">${this.online ? nothing : html`<p class="offline">${offline}<span>${text.offline}</span></p>`}</div>
        <main>${this.signedIn ? this.content(empty) : this.welcome()}</main>
        ${this.signedIn && !empty ? html`<footer>${text.hero.limits}</footer>` : nothing}
        ${this.signedIn ? html`<ilg-drop-target></ilg-drop-target>` : nothing}
      </div>
      <ilg-activity-log></ilg-activity-log>
    `;
  }

  private tools(empty: boolean) {
    return html`<div class="tools">
      ${empty ? nothing : html`<ilg-file-picker label=${text.addPictures}></ilg-file-picker>`}
      <ilg-account-menu .email=${this.session.email} @signout=${this.signOut}></ilg-account-menu>
    </div>`;
  }

  private content(empty: boolean) {
    return empty ? html`<ilg-empty-state></ilg-empty-state>` : this.gallery();
  }

  private welcome() {
    return html`<ilg-welcome .session=${this.session} .reason=${this.reason}></ilg-welcome>`;
  }

  private gallery() {
    return html`
      <h2 class="visually-hidden">${text.picturesHeading}</h2>
      <ul role="list" class="gallery" ?data-single=${this.shown.length === 1}>
        ${repeat(
          this.shown,
          ({ key }) => key,
          (picture) => html`<li>
            <ilg-picture-card
              .picture=${picture}
              @again=${() => this.pictures.again(picture.key)}
              @remove=${() => this.takeOut(picture.key)}
            ></ilg-picture-card>
          </li>`,
        )}
      </ul>
    `;
  }

  private async open(): Promise<void> {
    try {
      await this.session.complete();
    } catch (error) {
      this.reason = error instanceof Error ? error.message : text.signIn.failed;
    }
    this.signedIn = this.session.signedIn;
    this.restore();
  }

  private restore(): void {
    if (this.signedIn) this.pictures.restore(readImageIds(location.hash));
  }

  private readonly signedInOrOut = (): void => {
    if (this.signedIn === undefined) return;
    // Nobody asked to be signed out here: the session ended, or another tab left.
    if (!this.session.signedIn && !this.reason) this.reason = text.signIn.ended;
    if (this.session.signedIn) this.reason = undefined;
    this.signedIn = this.session.signedIn;
  };

  private async signOut(): Promise<void> {
    for (const { key } of this.shown) this.pictures.remove(key);
    await this.session.signOut();
  }

  private taken({ files }: FilesEvent): void {
    if (files.length > 0) this.pictures.add(files);
    else this.log.say(text.nothingDropped);
  }

  /** Takes a card out of view and puts the focus on what takes its place: the next card, or the invitation. */
  private async takeOut(key: number): Promise<void> {
    const index = this.shown.findIndex((picture) => picture.key === key);
    this.pictures.remove(key);
    await this.updateComplete;
    const next = this.cards[Math.min(index, this.cards.length - 1)];
    (next ?? this.invitation)?.focus();
  }

  private readonly changed = (event: Event): void => {
    const { before, after } = event as PictureChange;
    const sentence = announcement(before, after);
    if (sentence) this.log.say(sentence);
    this.shown = this.pictures.all;
    if (before?.imageId !== after?.imageId) this.keepAddress();
  };

  private keepAddress(): void {
    const ids = this.shown.flatMap(({ imageId }) => imageId ?? []);
    history.replaceState(null, '', `${location.pathname}${location.search}${imageIdsHash(ids)}`);
  }

  private readonly leaving = (event: BeforeUnloadEvent): void => {
    if (this.pictures.uploading) event.preventDefault();
  };
}
