// The steps of the workflow for a picture, each with its time, attempts and error.
import { initialState, Task } from '@lit/task';
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { ApiError, messageFor } from '../api/problem';
import type { Execution, Image, Step } from '../api/types';
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { cssProperties } from '../shared/css-properties';
import { check, warning } from '../shared/icons';
import { whenOnline, whenVisible } from '../shared/page-state';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './execution-graph.css?inline';

/** A picture has its labels a moment before its execution ends. The execution of a video takes minutes. */
const POLLING: Backoff = { first: 1_000, limit: 10_000 };

@customElement('ilg-execution-graph')
export class ExecutionGraph extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) image: Image | undefined;
  /** Whether the surrounding <details> is open. The steps are loaded only then. */
  @state() private open = false;
  /** The execution as it was loaded last, until it has ended. */
  @state() private running: Execution | undefined;
  private readonly loading = new Task(this, {
    args: () => [this.open ? this.image?.imageId : undefined, this.image?.updatedAt] as const,
    task: async ([imageId], { signal }) => {
      this.running = undefined;
      return imageId ? this.ended(imageId, signal) : initialState;
    },
  });

  override connectedCallback(): void {
    super.connectedCallback();
    const details = this.closest('details');
    details?.addEventListener('toggle', () => {
      this.open = details.open;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.loading.abort();
  }

  override render() {
    const loading = () => html`<p class="hint">${text.execution.loading}</p>`;
    return this.loading.render({
      initial: loading,
      pending: () => (this.running ? this.steps(this.running) : loading()),
      complete: (execution) => this.steps(execution),
      error: (error) => {
        const gone = error instanceof ApiError && error.status === 404;
        return html`<p class="hint" role="alert">${gone ? text.execution.gone : messageFor(error)}</p>`;
      },
    });
  }

  /** The execution when it has ended. Until then, its steps are shown as far as they are known. */
  private async ended(imageId: string, signal: AbortSignal): Promise<Execution> {
    for (let attempt = 0; ; attempt += 1) {
      const execution = await this.api.getExecution(imageId, signal);
      signal.throwIfAborted();
      if (execution.status !== 'RUNNING') return execution;
      this.running = execution;
      await sleep(backoffDelay(attempt, POLLING), signal);
      await whenVisible(signal);
      await whenOnline(signal);
    }
  }

  private steps({ status, startedAt, stoppedAt, steps }: Execution) {
    const longest = Math.max(1, ...steps.map(({ durationMs }) => durationMs ?? 0));
    const total = stoppedAt ? Date.parse(stoppedAt) - Date.parse(startedAt) : undefined;
    return html`
      <p class="summary">${text.execution.summary(status, startedAt, total)}</p>
      <ol role="list">${steps.map((step) => this.step(step, longest))}</ol>
    `;
  }

  private step({ name, status, startedAt, durationMs, attempts, error }: Step, longest: number) {
    const ended = status === 'SUCCEEDED';
    const failed = !ended && status !== 'RUNNING';
    return html`<li data-status=${failed ? 'failed' : ended ? 'done' : 'open'}>
      <span class="node">${failed ? warning : ended ? check : nothing}</span>
      <div>
        <p class="name">${name}</p>
        <p class="times">${text.execution.step(status, startedAt ?? undefined, durationMs ?? undefined, attempts)}</p>
        ${
          durationMs == null
            ? nothing
            : html`<span class="bar" aria-hidden="true" ${cssProperties({ width: `${(durationMs / longest) * 100}%` })}></span>`
        }
        ${error ? html`<p class="error"><strong>${error.name}</strong>${error.message ? `: ${error.message}` : ''}</p>` : nothing}
      </div>
    </li>`;
  }
}
