// The uploads: how far all of them are, and each of them.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { text } from '../text';
import { type Item, isEnded, isOnTheWay, type Queue } from '../upload/queue';
import type { Unfinished } from '../upload/unfinished';
import { chevron, close, done, pause, play, refused, retry } from './icons';
import { sheets } from './styles';
import css from './upload-panel.css?inline';

/** More rows than anybody reads; the rest is a number. What needs attention comes first. */
const ROWS = 60;

/** Dispatches `again` when the files that a reload lost are to be chosen again, and `dismiss` when they are not. */
@customElement('ilg-upload-panel')
export class UploadPanel extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) queue!: Queue;
  @property({ attribute: false }) items: readonly Item[] = [];
  /** What a reload of the page cut off. */
  @property({ attribute: false }) lost: Unfinished | undefined;
  @state() private folded = false;

  override render() {
    if (this.items.length === 0 && !this.lost) return nothing;
    return html`<section aria-label=${text.uploads.title} ?data-folded=${this.folded}>
      ${this.lost ? this.offer(this.lost) : nothing} ${this.items.length > 0 ? this.all() : nothing}
    </section>`;
  }

  private offer({ count, names }: Unfinished) {
    return html`<div class="lost">
      <p>${text.uploads.lost(count, names)}</p>
      <div class="buttons">
        <button class="button primary" type="button" @click=${() => this.dispatchEvent(new Event('again'))}>${text.uploads.chooseAgain}</button>
        <button class="button" type="button" @click=${() => this.dispatchEvent(new Event('dismiss'))}>${text.dismiss}</button>
      </div>
    </div>`;
  }

  private all() {
    const ended = this.items.filter(isEnded).length;
    const over = ended === this.items.length;
    const title = over
      ? this.summary()
      : this.queue.paused
        ? text.uploads.paused
        : text.uploads.progress(ended, this.items.length);
    const waiting = this.items.some(({ stage }) => stage.name === 'waiting');
    return html`
      <header>
        <h2>${title}</h2>
        ${
          waiting || this.queue.paused
            ? this.button(
                this.queue.paused ? play : pause,
                this.queue.paused ? text.uploads.resume : text.uploads.pause,
                () => this.hold(),
              )
            : nothing
        }
        ${this.button(chevron, this.folded ? text.uploads.unfold : text.uploads.fold, () => this.fold(), 'fold')}
        ${
          over
            ? this.button(close, text.uploads.close, () => this.queue.clear())
            : this.items.some(isOnTheWay)
              ? this.button(close, text.uploads.cancelAll, () => this.queue.cancelAll())
              : nothing
        }
      </header>
      ${over ? nothing : html`<progress class="total" max="1" .value=${this.share()} aria-label=${text.uploads.total}></progress>`}
      ${this.folded ? nothing : this.list()}
    `;
  }

  private list() {
    const urgency = ({ stage }: Item) =>
      stage.name === 'failed' || stage.name === 'rejected' ? 0 : stage.name === 'labeled' ? 2 : 1;
    const rows = this.items.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, ROWS);
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
    const open = imageId && (stage.name === 'labeled' || stage.name === 'rejected');
    return html`<li data-stage=${stage.name}>
      <div class="what">
        <p class="name" title=${name}>${open ? html`<a href="/images/${imageId}"><bdi>${name}</bdi></a>` : html`<bdi>${name}</bdi>`}</p>
        ${this.state(item)}
      </div>
      ${stage.name === 'failed' ? this.button(retry, `${text.tryAgain}: ${name}`, () => this.queue.retry(key)) : nothing}
      ${
        stage.name === 'labeled'
          ? html`<span class="done">${done}</span>`
          : stage.name === 'looking'
            ? nothing
            : this.button(close, isOnTheWay(item) ? text.cancel(name) : text.remove(name), () => this.queue.remove(key))
      }
    </li>`;
  }

  private state({ name, stage }: Item) {
    switch (stage.name) {
      case 'waiting':
        return html`<p class="state">${text.stage.waiting}</p>`;
      case 'converting':
        return html`<p class="state">${text.stage.converting}</p>`;
      case 'preparing':
        return html`<p class="state">${text.stage.preparing}</p>`;
      case 'uploading':
        return html`<p class="state">${text.stage.uploading(stage.sent)}</p>
          <progress max="1" .value=${stage.sent} aria-label=${text.uploadOf(name)}></progress>`;
      case 'looking':
        return html`<p class="state">${stage.unreachable ? text.stage.unreachable : stage.slow ? text.stage.slow : text.stage.looking}</p>`;
      case 'labeled':
        return html`<p class="state">${text.uploads.labels(stage.image.labels)}</p>`;
      case 'rejected':
        return html`<p class="state bad">${refused}<span><strong>${text.rejectedTitle}.</strong> ${stage.reason} ${stage.advice ?? ''}</span></p>`;
      case 'failed':
        return html`<p class="state warn">${refused}<span><strong>${text.failedTitle}.</strong> ${stage.reason}</span></p>`;
    }
  }

  private button(icon: unknown, label: string, run: () => void, kind = '') {
    return html`<button class="small ${kind}" type="button" aria-label=${label} title=${label} @click=${run}>${icon}</button>`;
  }

  private summary(): string {
    const count = (name: Item['stage']['name']) => this.items.filter(({ stage }) => stage.name === name).length;
    return text.uploads.summary(count('labeled'), count('rejected'), count('failed'));
  }

  /** How far everything is together, 0 to 1: by files, since what takes long is looking at them. */
  private share(): number {
    const parts = this.items.map((item) => {
      if (isEnded(item)) return 1;
      if (item.stage.name === 'looking') return 0.8;
      return item.stage.name === 'uploading' ? 0.8 * item.stage.sent : 0;
    });
    return parts.reduce((sum, part) => sum + part, 0) / parts.length;
  }

  private hold(): void {
    if (this.queue.paused) this.queue.resume();
    else this.queue.pause();
    this.requestUpdate();
  }

  private fold(): void {
    this.folded = !this.folded;
  }
}
