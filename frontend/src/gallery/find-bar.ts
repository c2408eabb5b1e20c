// Filters the gallery by labels, confidence, status and dates. It only dispatches the new filter, which the address bar
// stores.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { type Filter, isUnfiltered, MAX_FILTER_LABELS, NO_FILTER } from '../api/filter';
import type { ListedStatus } from '../api/types';
import { close, filters } from '../shared/icons';
import { text } from '../shared/text';
import css from './find-bar.css?inline';
import '../labels/label-field';
import type { PickEvent } from '../labels/label-field';
import { sheets } from '../shared/styles';

const STATUSES = ['LABELED', 'PROCESSING', 'REJECTED', 'FAILED'] as const satisfies readonly ListedStatus[];

/** The person changed the filter; dispatched as `filter`. */
export class FilterEvent extends Event {
  constructor(readonly filter: Filter) {
    super('filter');
  }
}

@customElement('ilg-find-bar')
export class FindBar extends LitElement {
  static override styles = sheets(css);
  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) filter: Filter = NO_FILTER;
  /** The confidence while the slider is moved. */
  @state() private sliding: number | undefined;

  override render() {
    const { labels } = this.filter;
    const active = Number(this.filter.minConfidence !== undefined) + Number(this.filter.status !== undefined);
    const number = active + Number(Boolean(this.filter.from || this.filter.to));
    return html`
      <search>
        <ilg-label-field
          wide
          .api=${this.api}
          label=${text.find.label}
          placeholder=${text.find.placeholder}
          .chosen=${labels}
          @pick=${({ label }: PickEvent) => this.change({ labels: [...new Set([...labels, label])].slice(-MAX_FILTER_LABELS) })}
          @removelast=${() => labels.length > 0 && this.change({ labels: labels.slice(0, -1) })}
        ></ilg-label-field>
        <button class="filters" type="button" popovertarget="filters" aria-label=${text.find.filters(number)} title=${text.find.filters(number)}>
          ${filters}${number > 0 ? html`<span class="count" aria-hidden="true">${number}</span>` : nothing}
        </button>
        ${this.panel()}
      </search>
    `;
  }

  private panel() {
    const { minConfidence, status, from, to, labels } = this.filter;
    return html`<div id="filters" popover aria-label=${text.find.filters(0)} role="dialog">
      <label>
        <span>${text.find.confidence} <span class="value">${text.find.atLeast(this.sliding ?? minConfidence ?? 0)}</span></span>
        <input
          type="range"
          min="0"
          max="100"
          step="5"
          .value=${String(minConfidence ?? 0)}
          aria-describedby="hint"
          @input=${this.previewConfidence}
          @change=${(event: Event) => this.change({ minConfidence: numberOf(event) || undefined })}
        />
        <small id="hint">${text.find.confidenceOf(labels)}</small>
      </label>
      <label>
        <span>${text.find.status}</span>
        <select @change=${(event: Event) => this.change({ status: (chosen(event) || undefined) as ListedStatus | undefined })}>
          <option value="" ?selected=${!status}>${text.find.anyStatus}</option>
          ${STATUSES.map((name) => html`<option value=${name} ?selected=${name === status}>${text.statuses[name]}</option>`)}
        </select>
      </label>
      <div class="dates">
        <label>
          <span>${text.find.from}</span>
          <input type="date" .value=${from ?? ''} max=${to ?? ''} @change=${(event: Event) => this.change({ from: chosen(event) || undefined })} />
        </label>
        <label>
          <span>${text.find.to}</span>
          <input type="date" .value=${to ?? ''} min=${from ?? ''} @change=${(event: Event) => this.change({ to: chosen(event) || undefined })} />
        </label>
      </div>
      <button class="button" type="button" ?disabled=${isUnfiltered(this.filter)} @click=${() => this.change(NO_FILTER)}>
        ${text.find.clear}
      </button>
    </div>`;
  }

  private previewConfidence(event: Event): void {
    this.sliding = numberOf(event);
  }

  private change(change: Partial<Filter>): void {
    this.sliding = undefined;
    this.dispatchEvent(new FilterEvent({ ...this.filter, ...change }));
  }
}

/** The active filters, with a button to remove each. Dispatches `filter`. */
@customElement('ilg-filter-chips')
export class FilterChips extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) filter: Filter = NO_FILTER;

  override render() {
    const { labels, minConfidence, status, from, to } = this.filter;
    if (isUnfiltered(this.filter)) return nothing;
    const chips: [string, Partial<Filter>][] = labels.map((label) => [
      label,
      { labels: labels.filter((other) => other !== label) },
    ]);
    if (minConfidence !== undefined) chips.push([text.find.atLeast(minConfidence), { minConfidence: undefined }]);
    if (status) chips.push([text.statuses[status] ?? status, { status: undefined }]);
    if (from || to) chips.push([text.find.period(from, to), { from: undefined, to: undefined }]);
    return html`<ul role="list" class="chips" aria-label=${text.find.active}>
      ${chips.map(
        ([name, change]) => html`<li>
          <span>${name}</span>
          <button type="button" aria-label=${text.find.remove(name)} @click=${() => this.change(change)}>${close}</button>
        </li>`,
      )}
      ${chips.length > 1 ? html`<li class="all"><button type="button" @click=${() => this.change(NO_FILTER)}>${text.find.clear}</button></li>` : nothing}
    </ul>`;
  }

  private change(change: Partial<Filter>): void {
    this.dispatchEvent(new FilterEvent({ ...this.filter, ...change }));
  }
}

declare global {
  interface HTMLElementEventMap {
    filter: FilterEvent;
    pick: PickEvent;
  }
}

function chosen({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

function numberOf(event: Event): number {
  return Number(chosen(event));
}
