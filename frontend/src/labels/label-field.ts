// A field for label names. Suggests the owner's labels with their numbers of pictures (the ARIA combobox pattern), also by
// their aliases. By default its text is one name. With another syntax, the text can be a longer expression that ends with a name.
import { Task, TaskStatus } from '@lit/task';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import type { ApiClient } from '../api/client';
import { includesLabel, isSameLabel, MAX_LABEL_LENGTH } from '../api/filter';
import { sleep } from '../shared/backoff';
import { add, search } from '../shared/icons';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { joined, KnownLabels, type Suggestion } from './completion';
import css from './label-field.css?inline';

/** Labels that begin like a text are requested this long after its last key, in milliseconds. */
export const DEBOUNCE = 150;
const MAX_SUGGESTIONS = 8;
/** Settings are suggested after this many characters, so that they do not come before labels. */
const MIN_SETTING_PREFIX = 2;

/** The name that is being typed at the end of a text. */
export interface TypedTerm {
  /** Where it starts, in UTF-16 code units. */
  readonly start: number;
  /** What is typed of the name. */
  readonly prefix: string;
  /** Whether Enter keeps the term as it is, instead of completing it. */
  readonly complete: boolean;
}

/** How the text of a field contains names. */
export interface Syntax {
  /** In characters. Longer text is cut off; `undefined` to keep it. */
  readonly maxLength: number | undefined;
  /** The name that is being typed, or `undefined` if it is something else. `labels` are the owner's, as far as known. */
  termBeingTyped(value: string, labels: readonly string[]): TypedTerm | undefined;
  /** A name as the text contains it. */
  quote(name: string, labels: readonly string[]): string;
  /** Other texts that are suggested, and not quoted. */
  readonly settings?: readonly string[];
}

/** The whole text is one name. */
const ONE_NAME: Syntax = {
  maxLength: MAX_LABEL_LENGTH,
  termBeingTyped: (value) => ({ start: 0, prefix: value.trim(), complete: false }),
  quote: (name) => name,
};

/** The text was entered, completed by a suggestion; dispatched as `pick`. Cancel it to keep the text in the field. */
export class PickEvent extends Event {
  constructor(
    readonly value: string,
    /** The owner's labels, as far as known. */
    readonly known: KnownLabels,
  ) {
    super('pick', { cancelable: true });
  }
}

/** Dispatches `pick`, and `removelast` for Backspace in the empty field. */
@customElement('ilg-label-field')
export class LabelField extends LitElement {
  static override styles = sheets(css);
  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };

  @property({ attribute: false }) api!: Pick<ApiClient, 'listLabels'>;
  @property() label = '';
  @property() placeholder = '';
  /** Whether to accept names that no picture has. Parents are suggested, too. */
  @property({ type: Boolean }) free = false;
  /** Whether the field adds labels, instead of searching. */
  @property({ type: Boolean }) adding = false;
  /** Whether suggestions appear only after the person has typed something, because they would cover what is below. */
  @property({ type: Boolean }) quiet = false;
  /** Labels that are not suggested, because they are already chosen. */
  @property({ attribute: false }) chosen: readonly string[] = [];
  @property({ attribute: false }) syntax: Syntax = ONE_NAME;
  /** Why the text was not accepted, or empty. */
  @property() problem = '';
  @state() private suggestions: readonly Suggestion[] = [];
  @state() private open = false;
  @state() private active = -1;
  @state() private answered = false;
  /** How many times the text was entered. */
  @state() private attempts = 0;
  @query('input') private input!: HTMLInputElement;
  @query('#options') private options!: HTMLElement;
  @query('[aria-selected="true"]') private highlighted!: HTMLElement | null;
  /** The owner's most frequent labels, once they are loaded. */
  private known = new KnownLabels([]);
  /** The prefix whose suggestions are requested or shown. */
  private requested: string | undefined;
  private readonly loading = new Task(this, {
    autoRun: false,
    task: (_, { signal }) => this.api.listLabels('', signal),
    onComplete: (labels) => {
      this.known = new KnownLabels(labels);
      if (this.open) this.suggest();
    },
    // Suggestions are optional: the person can type the whole name.
    onError: () => {},
  });
  private readonly lookup = new Task(this, {
    autoRun: false,
    task: async ([prefix]: readonly [string], { signal }) => {
      await sleep(DEBOUNCE, signal);
      const labels = await this.api.listLabels(prefix, signal);
      return new KnownLabels(joined(labels, this.known.labels)).suggest(prefix, this.free);
    },
    onComplete: (suggestions) => {
      this.show([...suggestions, ...this.settingsFor(this.requested ?? '')]);
      this.answered = true;
    },
    onError: () => {
      this.requested = undefined;
    },
  });

  override render() {
    const shown = this.open && (this.suggestions.length > 0 || (this.answered && !this.free));
    const active = this.active >= 0 ? `option-${this.active}` : nothing;
    return html`
      <span class="icon-holder">${this.adding ? add : search}</span>
      <input
        type="text"
        role="combobox"
        aria-label=${this.label}
        aria-autocomplete="list"
        aria-expanded=${shown}
        aria-controls="options"
        aria-activedescendant=${active}
        aria-invalid=${this.problem ? 'true' : nothing}
        aria-describedby=${this.problem ? 'problem' : nothing}
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        enterkeyhint=${this.adding ? 'done' : 'search'}
        placeholder=${this.placeholder}
        @input=${this.typed}
        @focus=${this.focused}
        @blur=${this.blurred}
        @keydown=${this.key}
      />
      ${
        // A new element for each attempt, so that screen readers announce the same problem again.
        keyed(
          this.attempts,
          html`<div id="problem" role="alert" ?hidden=${shown || !this.problem}>${this.problem}</div>`,
        )
      }
      <div id="options" role="listbox" aria-label=${text.find.suggestions} ?hidden=${!shown}>
        ${this.suggestions.map(
          ({ name, count, alias }, index) => html`<div
            id="option-${index}"
            role="option"
            aria-selected=${index === this.active}
            @pointerdown=${(event: Event) => event.preventDefault()}
            @click=${() => this.pick(this.completed(name))}
          >
            <span>${name}${alias === undefined ? nothing : html` <small>${alias}</small>`}</span>
            ${count === undefined ? nothing : html`<small>${text.pictures(count)}</small>`}
          </div>`,
        )}
        ${
          this.suggestions.length === 0
            ? html`<div role="option" aria-disabled="true" aria-selected="false" class="none">${text.find.noSuchLabel}</div>`
            : nothing
        }
      </div>
    `;
  }

  override updated(changed: PropertyValues): void {
    // Near the end of a view, the suggestions would be out of sight.
    if (this.free && this.open && this.suggestions.length > 0) this.options.scrollIntoView({ block: 'nearest' });
    // There can be more suggestions than fit.
    if (changed.has('active')) this.scrollToHighlighted();
  }

  /** Scrolls only the suggestions: `scrollIntoView` would also scroll the page. */
  private scrollToHighlighted(): void {
    const { options, highlighted } = this;
    if (!highlighted) return;
    const { offsetTop, offsetHeight } = highlighted;
    const bottom = offsetTop + offsetHeight - options.clientHeight;
    options.scrollTop = Math.min(offsetTop, Math.max(bottom, options.scrollTop));
  }

  /** The names and aliases of the owner's labels, as far as they are known. */
  get labels(): readonly string[] {
    return this.known.names;
  }

  get value(): string {
    return this.input.value.trim();
  }

  /** The label that has this alias, or the name itself. */
  nameOf(name: string): string {
    return this.known.nameOf(name);
  }

  /** Empties the field. */
  clear(): void {
    this.input.value = '';
  }

  /** Appends text to the field, with spaces around it, and moves the focus there. */
  appendText(value: string): void {
    this.input.value = `${[this.value, value].filter(Boolean).join(' ')} `;
    this.input.focus();
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  private get term(): TypedTerm | undefined {
    return this.syntax.termBeingTyped(this.input.value, this.labels);
  }

  private focused(): void {
    void this.loading.run();
    this.typed();
  }

  private typed(): void {
    this.openSuggestions();
    if (this.quiet && this.value === '') this.open = false;
  }

  private openSuggestions(): void {
    // `maxlength` counts UTF-16 code units, not characters.
    const characters = [...this.input.value];
    const { maxLength = characters.length } = this.syntax;
    if (characters.length > maxLength) this.input.value = characters.slice(0, maxLength).join('');
    this.open = true;
    this.active = -1;
    this.suggest();
  }

  /** Suggests labels for the name that is being typed. */
  private suggest(): void {
    const { prefix } = this.term ?? {};
    if (prefix === undefined || [...prefix].length > MAX_LABEL_LENGTH) {
      this.abortLookup();
      this.show([]);
      return;
    }
    const isNew = prefix !== this.requested;
    if (isNew) this.abortLookup();
    const settings = this.settingsFor(prefix);
    if (prefix.includes(':')) {
      this.show(settings);
      return;
    }
    // Until the API responds, show the known labels that match.
    if (!this.answered) {
      this.show([...this.known.suggest(prefix, this.free), ...settings]);
    }
    if (!isNew || !prefix) return;
    this.requested = prefix;
    void this.lookup.run([prefix]);
  }

  /** The settings that begin like this. */
  private settingsFor(prefix: string): Suggestion[] {
    const matching = (this.syntax.settings ?? []).filter(
      (setting) => prefix.length >= MIN_SETTING_PREFIX && setting.startsWith(prefix.toLowerCase()),
    );
    return matching.map((name) => ({ name, count: undefined, alias: undefined }));
  }

  private abortLookup(): void {
    this.lookup.abort();
    this.requested = undefined;
    this.answered = false;
  }

  private show(suggestions: readonly Suggestion[]): void {
    const highlighted = this.suggestions[this.active]?.name;
    this.suggestions = suggestions.filter(({ name }) => !includesLabel(this.chosen, name)).slice(0, MAX_SUGGESTIONS);
    this.active = this.suggestions.findIndex(({ name }) => name === highlighted);
  }

  private blurred(): void {
    this.abortLookup();
    this.open = false;
  }

  private key(event: KeyboardEvent): void {
    const { length } = this.suggestions;
    switch (event.key) {
      case KEYS.field.nextSuggestion:
      case KEYS.field.previousSuggestion: {
        event.preventDefault();
        if (!this.open) this.openSuggestions();
        else if (length > 0) {
          const step = event.key === KEYS.field.nextSuggestion ? 1 : -1;
          this.active = this.active < 0 && step < 0 ? length - 1 : (this.active + step + length) % length;
        }
        break;
      }
      case KEYS.field.accept:
        void this.enter(event);
        break;
      case KEYS.field.closeSuggestions:
        if (this.open) {
          event.stopPropagation();
          // A dialog around the field stays open.
          event.preventDefault();
        }
        this.open = false;
        break;
      case KEYS.field.removeLast:
        // Holding the key empties the field. Only another press removes what is chosen.
        if (this.input.value === '' && !event.repeat) this.dispatchEvent(new Event('removelast'));
        break;
      default:
    }
  }

  private async enter(event: KeyboardEvent): Promise<void> {
    const highlighted = this.suggestions[this.active];
    const typed = this.input.value;
    if (!highlighted && !this.value) return;
    event.preventDefault();
    await this.loaded();
    // The person went on typing, or pressed Enter twice.
    if (this.input.value !== typed) return;
    const suggestion = highlighted ?? this.completion();
    this.pick(suggestion ? this.completed(suggestion.name) : this.value);
  }

  /** Resolves when the labels are loaded for the first time, or can't be loaded. */
  private async loaded(): Promise<void> {
    if (this.known.labels.length > 0 || this.loading.status !== TaskStatus.PENDING) return;
    await this.loading.taskComplete.catch(() => {});
  }

  /** The suggestion that Enter chooses if none is highlighted. */
  private completion(): Suggestion | undefined {
    const { prefix, complete } = this.term ?? { prefix: '', complete: true };
    if (!prefix || complete) return undefined;
    const named = this.known.nameOf(prefix);
    const exact = this.suggestions.find(({ name }) => isSameLabel(name, named));
    return exact ?? (this.free ? undefined : this.suggestions[0]);
  }

  /** The text, with this name in place of the one that is being typed. */
  private completed(name: string): string {
    const { start = this.input.value.length } = this.term ?? {};
    const written = this.syntax.settings?.includes(name) ? name : this.syntax.quote(name, this.labels);
    return this.input.value.slice(0, start) + written;
  }

  private pick(value: string): void {
    this.abortLookup();
    this.show([]);
    this.open = false;
    this.attempts += 1;
    const accepted = this.dispatchEvent(new PickEvent(value, this.known));
    if (accepted) this.input.value = '';
    // Keeps a space at the end, which says that the last name is complete.
    else if (value !== this.value) this.input.value = value;
  }
}

declare global {
  interface HTMLElementEventMap {
    pick: PickEvent;
  }
}
