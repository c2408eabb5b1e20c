// Lists the uploads with their progress.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { check, chevron, close, pause, play, retry, warning } from '../shared/icons';
import panel from '../shared/panel.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { type Item, isFinished, isUnfinished, type Queue, type Stage } from './queue';
import type { SavedUpload } from './saved-uploads';
import { totalProgress } from './total-progress';
import type { Unfinished } from './unfinished';
import css from './upload-panel.css?inline';
import { hasSameOrder, mostUrgent } from './urgency';

/** How many uploads are listed. Rejected and failed ones come first. */
const MAX_ROWS = 60;

/**
 * Dispatches `choose` to choose interrupted files again, and `dismiss` to forget them. For multipart uploads, `choose` and
 * `resume` continue them, and `cancel` cancels them.
 */
@customElement('ilg-upload-panel')
export class UploadPanel extends LitElement {
  static override styles = sheets(panel, css);

  @property({ attribute: false }) queue!: Queue;
  @property({ attribute: false }) items: readonly Item[] = [];
  /** The uploads that a reload of the page interrupted. */
  @property({ attribute: false }) interrupted: Unfinished | undefined;
  /** The multipart uploads that can be continued. */
  @property({ attribute: false }) saved: readonly SavedUpload[] = [];
  @state() private collapsed = false;
  /** The indexes of the listed items. */
  private listed: readonly number[] = [];

  override willUpdate(changed: PropertyValues<this>): void {
    // Most updates are progress of an upload.
    if (changed.has('items') && !hasSameOrder(this.items, changed.get('items') ?? [])) {
      this.listed = mostUrgent(this.items, MAX_ROWS);
    }
  }

  override render() {
    if (this.items.length === 0 && !this.interrupted && this.saved.length === 0) return nothing;
    return html`<section aria-label=${text.uploads.title} ?data-collapsed=${this.collapsed}>
      ${this.saved.length > 0 ? this.continuation() : nothing}
      ${this.interrupted ? this.interruption(this.interrupted) : nothing} ${this.items.length > 0 ? this.all() : nothing}
    </section>`;
  }

  private interruption({ count, names }: Unfinished) {
    return html`<div class="interrupted">
      <p>${text.uploads.interrupted(count, names)}</p>
      <div class="buttons">
        <button class="button primary" type="button" @click=${() => this.dispatchEvent(new Event('choose'))}>${text.uploads.chooseAgain}</button>
        <button class="button" type="button" @click=${() => this.dispatchEvent(new Event('dismiss'))}>${text.dismiss}</button>
      </div>
    </div>`;
  }

  private continuation() {
    // The browser reads the files again if the person allows it. The others have to be chosen.
    const readable = this.saved.every(({ handle }) => handle);
    const names = this.saved.map(({ name }) => name);
    const event = readable ? 'resume' : 'choose';
    return html`<div class="interrupted">
      <p>${text.uploads.continuable(names, readable)}</p>
      <div class="buttons">
        <button class="button primary" type="button" @click=${() => this.dispatchEvent(new Event(event))}>${readable ? text.uploads.resume : text.uploads.chooseVideos(names.length)}</button>
        <button class="button" type="button" @click=${() => this.dispatchEvent(new Event('cancel'))}>${text.uploads.cancelSaved(names.length)}</button>
      </div>
    </div>`;
  }

  private all() {
    const finished = this.items.filter(isFinished).length;
    const allFinished = finished === this.items.length;
    const title = allFinished
      ? this.summary()
      : this.queue.paused
        ? text.uploads.paused
        : text.uploads.progress(finished, this.items.length);
    const waiting = this.items.some(({ stage }) => stage.name === 'waiting');
    return html`
      <header>
        <h2>${title}</h2>
        ${
          waiting || this.queue.paused
            ? this.button(
                this.queue.paused ? play : pause,
                this.queue.paused ? text.uploads.resume : text.uploads.pause,
                () => this.togglePause(),
              )
            : nothing
        }
        ${this.button(chevron, this.collapsed ? text.uploads.expand : text.uploads.collapse, () => this.toggle(), 'collapse')}
        ${
          allFinished
            ? this.button(close, text.uploads.close, () => this.queue.clear())
            : this.items.some(isUnfinished)
              ? this.button(close, text.uploads.cancelAll, () => this.queue.cancelAll())
              : nothing
        }
      </header>
      ${allFinished ? nothing : html`<progress class="total" max="1" .value=${this.progress()} aria-label=${text.uploads.total}></progress>`}
      ${this.collapsed ? nothing : html`${this.minutesLeft(allFinished)} ${this.duplicates()} ${this.list()}`}
    `;
  }

  private minutesLeft(allFinished: boolean) {
    const { videoMinutesLeft } = this.queue;
    if (allFinished || videoMinutesLeft === undefined) return nothing;
    return html`<p class="note">${text.minutesLeft(videoMinutesLeft)}</p>`;
  }

  /** One button for a batch with many duplicates. */
  private duplicates() {
    const keys = this.items.filter(({ stage }) => stage.name === 'duplicate').map(({ key }) => key);
    if (keys.length < 2) return nothing;
    return html`<div class="duplicates">
      <p>${text.uploads.duplicates(keys.length)}</p>
      <button class="button" type="button" @click=${() => this.queue.uploadAnyway(keys)}>${text.uploads.uploadAllAnyway}</button>
    </div>`;
  }

  private list() {
    const rows = this.listed.flatMap((index) => this.items[index] ?? []);
    return html`<ul role="list">
        ${repeat(
          rows,
          ({ key }) => key,
          (item) => this.row(item),
        )}
      </ul>
      ${rows.length < this.items.length ? html`<p class="rest">${text.uploads.more(this.items.length - rows.length)}</p>` : nothing}`;
  }

  private row(item: Item) {
    const { key, name, stage, imageId } = item;
    const open = imageId !== undefined && (stage.name === 'labeled' || stage.name === 'rejected');
    return html`<li data-stage=${stage.name}>
      <div class="what">
        <p class="name" title=${name}>${open ? html`<a href="/images/${imageId}"><bdi>${name}</bdi></a>` : html`<bdi>${name}</bdi>`}</p>
        ${this.status(item)}
      </div>
      ${stage.name === 'failed' ? this.button(retry, `${text.tryAgain}: ${name}`, () => this.queue.retry(key)) : nothing}
      ${
        stage.name === 'labeled'
          ? html`<span class="done">${check}</span>`
          : stage.name === 'labeling'
            ? nothing
            : this.button(close, isUnfinished(item) ? text.cancel(name) : text.remove(name), () =>
                this.queue.remove(key),
              )
      }
    </li>`;
  }

  private status({ key, name, stage }: Item) {
    switch (stage.name) {
      case 'waiting':
        return html`<p class="state">${text.stage.waiting}</p>`;
      case 'preparing':
        return html`<p class="state">${text.stage.preparing}</p>`;
      case 'uploading':
        return html`<p class="state">${uploadingText(stage)}</p>
          <progress max="1" .value=${stage.sent} aria-label=${text.uploadOf(name)}></progress>`;
      case 'labeling':
        return html`<p class="state">${stage.unreachable ? text.stage.unreachable : stage.slow ? text.stage.slow : text.stage.labeling}</p>`;
      case 'labeled':
        return html`<p class="state">${text.uploads.labels(stage.image.labels)}</p>`;
      case 'duplicate':
        return html`<p class="state">
          <span
            ><a href="/images/${stage.existingImageId}">${text.uploads.duplicate}</a>
            <button class="link" type="button" aria-label=${text.uploads.uploadAnywayOf(name)} @click=${() => this.queue.uploadAnyway([key])}>
              ${text.uploads.uploadAnyway}
            </button></span
          >
        </p>`;
      case 'rejected':
        return html`<p class="state bad">${warning}<span><strong>${text.rejectedTitle}.</strong> ${stage.reason} ${stage.advice ?? ''}</span></p>`;
      case 'failed':
        return html`<p class="state warn">${warning}<span><strong>${text.failedTitle}.</strong> ${stage.reason}</span></p>`;
    }
  }

  private button(icon: unknown, label: string, run: () => void, kind = '') {
    return html`<button class="round quiet ${kind}" type="button" aria-label=${label} title=${label} @click=${run}>${icon}</button>`;
  }

  private summary(): string {
    const count = (name: Item['stage']['name']) => this.items.filter(({ stage }) => stage.name === name).length;
    return text.uploads.summary(count('labeled'), count('duplicate'), count('rejected'), count('failed'));
  }

  private progress(): number {
    return totalProgress(this.items);
  }

  private togglePause(): void {
    if (this.queue.paused) this.queue.resume();
    else this.queue.pause();
    this.requestUpdate();
  }

  private toggle(): void {
    this.collapsed = !this.collapsed;
  }
}

function uploadingText({ sent, waiting }: Extract<Stage, { name: 'uploading' }>): string {
  if (waiting === 'connection') return text.stage.offline(sent);
  return waiting === 'service' ? text.stage.busy(sent) : text.stage.uploading(sent);
}
