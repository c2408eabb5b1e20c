// The active filters as chips. The name of each is a button that moves it back to the search field.
import { html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { type Filter, NO_FILTER } from '../api/filter';
import { close } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './filter-chips.css?inline';
import { FilterEvent } from './find-bar';
import { type Part, partsOf } from './parts';
import { format } from './query';

/** The person wants to edit a part of the filter in the search field; dispatched as `edit`. */
export class EditEvent extends Event {
  constructor(readonly part: Part) {
    super('edit');
  }
}

/** Dispatches `filter` and `edit`, and `leave` before a button that was used with the keyboard disappears. */
@customElement('ilg-filter-chips')
export class FilterChips extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) filter: Filter = NO_FILTER;

  override render() {
    const parts = partsOf(this.filter);
    if (parts.length === 0) return nothing;
    return html`<ul role="list" class="chips" aria-label=${text.find.active}>
      ${repeat(
        parts,
        ({ filter }) => format(filter),
        (part) => html`<li>
          <button class="name" type="button" aria-label=${text.find.edit(part.name)} title=${text.find.edit(part.name)} @click=${() => this.dispatchEvent(new EditEvent(part))}>${part.name}</button>
          <button type="button" aria-label=${text.find.remove(part.name)} @click=${(event: MouseEvent) => this.change(part.rest, event)}>${close}</button>
        </li>`,
      )}
      ${parts.length > 1 ? html`<li class="all"><button type="button" @click=${(event: MouseEvent) => this.change(NO_FILTER, event)}>${text.find.clear}</button></li>` : nothing}
    </ul>`;
  }

  private change(filter: Filter, { detail }: MouseEvent): void {
    this.dispatchEvent(new FilterEvent(filter));
    // A keyboard or a screen reader clicks without a count. After a tap, the focus would open the on-screen keyboard.
    if (detail === 0) this.dispatchEvent(new Event('leave'));
  }
}

declare global {
  interface HTMLElementEventMap {
    edit: EditEvent;
  }
}
