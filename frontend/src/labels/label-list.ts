// A picture's labels with their confidences and, if expanded, parents, categories and aliases.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Label } from '../api/types';
import { target } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { HighlightEvent } from './highlight-event';
import css from './label-list.css?inline';

/** How many labels are listed before "Show all". */
const MAX_LABELS = 8;

@customElement('ilg-label-list')
export class LabelList extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) labels: readonly Label[] = [];
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
          (label) => this.row(label),
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

  private row({ name, confidence, instances }: Label) {
    const hasBoxes = instances.length > 0;
    const point = (to: string | undefined) => () => hasBoxes && this.point(to);
    return html`<li ?data-on=${hasBoxes && name === this.highlight} @pointerenter=${point(name)} @pointerleave=${point(undefined)}>
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
      <span class="value">${text.confidence(confidence)}</span>
      <meter min="0" max="100" .value=${confidence} aria-label=${text.confidenceOf(name)}></meter>
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

function fact(title: string, values: readonly string[]) {
  return values.length > 0 ? html`<dd><span>${title}</span> ${text.conjunction(values)}</dd>` : nothing;
}
