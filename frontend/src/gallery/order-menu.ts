// Chooses the order of the gallery.
import { html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { type Filter, NO_FILTER } from '../api/filter';
import { isPossible, ORDERS, type Order, readOrder } from '../api/listing';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './order-menu.css?inline';

/** The person wants another order; dispatched as `order`. */
export class OrderEvent extends Event {
  constructor(readonly order: Order) {
    super('order');
  }
}

/** Dispatches `order`. */
@customElement('ilg-order-menu')
export class OrderMenu extends LitElement {
  static override styles = sheets(css);

  /** What the pictures are filtered by. Not every order is possible with every filter. */
  @property({ attribute: false }) filter: Filter = NO_FILTER;
  @property({ attribute: false }) order: Order = 'time';
  @query('select') private menu!: HTMLSelectElement;

  override updated(): void {
    // Options are rendered after the value of their menu.
    this.menu.value = this.order;
  }

  override render() {
    return html`<select aria-label=${text.order.label} title=${text.order.label} @change=${this.changed}>
      ${ORDERS.filter((order) => isPossible(order, this.filter)).map(
        (order) => html`<option value=${order}>${text.order.names[order]}</option>`,
      )}
    </select>`;
  }

  private changed(): void {
    this.dispatchEvent(new OrderEvent(readOrder(this.menu.value, this.filter)));
  }
}

declare global {
  interface HTMLElementEventMap {
    order: OrderEvent;
  }
}
