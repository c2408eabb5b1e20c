// Offers to label pictures again whose labels are from an older model.
import { Task, TaskStatus } from '@lit/task';
import { html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { NO_FILTER } from '../api/filter';
import type { JobTracker } from '../api/job-tracker';
import type { JobPreview } from '../api/types';
import { retry } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './older-model.css?inline';

/** How long a count is used again, in milliseconds: counting reads thousands of records. */
const MAX_AGE = 10 * 60 * 1000;

/** The last count of each person, by the tracker of their jobs. */
const counts = new WeakMap<JobTracker, { readonly preview: JobPreview; readonly time: number }>();

/**
 * Takes no space unless there are such pictures. Counts only among the newest ones, as many as one response covers: the
 * settings may be opened often, and the question before a job counts all. Dispatches `relabelolder`.
 */
@customElement('ilg-older-model')
export class OlderModel extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) api!: ApiClient;
  /** The job that labels pictures again. Nothing is offered until it has ended and is dismissed. */
  @property({ attribute: false }) relabelJobs!: JobTracker;
  private listening = new AbortController();
  /** The number is of interest only if it can be had: no errors are shown. */
  private readonly older = new Task(this, {
    args: () => [],
    task: (_, { signal }) => this.count(signal),
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    this.relabelJobs.addEventListener('change', () => this.jobChanged(), { signal: this.listening.signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    this.older.abort();
  }

  private jobChanged(): void {
    // When the job is dismissed, its last pictures are labeled.
    if (!this.relabelJobs.job) {
      counts.delete(this.relabelJobs);
      void this.older.run();
    }
    this.requestUpdate();
  }

  private async count(signal: AbortSignal): Promise<JobPreview> {
    const { relabelJobs } = this;
    const last = counts.get(relabelJobs);
    if (last && Date.now() - last.time < MAX_AGE) return last.preview;
    const preview = await this.api.previewRelabel(NO_FILTER, true, undefined, signal);
    counts.set(relabelJobs, { preview, time: Date.now() });
    // After a job has started, another count is needed, also if this element is not in the page then.
    relabelJobs.addEventListener('change', () => counts.delete(relabelJobs), { once: true });
    return preview;
  }

  override render() {
    const { value, status } = this.older;
    const isFound = status === TaskStatus.COMPLETE && value !== undefined && value.images > 0;
    const found = isFound && !this.relabelJobs.job ? value : undefined;
    this.toggleAttribute('hidden', !found);
    if (!found) return nothing;
    return html`<section aria-label=${text.olderModel.title}>
      <p role="status">${text.olderModel.found(found.images, found.dollars, found.nextCursor !== null)}</p>
      <button class="button" type="button" @click=${() => this.dispatchEvent(new Event('relabelolder', { bubbles: true, composed: true }))}>${retry}<span>${text.olderModel.relabel}</span></button>
    </section>`;
  }
}
