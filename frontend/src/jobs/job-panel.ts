// Shows how far a job is that applies settings, labels pictures again, changes their labels, undoes that, deletes pictures, or
// imports them.
import { html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { hasStopped } from '../api/job-tracker';
import type { Job } from '../api/types';
import { close, warning } from '../shared/icons';
import { jobProgress } from '../shared/job-progress';
import panel from '../shared/panel.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './job-panel.css?inline';

/** The sentences of a job of this kind. */
const SENTENCES = {
  RELABEL: text.relabelJob,
  CORRECT: text.correctJob,
  UNDO: text.undoJob,
  DELETE: text.deleteJob,
  REFILTER: text.refilterJob,
  IMPORT: text.importJob,
} as const;

/**
 * Dispatches `cancel` while the job is running, and after it `dismiss`, `undo` to undo it, or `restart` if it has not done
 * everything. A job of settings can't be continued: another one has to apply them (`reapply`).
 */
@customElement('ilg-job-panel')
export class JobPanel extends LitElement {
  static override styles = sheets(panel, css);

  @property({ attribute: false }) job: Job | undefined;
  @property({ type: Boolean }) unreachable = false;

  override render() {
    const { job } = this;
    const sentences = job && sentencesOf(job);
    if (!job || !sentences) return nothing;
    const running = job.status === 'RUNNING';
    const label = running ? sentences.cancel : sentences.close;
    // Not a landmark, which needs a name of its own: several jobs of one kind can be shown at once.
    // The button keeps its place, and the focus, when the job ends.
    return html`<article aria-label=${sentences.title}>
      <header>
        <h2>${jobHeading(job)}</h2>
        ${isUndoable(job) ? html`<button class="button" type="button" @click=${() => this.dispatchEvent(new Event('undo'))}>${text.undo}</button>` : nothing}
        <button class="round quiet" type="button" aria-label=${label} title=${label} @click=${() => this.dispatchEvent(new Event(running ? 'cancel' : 'dismiss'))}>${close}</button>
      </header>
      ${running ? this.progress(job, sentences.progress) : nothing}
      ${job.error ? problem(text.jobError(job.error)) : nothing}
      ${hint(job)}
      ${job.resumable ? this.button(text.restartJob, 'restart') : nothing}
      ${job.kind === 'REFILTER' && hasStopped(job) ? this.button(text.job.reapply, 'reapply') : nothing}
    </article>`;
  }

  private button(label: string, event: 'restart' | 'reapply') {
    return html`<button class="button" type="button" @click=${() => this.dispatchEvent(new Event(event))}>${label}</button>`;
  }

  private progress(job: Job, label: string) {
    return html`${jobProgress(job, label)}
      ${job.waitsUntil ? html`<p class="hint">${text.relabelJob.waits(job.waitsUntil)}</p>` : nothing}
      ${this.unreachable ? problem(text.stage.unreachable) : nothing}`;
  }
}

/** What the person can do after an undo has not restored everything. */
function hint({ kind, status }: Job) {
  return kind === 'UNDO' && status === 'FAILED' ? problem(text.undoJob.failedHint) : nothing;
}

function problem(sentence: string) {
  return html`<p class="problem">${warning}<span>${sentence}</span></p>`;
}

function sentencesOf({ kind }: Job) {
  return kind in SENTENCES ? SENTENCES[kind as keyof typeof SENTENCES] : undefined;
}

/** Whether a job has changed labels, and has ended, so that it can be undone. */
export function isUndoable({ kind, status, changed }: Job): boolean {
  return kind === 'CORRECT' && status !== 'RUNNING' && changed > 0;
}

/** What screen readers say about a job that has started, that has begun to wait, or that has ended. */
export function jobAnnouncement(job: Job): string {
  const heading = jobHeading(job);
  return job.status === 'RUNNING' && job.waitsUntil ? `${heading}. ${text.relabelJob.waits(job.waitsUntil)}` : heading;
}

/** What a job does or has done, also for screen readers. */
function jobHeading(job: Job): string {
  const { status, changed } = job;
  const sentences = sentencesOf(job) ?? text.correctJob;
  switch (status) {
    case 'RUNNING':
      return sentences.running(changed);
    case 'CANCELED':
      return sentences.canceled(changed);
    case 'FAILED':
      return sentences.failed;
    case 'SUCCEEDED':
      return sentences.done(changed);
  }
}
