// Shows how far an export is, and its files.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { JobTracker } from '../api/job-tracker';
import { messageFor } from '../api/problem';
import type { ExportedFile, Job } from '../api/types';
import { close, download, warning } from '../shared/icons';
import { jobProgress } from '../shared/job-progress';
import panel from '../shared/panel.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './export-panel.css?inline';

/** Links are valid for an hour. Older ones than this are requested again, in milliseconds. */
const MAX_LINK_AGE = 50 * 60 * 1000;

/** Dispatches `cancel` while an export is running, and `dismiss` after it. */
@customElement('ilg-export-panel')
export class ExportPanel extends LitElement {
  static override styles = sheets(panel, css);

  @property({ attribute: false }) job: Job | undefined;
  @property({ attribute: false }) exports!: Pick<JobTracker, 'refresh'>;
  @property({ type: Boolean }) unreachable = false;
  @state() private problem = '';
  /** When the links were received, in milliseconds since 1970. */
  private received = 0;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('job')) return;
    this.received = Date.now();
    this.problem = '';
  }

  override render() {
    const { job } = this;
    if (!job) return nothing;
    const running = job.status === 'RUNNING';
    const label = running ? text.exports.cancel : text.exports.close;
    // The button keeps its place, and the focus, when the export ends.
    return html`<section aria-label=${text.exports.title}>
      <header>
        <h2>${heading(job)}</h2>
        <button class="round quiet" type="button" aria-label=${label} title=${label} @click=${() => this.dispatchEvent(new Event(running ? 'cancel' : 'dismiss'))}>${close}</button>
      </header>
      ${running ? this.progress(job) : this.result(job)}
      <div role="alert">${this.problem ? problem(this.problem) : nothing}</div>
    </section>`;
  }

  private progress(job: Job) {
    return html`${jobProgress(job, text.exports.progress)}
      ${this.unreachable ? problem(text.stage.unreachable) : nothing}`;
  }

  private result({ status, files = [], filesExpireAt }: Job) {
    if (status === 'FAILED') return problem(text.exports.failedHint);
    if (status === 'CANCELED') return nothing;
    if (files.length === 0) return html`<p class="hint">${text.exports.nothingHint}</p>`;
    return html`<ul role="list">
        ${files.map((file, index) => this.file(file, index))}
      </ul>
      ${filesExpireAt ? html`<p class="hint">${text.exports.kept(filesExpireAt)}</p>` : nothing}`;
  }

  private file({ url, fileName, images, size }: ExportedFile, index: number) {
    return html`<li>
      <a href=${url} download=${fileName} aria-label=${text.exports.file(fileName)} @click=${(event: Event) => this.renew(event, index)}>
        ${download}<span>${fileName}<small>${text.exports.details(images, size)}</small></span>
      </a>
    </li>`;
  }

  /** Requests the links again if they may have expired, and then follows the new one. */
  private async renew(event: Event, index: number): Promise<void> {
    if (Date.now() - this.received < MAX_LINK_AGE) return;
    event.preventDefault();
    try {
      await this.exports.refresh(this.listening.signal);
      await this.updateComplete;
      this.renderRoot.querySelectorAll('a')[index]?.click();
    } catch (error) {
      if (this.isConnected) this.problem = messageFor(error);
    }
  }
}

function problem(sentence: string) {
  return html`<p class="problem">${warning}<span>${sentence}</span></p>`;
}

function heading({ status, processed, total, files = [] }: Job): string {
  switch (status) {
    case 'RUNNING':
      return text.exports.running(processed, total);
    case 'CANCELED':
      return text.exports.canceled;
    case 'FAILED':
      return text.exports.failed;
    case 'SUCCEEDED':
      return files.length === 0
        ? text.exports.nothing
        : text.exports.done(files.reduce((sum, { images }) => sum + images, 0));
  }
}
