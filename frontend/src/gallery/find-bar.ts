// Filters the gallery: a field for queries, a panel for confidence, status and dates, and help. It only dispatches the
// new filter, which the address bar stores. While labels are searched for, it also turns their boxes on and off.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import {
  type Filter,
  isUnfiltered,
  NO_FILTER,
  readType,
  STATUSES,
  singleNamesOf,
  TYPES,
  withNames,
} from '../api/filter';
import type { ListedStatus } from '../api/types';
import { close, filters, target } from '../shared/icons';
import { text } from '../shared/text';
import css from './find-bar.css?inline';
import '../labels/label-field';
import type { LabelField, PickEvent, Syntax } from '../labels/label-field';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { type Part, partsOf } from './parts';
import { check, combine, format, parse, QueryError, quote, SUGGESTED_SETTINGS, termBeingTyped } from './query';

/** A change in the panel is applied this long after the last one, in milliseconds: keys change values step by step. */
const APPLY_DELAY = 300;

/** Earlier days are parts of a year that is being typed. */
const FIRST_DAY = '1000-01-01';

/** Text that is too long is not cut off, but explained. */
const QUERY: Syntax = { maxLength: undefined, termBeingTyped, quote, settings: SUGGESTED_SETTINGS };

/** The person changed the filter; dispatched as `filter`. */
export class FilterEvent extends Event {
  constructor(
    readonly filter: Filter,
    /** What happens to the current entry in the browser's history. */
    readonly mode: 'push' | 'replace' = 'push',
  ) {
    super('filter');
  }
}

/** The person wants to see the boxes of the labels in the search, or not; dispatched as `boxes`. */
export class BoxesEvent extends Event {
  constructor(readonly shown: boolean) {
    super('boxes');
  }
}

/** Dispatches `filter` and `boxes`. */
@customElement('ilg-find-bar')
export class FindBar extends LitElement {
  static override styles = sheets(css);
  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };

  @property({ attribute: false }) api!: ApiClient;
  @property({ attribute: false }) filter: Filter = NO_FILTER;
  /** Whether the boxes of the labels in the search are shown. */
  @property({ type: Boolean }) boxes = false;
  /** Why the text of the field was not accepted, or empty. */
  @state() private problem = '';
  /** Changes in the panel that are not applied: not yet, or because they contradict something, and why. */
  @state() private draft: Partial<Filter> = {};
  @state() private draftProblem = '';
  @query('ilg-label-field') private field!: LabelField;
  @query('#from') private fromField!: HTMLInputElement;
  @query('#to') private toField!: HTMLInputElement;
  private applyTimer: ReturnType<typeof setTimeout> | undefined;
  /** The filter that the open panel has applied last, as text. Its next change then replaces this one in the history. */
  private applied: string | undefined;

  /** Moves a part of the filter to the field. */
  edit({ filter }: Part): void {
    // Next to other words, a word can become part of a longer name.
    const labels = this.field.value ? this.field.labels : [];
    this.field.appendText(format(filter, labels));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.applyTimer);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('filter')) return;
    clearTimeout(this.applyTimer);
    this.applyTimer = undefined;
    this.problem = '';
    this.draft = {};
    this.draftProblem = '';
  }

  override render() {
    const active =
      Number(this.filter.minConfidence !== undefined) +
      Number(this.filter.status !== undefined) +
      Number(this.filter.type !== undefined);
    const number = active + Number(Boolean(this.filter.from || this.filter.to));
    return html`
      <search>
        <ilg-label-field
          wide
          .api=${this.api}
          label=${text.find.label}
          placeholder=${text.find.placeholder}
          .chosen=${singleNamesOf(this.filter.labels)}
          .syntax=${QUERY}
          .problem=${this.problem}
          @pick=${this.add}
          @input=${this.clearProblem}
          @keydown=${(event: KeyboardEvent) => event.key === KEYS.field.closeSuggestions && this.clearProblem()}
          @removelast=${this.removeLast}
        ></ilg-label-field>
        ${
          this.filter.labels.length > 0
            ? html`<button class="boxes round ${this.boxes ? '' : 'quiet'}" type="button" aria-pressed=${this.boxes} aria-label=${text.find.boxes} title=${text.find.boxes} @click=${this.toggleBoxes}>${target}</button>`
            : nothing
        }
        <button class="filters round quiet" type="button" popovertarget="filters" aria-label=${text.find.filters(number)} title=${text.find.filters(number)}>
          ${filters}${number > 0 ? html`<span class="count" aria-hidden="true">${number}</span>` : nothing}
        </button>
        ${this.panel()} ${this.help()}
      </search>
    `;
  }

  /** The filter with the changes in the panel. */
  private get edited(): Filter {
    return { ...this.filter, ...this.draft };
  }

  private panel() {
    const { minConfidence, status, type, from, to, untagged } = this.edited;
    return html`<div id="filters" popover @toggle=${this.panelToggled} aria-label=${text.find.filters(0)} role="dialog">
      <label>
        <span>${text.find.confidence} <span class="value">${text.find.atLeast(minConfidence ?? 0)}</span></span>
        <input
          type="range"
          min="0"
          max="100"
          step="5"
          .value=${String(minConfidence ?? 0)}
          ?disabled=${untagged}
          aria-describedby="hint"
          @input=${this.previewConfidence}
          @change=${(event: Event) => this.change({ minConfidence: numberOf(event) || undefined })}
        />
        <small id="hint">${this.confidenceHint()}</small>
      </label>
      <label>
        <span>${text.find.status}</span>
        <select @change=${(event: Event) => this.change({ status: (chosen(event) || undefined) as ListedStatus | undefined })}>
          <option value="" ?selected=${!status}>${text.find.anyStatus}</option>
          ${STATUSES.map((name) => html`<option value=${name} ?selected=${name === status}>${text.statuses[name]}</option>`)}
        </select>
      </label>
      <label>
        <span>${text.find.type}</span>
        <select @change=${(event: Event) => this.change({ type: readType(chosen(event)) })}>
          <option value="" ?selected=${!type}>${text.find.anyType}</option>
          ${TYPES.map((name) => html`<option value=${name} ?selected=${name === type}>${text.find.types[name]}</option>`)}
        </select>
      </label>
      <div class="row">
        <label>
          <span>${text.find.from}</span>
          <input id="from" type="date" .value=${from ?? ''} max=${to ?? ''} @change=${(event: Event) => this.changeDay('from', chosen(event))} />
        </label>
        <label>
          <span>${text.find.to}</span>
          <input id="to" type="date" .value=${to ?? ''} min=${from ?? ''} @change=${(event: Event) => this.changeDay('to', chosen(event))} />
        </label>
      </div>
      ${
        this.filter.labels.length > 0
          ? html`<label class="boxes">
              <span>${text.find.boxes}<input type="checkbox" .checked=${this.boxes} @change=${this.toggleBoxes} /></span>
            </label>`
          : nothing
      }
      <p class="problem" role="alert" ?hidden=${!this.draftProblem}>${this.draftProblem}</p>
      <div class="row">
        <button class="button" type="button" ?disabled=${isUnfiltered(this.filter)} @click=${this.clearAll}>
          ${text.find.clear}
        </button>
        <button class="button" type="button" popovertarget="help">${text.find.help.title}</button>
      </div>
    </div>`;
  }

  /** How to write a query. Opens over the panel. */
  private help() {
    return html`<div id="help" popover role="dialog" aria-labelledby="help-title">
      <div class="heading">
        <h2 id="help-title">${text.find.help.title}</h2>
        <button class="round" type="button" popovertarget="help" popovertargetaction="hide" aria-label=${text.find.help.close} autofocus>${close}</button>
      </div>
      <dl>
        ${text.find.help.lines.map(([example, meaning]) => html`<div><dt><code>${example}</code></dt><dd>${meaning}</dd></div>`)}
      </dl>
    </div>`;
  }

  /** Which labels the slider applies to. */
  private confidenceHint(): string {
    const { labels, untagged } = this.filter;
    const applicable = labels.flat().filter(({ minConfidence }) => minConfidence === undefined);
    if (untagged) return text.find.untaggedConfidence;
    if (labels.length > 0 && applicable.length === 0) return text.find.ownConfidence;
    return text.find.confidenceOf(applicable.map(({ name }) => name));
  }

  /** Adds the text of the field to the filter, or says why it can't. */
  private add(event: PickEvent): void {
    try {
      const { value, known } = event;
      this.apply(
        combine(
          this.filter,
          withNames(parse(value, known.names), (name) => known.nameOf(name)),
        ),
      );
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      event.preventDefault();
      this.problem = error.message;
    }
  }

  private toggleBoxes(): void {
    this.dispatchEvent(new BoxesEvent(!this.boxes));
  }

  private clearProblem(): void {
    this.problem = '';
  }

  private removeLast(): void {
    const last = partsOf(this.filter).at(-1);
    if (last) this.apply(last.rest);
  }

  private previewConfidence(event: Event): void {
    this.draft = { ...this.draft, minConfidence: numberOf(event) || undefined };
  }

  /** Applies a change in the panel after a short delay. */
  private change(change: Partial<Filter>): void {
    this.draft = { ...this.draft, ...change };
    clearTimeout(this.applyTimer);
    this.applyTimer = setTimeout(() => this.applyDraft(), APPLY_DELAY);
  }

  /** While a year is being typed, browsers report days such as 0002-01-31, 0020-01-31 and 0201-01-31. */
  private changeDay(name: 'from' | 'to', day: string): void {
    if (!day || day >= FIRST_DAY) this.change({ [name]: day || undefined });
  }

  private clearAll(): void {
    this.change(NO_FILTER);
    this.applyDraft();
  }

  private panelToggled({ newState }: ToggleEvent): void {
    if (newState !== 'closed') return;
    // Days that were ignored are still in the fields.
    this.fromField.value = this.edited.from ?? '';
    this.toField.value = this.edited.to ?? '';
    if (this.applyTimer !== undefined) this.applyDraft();
    this.applied = undefined;
  }

  /** Applies the changes in the panel, or keeps them there and says why they can't be applied. */
  private applyDraft(): void {
    clearTimeout(this.applyTimer);
    this.applyTimer = undefined;
    const filter = this.edited;
    try {
      check(filter);
      const before = format(this.filter);
      const after = format(filter);
      // After Back, the current entry in the history is not from the panel.
      const mode = this.applied === before ? 'replace' : 'push';
      if (after !== before) this.applied = after;
      this.apply(filter, mode);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      this.draftProblem = error.message;
    }
  }

  private apply(filter: Filter, mode: FilterEvent['mode'] = 'push'): void {
    this.problem = '';
    this.draft = {};
    this.draftProblem = '';
    this.dispatchEvent(new FilterEvent(filter, mode));
  }
}

declare global {
  interface HTMLElementEventMap {
    boxes: BoxesEvent;
    filter: FilterEvent;
  }
}

function chosen({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

function numberOf(event: Event): number {
  return Number(chosen(event));
}
