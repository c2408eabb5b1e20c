// Says how many pictures would be labeled again and what that costs, and starts it after a confirmation.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { type Pictures, previewRelabel, type RelabelPreview } from '../api/preview';
import { messageFor } from '../api/problem';
import { showModal } from '../shared/dialog';
import frame from '../shared/dialog.css?inline';
import question from '../shared/question.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';

/** A job has started that labels pictures again; dispatched as `relabeljob`. */
export class RelabelJobEvent extends Event {
  constructor(readonly jobId: string) {
    super('relabeljob');
  }
}

/** The person has agreed to label these pictures again; dispatched as `relabel`. */
export class RelabelEvent extends Event {
  constructor(readonly imageIds: readonly string[]) {
    super('relabel');
  }
}

/** Dispatches `relabel` after the person has agreed to label named pictures again, and `relabeljob` when a job has started. */
@customElement('ilg-relabel-dialog')
export class RelabelDialog extends LitElement {
  static override styles = sheets(frame, question);

  @property({ attribute: false }) api!: Pick<ApiClient, 'previewRelabel' | 'startRelabel'>;
  /** Sends pending deletions: a search would find these pictures, too. */
  @property({ attribute: false }) sendDeletions!: () => Promise<void>;
  @state() private pictures: Pictures = [];
  private olderModel = false;
  /** How many of the named pictures are in progress, and are left out. */
  @state() private skipped = 0;
  /** What is counted, so far or completely. */
  @state() private preview: RelabelPreview | undefined;
  @state() private counting = false;
  @state() private starting = false;
  @state() private problem = '';
  private requests = new AbortController();
  @query('dialog') private dialog!: HTMLDialogElement;

  /** Asks about pictures. `skipped`: how many others are in progress. `olderModel`: only those with labels of an older model. */
  open(pictures: Pictures, { skipped = 0, olderModel = false } = {}): void {
    this.pictures = pictures;
    this.skipped = skipped;
    this.olderModel = olderModel;
    this.problem = '';
    showModal(this.dialog);
    void this.count();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.requests.abort();
  }

  override render() {
    const { preview, counting } = this;
    const isReady = preview !== undefined && preview.images > 0 && !counting && !this.isExhausted(preview);
    return html`<dialog aria-labelledby="title" @close=${() => this.requests.abort()}>
      <form @submit=${this.start}>
        <h2 id="title">${counting || !preview ? text.relabel.title : text.relabel.titleOf(preview.images)}</h2>
        <div role="status">${this.sentences()}</div>
        ${counting ? html`<progress aria-labelledby="title"></progress>` : nothing}
        <div role="alert">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
        <div class="buttons">
          <button class="button" type="button" autofocus @click=${() => this.dialog.close()}>${text.relabel.close}</button>
          <button class="button primary" type="submit" ?disabled=${!isReady || this.starting}>${text.relabel.submit}</button>
        </div>
      </form>
    </dialog>`;
  }

  private sentences() {
    const { preview, counting } = this;
    if (counting) return html`<p>${text.counting(preview?.images ?? 0)}</p>`;
    if (!preview) return nothing;
    const { images, videoMinutes, skippedVideos, dollars, leftToday, minutesLeftToday } = preview;
    const isJob = 'labels' in this.pictures;
    // Named videos are labeled one by one, within the whole daily limit.
    const tooLong = isJob && skippedVideos > 0 ? html`<p>${text.relabel.tooLong(skippedVideos)}</p>` : nothing;
    if (images === 0) return html`<p>${text.relabel.nothing}</p>${tooLong}`;
    if (this.isExhausted(preview)) return html`<p>${text.relabel.exhausted(nextDay())}</p>`;
    const isTooMuch = images > leftToday || (isJob && videoMinutes > minutesLeftToday);
    return html`<p>${text.relabel.cost(dollars, leftToday)}</p>
      ${videoMinutes > 0 ? html`<p>${text.relabel.minutes(videoMinutes, minutesLeftToday)}</p>` : nothing} ${tooLong}
      ${isTooMuch ? html`<p>${isJob ? text.relabel.continues : text.relabel.limited(leftToday)}</p>` : nothing}
      ${this.skipped > 0 ? html`<p>${text.relabel.skipped(this.skipped)}</p>` : nothing}`;
  }

  /** Whether no picture can be labeled today. A job waits for the next day. */
  private isExhausted({ leftToday }: RelabelPreview): boolean {
    return leftToday === 0 && !('labels' in this.pictures);
  }

  private async count(): Promise<void> {
    this.requests.abort();
    this.requests = new AbortController();
    const { signal } = this.requests;
    this.preview = undefined;
    this.counting = true;
    try {
      if ('labels' in this.pictures) await this.sendDeletions();
      this.preview = await previewRelabel(this.api, this.pictures, this.olderModel, signal, (preview) => {
        this.preview = preview;
      });
    } catch (error) {
      if (signal.aborted) return;
      this.preview = undefined;
      this.problem = messageFor(error);
    }
    this.counting = false;
  }

  private async start(event: Event): Promise<void> {
    event.preventDefault();
    if (this.starting) return;
    const { pictures, olderModel, preview } = this;
    if (!('labels' in pictures)) {
      const { images = 0, leftToday = 0 } = preview ?? {};
      this.dialog.close();
      this.dispatchEvent(new RelabelEvent(images > leftToday ? pictures.slice(0, leftToday) : pictures));
      return;
    }
    this.starting = true;
    this.problem = '';
    try {
      await this.sendDeletions();
      const { jobId } = await this.api.startRelabel(pictures, olderModel);
      this.dialog.close();
      this.dispatchEvent(new RelabelJobEvent(jobId));
    } catch (error) {
      if (this.isConnected) this.problem = messageFor(error);
    }
    this.starting = false;
  }
}

/** The next midnight in UTC, when the daily limits begin again. */
function nextDay(): string {
  const midnight = new Date();
  midnight.setUTCHours(24, 0, 0, 0);
  return midnight.toISOString();
}

declare global {
  interface HTMLElementEventMap {
    relabeljob: RelabelJobEvent;
  }
}
