// How far new settings are applied to all pictures. Offers to apply them again after the job was canceled or has failed.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { JobTracker } from '../api/job-tracker';
import { messageFor } from '../api/problem';
import type { Job } from '../api/types';
import type { SettingsStore } from '../labels/settings-store';
import { retry } from '../shared/icons';
import { jobProgress } from '../shared/job-progress';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './job-progress.css?inline';

@customElement('ilg-job-progress')
export class JobProgress extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) jobs!: JobTracker;
  @property({ attribute: false }) settings!: SettingsStore;
  @state() private problem = '';
  @state() private canceling = false;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    this.jobs.addEventListener('change', () => this.jobChanged(), { signal: this.listening.signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
    // The person has seen how the job ended.
    this.jobs.dismiss();
  }

  override render() {
    const { job } = this.jobs;
    // Takes no space without a job.
    this.toggleAttribute('hidden', !job);
    if (!job) return nothing;
    return html`<section aria-label=${text.job.title}>
      ${job.status === 'RUNNING' ? this.running(job) : this.ended(job)}
      <div role="alert">${this.problem ? html`<p class="bad">${this.problem}</p>` : nothing}</div>
    </section>`;
  }

  private running(job: Job) {
    const { total, processed, changed } = job;
    const sentence = total === null ? text.job.starting : text.job.running(processed, total, changed);
    return html`
      <div class="line">
        <p>${sentence}</p>
        <button class="button" type="button" ?disabled=${this.canceling} @click=${this.cancel}>${text.job.cancel}</button>
      </div>
      ${jobProgress(job, text.job.title)}
      ${this.jobs.isUnreachable ? html`<p class="hint">${text.stage.unreachable}</p>` : nothing}
    `;
  }

  private ended({ status, total, processed, changed, error }: Job) {
    if (status === 'SUCCEEDED') return html`<p role="status">${text.job.done(changed)}</p>`;
    const reason = error ? ` ${text.jobError(error)}` : '';
    const sentence =
      status === 'CANCELED' ? text.job.canceled(processed, total ?? processed) : text.job.failed + reason;
    return html`<div class="line">
      <p role="status">${sentence}</p>
      <button class="button" type="button" @click=${this.reapply}>${retry}<span>${text.job.reapply}</span></button>
    </div>`;
  }

  private async cancel(): Promise<void> {
    this.problem = '';
    this.canceling = true;
    try {
      await this.jobs.cancel();
    } catch (error) {
      if (this.isConnected) this.problem = messageFor(error);
    }
    this.canceling = false;
  }

  private async reapply(): Promise<void> {
    this.problem = '';
    try {
      await this.settings.reapply();
    } catch (error) {
      if (this.isConnected) this.problem = messageFor(error);
    }
  }

  private jobChanged(): void {
    this.problem = '';
    this.requestUpdate();
  }
}
