// A field for label names that completes the owner's own, with how many pictures have each (the combobox pattern).
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { LONGEST_LABEL } from '../address';
import type { ApiClient } from '../api/client';
import type { CountedLabel } from '../api/types';
import { sleep } from '../backoff';
import { text } from '../text';
import { search } from './icons';
import css from './label-field.css?inline';
import { sheets } from './styles';

/** How long typing has to rest before the API is asked, in milliseconds. */
const REST = 150;
const SUGGESTIONS = 8;

/** A label was chosen; dispatched as `pick`. */
export class PickEvent extends Event {
  constructor(readonly label: string) {
    super('pick');
  }
}

/** Dispatches `pick` for a label that was chosen or typed, and `takeback` for Backspace in the empty field. */
@customElement('ilg-label-field')
export class LabelField extends LitElement {
  static override styles = sheets(css);
  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };

  @property({ attribute: false }) api!: ApiClient;
  @property() label = '';
  @property() placeholder = '';
  /** Whether names that no picture has can be entered too. */
  @property({ type: Boolean }) free = false;
  /** Labels that are chosen already. */
  @property({ attribute: false }) chosen: readonly string[] = [];
  @state() private suggestions: readonly CountedLabel[] = [];
  @state() private open = false;
  @state() private active = -1;
  @state() private asked = false;
  @query('input') private input!: HTMLInputElement;
  private asking = new AbortController();

  override render() {
    const shown = this.open && (this.suggestions.length > 0 || this.asked);
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
        maxlength=${LONGEST_LABEL}
        placeholder=${this.placeholder}
        @input=${this.typed}
        @focus=${this.typed}
        @blur=${this.left}
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

  private async typed(): Promise<void> {
    this.open = true;
    this.active = -1;
    this.asking.abort();
    const asking = new AbortController();
    this.asking = asking;
    try {
      await sleep(REST, asking.signal);
      const labels = await this.api.listLabels(this.input.value.trim(), asking.signal);
      this.suggestions = labels.filter(({ name }) => !this.chosen.includes(name)).slice(0, SUGGESTIONS);
      this.asked = true;
    } catch {
      // Without suggestions, a name can still be typed whole.
      if (!asking.signal.aborted) this.suggestions = [];
    }
  }

  private left(): void {
    this.asking.abort();
    this.open = false;
  }

  private key(event: KeyboardEvent): void {
    const { length } = this.suggestions;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        if (!this.open) void this.typed();
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
        if (this.input.value === '') this.dispatchEvent(new Event('takeback'));
        break;
      default:
    }
  }

  private enter(event: KeyboardEvent): void {
    const typed = this.input.value.trim();
    const same = this.suggestions.find(({ name }) => name.toLowerCase() === typed.toLowerCase());
    // The first suggestion is what somebody means who types "do" and Enter.
    const meant = this.suggestions[this.active] ?? same ?? (this.free || !typed ? undefined : this.suggestions[0]);
    const name = meant?.name ?? typed;
    if (!name) return;
    event.preventDefault();
    this.pick(name);
  }

  private pick(name: string): void {
    this.input.value = '';
    this.suggestions = [];
    this.asked = false;
    this.open = false;
    this.asking.abort();
    this.dispatchEvent(new PickEvent(name));
  }
}
