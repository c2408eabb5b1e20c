// Plays a video with the browser's own controls, and draws boxes over it.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Label } from '../api/types';
import '../labels/box-overlay';
import { retry } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './video-player.css?inline';

/** The video is at another time; dispatched as `time`. */
export class TimeEvent extends Event {
  constructor(readonly atMs: number) {
    super('time');
  }
}

/** Dispatches `time`. */
@customElement('ilg-video-player')
export class VideoPlayer extends LitElement {
  static override styles = sheets(css);

  /** The file. A new URL of the same file takes effect only when the current one does not work, so that playing continues. */
  @property() url: string | undefined;
  @property() poster: string | undefined;
  @property() name = '';
  /** The codec's name, for the message that the browser cannot play it. */
  @property() codec = '';
  /** The labels with boxes at this time. */
  @property({ attribute: false }) boxes: readonly Pick<Label, 'name' | 'instances'>[] = [];
  @property({ attribute: false }) highlight: string | undefined;
  /** Requests another URL of the file, because the current one may have expired. */
  @property({ attribute: false }) renew: () => Promise<string | undefined> = async () => undefined;
  /** Where to start, in milliseconds. */
  @property({ attribute: false }) startMs = 0;
  @state() private current: string | undefined;
  /** Why the poster is shown: the browser cannot play the video, or has not received it. */
  @state() private failure: 'unplayable' | 'unreachable' | undefined;
  /** Whether the current URL is the second one, because the first did not work. */
  private isRetry = false;
  /** Where to continue when the video is loaded, in milliseconds. */
  private continueAt = 0;
  private wasPlaying = false;
  @query('video') private video!: HTMLVideoElement | null;

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('startMs') && this.startMs > 0) this.seek(this.startMs);
    if (changed.has('url') && this.failure && this.url !== this.current) {
      this.current = this.url;
      this.reset();
    }
    this.current ??= this.url;
  }

  override render() {
    if (!this.current || this.failure) return this.still();
    return html`<video
        controls
        playsinline
        preload="metadata"
        src=${this.current}
        poster=${this.poster ?? nothing}
        aria-label=${text.video.player(this.name)}
        @timeupdate=${this.timeChanged}
        @seeking=${this.timeChanged}
        @loadedmetadata=${this.loaded}
        @error=${this.loadFailed}
      ></video>
      <ilg-box-overlay .labels=${this.boxes} .highlight=${this.highlight}></ilg-box-overlay>`;
  }

  /** Goes to a time of the video, in milliseconds. */
  seek(atMs: number): void {
    this.continueAt = atMs;
    if (this.video && this.video.readyState >= HTMLMediaElement.HAVE_METADATA) this.video.currentTime = atMs / 1000;
    else this.dispatchEvent(new TimeEvent(atMs));
  }

  /** The poster, with a message if there is no video. */
  private still() {
    return html`${this.poster ? html`<img src=${this.poster} alt=${text.video.poster(this.name)} />` : html`<div class="blank"></div>`}
      <ilg-box-overlay .labels=${this.boxes} .highlight=${this.highlight}></ilg-box-overlay>
      ${this.failure === 'unplayable' ? html`<p role="status">${text.video.unplayable(this.codec)}</p>` : nothing}
      ${
        this.failure === 'unreachable'
          ? html`<div class="failure" role="alert">
              <p>${text.video.unreachable}</p>
              <button class="button" type="button" @click=${this.reset}>${retry}<span>${text.tryAgain}</span></button>
            </div>`
          : nothing
      }`;
  }

  private reset(): void {
    this.failure = undefined;
    this.isRetry = false;
  }

  private timeChanged({ target }: Event): void {
    const video = target as HTMLVideoElement;
    // A new URL sets the time to 0. When it is loaded, the video continues where it was.
    if (video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    this.continueAt = video.currentTime * 1000;
    this.dispatchEvent(new TimeEvent(this.continueAt));
  }

  private loaded({ target }: Event): void {
    const video = target as HTMLVideoElement;
    this.isRetry = false;
    // Some browsers play only the sound if they don't know the codec.
    if (video.videoWidth === 0) {
      this.failure = 'unplayable';
      return;
    }
    if (this.continueAt > 0) video.currentTime = this.continueAt / 1000;
    if (this.wasPlaying) void video.play().catch(() => {});
  }

  /** The URL may have expired. Tries another one, and gives up if that doesn't work either. */
  private async loadFailed({ target }: Event): Promise<void> {
    const video = target as HTMLVideoElement;
    const code = video.error?.code;
    this.wasPlaying = !video.paused;
    if (code === MediaError.MEDIA_ERR_DECODE) {
      this.failure = 'unplayable';
      return;
    }
    const failed = this.current;
    const url = this.isRetry ? failed : this.url === failed ? await this.renew() : this.url;
    this.isRetry = true;
    if (url !== undefined && url !== failed) {
      this.current = url;
      return;
    }
    // Browsers report a file that they don't receive like one that they cannot play.
    const isRefused = url !== undefined && code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED && navigator.onLine;
    this.failure = isRefused ? 'unplayable' : 'unreachable';
  }
}

declare global {
  interface HTMLElementEventMap {
    time: TimeEvent;
  }
}
