// A field for label names. Suggests the owner's labels with their numbers of pictures (the ARIA combobox pattern).
import { Task } from '@lit/task';
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ApiClient } from '../api/client';
import { MAX_LABEL_LENGTH } from '../api/filter';
import type { CountedLabel } from '../api/types';
import { sleep } from '../shared/backoff';
import { search } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './label-field.css?inline';

/** Suggestions are requested this long after the last key, in milliseconds. */
const DEBOUNCE = 150;
const MAX_SUGGESTIONS = 8;

/** A label was chosen or entered; dispatched as `pick`. */
export class PickEvent extends Event {
  constructor(readonly label: string) {
    super('pick');
  }
}

/** Dispatches `pick`, and `removelast` for Backspace in the empty field. */
@customElement('ilg-label-field')
export class LabelField extends LitElement {
  static override styles = sheets(css);
  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };

  @property({ attribute: false }) api!: ApiClient;
  @property() label = '';
  @property() placeholder = '';
  /** Whether to accept names that no picture has. */
  @property({ type: Boolean }) free = false;
  /** Labels that are not suggested, because they are already chosen. */
  @property({ attribute: false }) chosen: readonly string[] = [];
  @state() private suggestions: readonly CountedLabel[] = [];
  @state() private open = false;
  @state() private active = -1;
  @state() private answered = false;
  @query('input') private input!: HTMLInputElement;
  private readonly lookup = new Task(this, {
    autoRun: false,
    task: async ([prefix]: readonly [string], { signal }) => {
      await sleep(DEBOUNCE, signal);
      return this.api.listLabels(prefix, signal);
    },
    onComplete: (labels) => {
      this.suggestions = labels.filter(({ name }) => !this.chosen.includes(name)).slice(0, MAX_SUGGESTIONS);
      this.answered = true;
    },
    // Suggestions are optional: the person can type the whole name.
    onError: () => {
      this.suggestions = [];
    },
  });

  override render() {
    const shown = this.open && (this.suggestions.length > 0 || this.answered);
    const active = this.active >= 0 ? `option-${this.active}` : nothing;
    return html`
      <span class="icon-holder">${search}</span>
      <input
        type="text"
        role="combobox"
        aria-label=${this.label}
        aria-autocomplete="list"
        aria-expanded=${shown}
        aria-controls="options"
        aria-activedescendant=${active}
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        enterkeyhint="search"
        placeholder=${this.placeholder}
        @input=${this.typed}
        @focus=${this.typed}
        @blur=${this.blurred}
        @keydown=${this.key}
      />
      <div id="options" role="listbox" aria-label=${text.find.suggestions} ?hidden=${!shown}>
        ${this.suggestions.map(
          ({ name, count }, index) => html`<div
            id="option-${index}"
            role="option"
            aria-selected=${index === this.active}
            @pointerdown=${(event: Event) => event.preventDefault()}
            @click=${() => this.pick(name)}
          >
            <span>${name}</span><small>${text.pictures(count)}</small>
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

  private typed(): void {
    // `maxlength` counts UTF-16 code units, not characters.
    const characters = [...this.input.value];
    if (characters.length > MAX_LABEL_LENGTH) this.input.value = characters.slice(0, MAX_LABEL_LENGTH).join('');
    this.open = true;
    this.active = -1;
    const prefix = this.input.value.trim();
    // Until the API responds, keep the suggestions that still match.
    this.suggestions = this.suggestions.filter(({ name }) => name.toLowerCase().startsWith(prefix.toLowerCase()));
    this.answered = false;
    void this.lookup.run([prefix]);
  }

  private blurred(): void {
    this.lookup.abort();
    this.open = false;
  }

  private key(event: KeyboardEvent): void {
    const { length } = this.suggestions;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        if (!this.open) this.typed();
        else if (length > 0) {
          const step = event.key === 'ArrowDown' ? 1 : -1;
          this.active = this.active < 0 && step < 0 ? length - 1 : (this.active + step + length) % length;
        }
        break;
      }
      case 'Enter':
        this.enter(event);
        break;
      case 'Escape':
        if (this.open) event.stopPropagation();
        this.open = false;
        break;
      case 'Backspace':
        if (this.input.value === '') this.dispatchEvent(new Event('removelast'));
        break;
      default:
    }
  }

  private enter(event: KeyboardEvent): void {
    const typed = this.input.value.trim();
    const exact = this.suggestions.find(({ name }) => name.toLowerCase() === typed.toLowerCase());
    // Without an exact match, Enter chooses the first suggestion.
    const suggestion =
      this.suggestions[this.active] ?? exact ?? (this.free || !typed ? undefined : this.suggestions[0]);
    const name = suggestion?.name ?? typed;
    if (!name) return;
    event.preventDefault();
    this.pick(name);
  }

  private pick(name: string): void {
    this.input.value = '';
    this.suggestions = [];
    this.answered = false;
    this.open = false;
    this.lookup.abort();
    this.dispatchEvent(new PickEvent(name));
  }
}
