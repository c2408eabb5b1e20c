// A picture's labels with their confidences and, if expanded, parents, categories and aliases. Each can be removed.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Label } from '../api/types';
import { close, menu, target } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { HighlightEvent } from './highlight-event';
import css from './label-list.css?inline';

/** How many labels are listed before "Show all". */
const MAX_LABELS = 8;

/** The person wants to remove a label from the picture; dispatched as `removelabel`. */
export class RemoveLabelEvent extends Event {
  constructor(
    readonly label: string,
    /** The label's place in the list, if the keyboard was used. */
    readonly place: number | undefined,
  ) {
    super('removelabel');
  }
}

/** The person wants to see what else can be done with a label; dispatched as `labelmenu`. */
export class LabelMenuEvent extends Event {
  constructor(readonly label: string) {
    super('labelmenu');
  }
}

/** Dispatches `highlight`, `removelabel` and `labelmenu`. */
@customElement('ilg-label-list')
export class LabelList extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) labels: readonly Label[] = [];
  /** Labels whose corrections are being sent. */
  @property({ attribute: false }) pending: ReadonlySet<string> = new Set();
  @property({ attribute: false }) modelVersion: string | undefined;
  /** The label whose boxes are highlighted. */
  @property({ attribute: false }) highlight: string | undefined;
  @state() private all = false;
  /** The label whose boxes stay highlighted, for touch screens. */
  @state() private pinned: string | undefined;

  override render() {
    if (this.labels.length === 0) return html`<p class="none">${text.noLabels}</p>`;
    const shown = this.all ? this.labels : this.labels.slice(0, MAX_LABELS);
    return html`
      <ul role="list" aria-label=${text.labelsHeading}>
        ${repeat(
          shown,
          ({ name }) => name,
          (label, place) => this.row(label, place),
        )}
      </ul>
      ${
        this.labels.length > MAX_LABELS
          ? html`<button class="toggle" type="button" aria-expanded=${this.all} @click=${this.toggle}>
              ${this.all ? text.showFewer : text.showAll(this.labels.length)}
            </button>`
          : nothing
      }
      ${this.more(shown)}
    `;
  }

  /** Focuses the button that removes the label at this place, or the last one. Returns whether there is one. */
  focusRemoval(place: number): boolean {
    const buttons = [...this.renderRoot.querySelectorAll<HTMLButtonElement>('.remove')];
    const button = buttons[Math.min(place, buttons.length - 1)];
    button?.focus();
    return button !== undefined;
  }

  private row({ name, confidence, instances, added, keyword, detectedAs }: Label, place: number) {
    const isCertain = added || keyword;
    const hasBoxes = instances.length > 0;
    const point = (to: string | undefined) => () => hasBoxes && this.point(to);
    return html`<li ?data-on=${hasBoxes && name === this.highlight} ?data-added=${isCertain} @pointerenter=${point(name)} @pointerleave=${point(undefined)}>
      ${
        hasBoxes
          ? html`<button
              class="name"
              type="button"
              aria-pressed=${name === this.pinned}
              aria-label=${text.showBoxes(name, instances.length)}
              @click=${() => this.pin(name)}
              @focus=${point(name)}
              @blur=${point(undefined)}
            >
              <span>${name}</span>${target}${instances.length > 1 ? html`<small>${instances.length}</small>` : nothing}
            </button>`
          : html`<span class="name">${name}</span>`
      }
      <span class="value">${isCertain ? text.corrections.origin(added) : text.confidence(confidence)}</span>
      <button
        class="tool"
        type="button"
        aria-label=${text.corrections.menu(name)}
        title=${text.corrections.menu(name)}
        @click=${() => this.dispatchEvent(new LabelMenuEvent(name))}
      >
        ${menu}
      </button>
      <button
        class="tool remove"
        type="button"
        aria-label=${text.corrections.remove(name)}
        title=${text.corrections.remove(name)}
        aria-disabled=${this.pending.has(name) ? 'true' : nothing}
        @click=${({ detail }: MouseEvent) => this.dispatchEvent(new RemoveLabelEvent(name, detail === 0 ? place : undefined))}
      >
        ${close}
      </button>
      ${isCertain ? nothing : html`<meter min="0" max="100" .value=${confidence} aria-label=${text.confidenceOf(name)}></meter>`}
      ${detectedAs.length > 0 ? html`<small class="detected">${text.corrections.detectedAs(detectedAs)}</small>` : nothing}
    </li>`;
  }

  private more(shown: readonly Label[]) {
    const known = shown.filter(
      ({ parents, categories, aliases }) => parents.length + categories.length + aliases.length > 0,
    );
    if (known.length === 0) return nothing;
    return html`<details>
      <summary>${text.more}</summary>
      <dl>
        ${known.map(
          ({ name, parents, categories, aliases }) => html`<div>
            <dt>${name}</dt>
            ${fact(text.parents, parents)} ${fact(text.categories, categories)} ${fact(text.aliases, aliases)}
          </div>`,
        )}
      </dl>
      ${this.modelVersion ? html`<p class="model">${text.model(this.modelVersion)}</p>` : nothing}
    </details>`;
  }

  private toggle(): void {
    this.all = !this.all;
  }

  private pin(name: string): void {
    this.pinned = this.pinned === name ? undefined : name;
    this.point(name);
  }

  private point(name: string | undefined): void {
    this.dispatchEvent(new HighlightEvent(name ?? this.pinned));
  }
}

declare global {
  interface HTMLElementEventMap {
    removelabel: RemoveLabelEvent;
    labelmenu: LabelMenuEvent;
  }
}

function fact(title: string, values: readonly string[]) {
  return values.length > 0 ? html`<dd><span>${title}</span> ${text.conjunction(values)}</dd>` : nothing;
}
