// What happened to a picture: the workflow's steps as a graph, each with its time, its attempts and its errors.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { ApiError, NetworkError } from '../api/problem';
import type { Execution, Image, Step } from '../api/types';
import { text } from '../text';
import { cssProperties } from './css-properties';
import css from './execution-graph.css?inline';
import { done, refused } from './icons';
import { sheets } from './styles';

@customElement('ilg-execution-graph')
export class ExecutionGraph extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) image: Image | undefined;
  @state() private execution: Execution | undefined;
  @state() private failure: string | undefined;
  private asking = new AbortController();
  private wanted = false;

  override connectedCallback(): void {
    super.connectedCallback();
    // Asked for when the fold around it is opened for the first time.
    const fold = this.closest('details');
    fold?.addEventListener('toggle', () => {
      this.wanted = fold.open;
      if (this.wanted && !this.execution) void this.load();
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.asking.abort();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('image');
    if (!before || (before.imageId === this.image?.imageId && before.updatedAt === this.image.updatedAt)) return;
    this.execution = undefined;
    if (this.wanted) void this.load();
  }

  override render() {
    if (this.failure) return html`<p class="hint" role="alert">${this.failure}</p>`;
    if (!this.execution) return html`<p class="hint">${text.execution.loading}</p>`;
    const { status, startedAt, stoppedAt, steps } = this.execution;
    const longest = Math.max(1, ...steps.map(({ durationMs }) => durationMs ?? 0));
    const total = stoppedAt ? Date.parse(stoppedAt) - Date.parse(startedAt) : undefined;
    return html`
      <p class="sum">${text.execution.sum(status, startedAt, total)}</p>
      <ol role="list">${steps.map((step) => this.step(step, longest))}</ol>
    `;
  }

  private step({ name, status, startedAt, durationMs, attempts, error }: Step, longest: number) {
    const ended = status === 'SUCCEEDED';
    const failed = !ended && status !== 'RUNNING';
    return html`<li data-status=${failed ? 'failed' : ended ? 'done' : 'open'}>
      <span class="node">${failed ? refused : ended ? done : nothing}</span>
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

  private async load(): Promise<void> {
    const { image } = this;
    if (!image) return;
    this.asking.abort();
    const asking = new AbortController();
    this.asking = asking;
    this.failure = undefined;
    try {
      this.execution = await this.api.getExecution(image.imageId, asking.signal);
    } catch (error) {
      if (asking.signal.aborted) return;
      const gone = error instanceof ApiError && error.status === 404;
      const known = error instanceof ApiError || error instanceof NetworkError;
      this.failure = gone ? text.execution.gone : known ? error.message : text.unexpected;
    }
  }
}
