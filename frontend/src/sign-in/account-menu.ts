// A menu with the signed-in person's e-mail address, keyboard shortcuts and the sign-out button.
import { html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './account-menu.css?inline';

/** Dispatches `shortcuts` and `signout`. */
@customElement('ilg-account-menu')
export class AccountMenu extends LitElement {
  static override styles = sheets(css);

  @property() email: string | undefined;
  @query('.initial') private button!: HTMLButtonElement;
  @query('#menu') private menu!: HTMLElement;

  override render() {
    const name = this.email ? text.signIn.account(this.email) : text.signIn.you;
    return html`
      <button class="initial" type="button" popovertarget="menu" aria-label=${name} title=${name}>
        <span aria-hidden="true">${(this.email ?? '?').slice(0, 1).toUpperCase()}</span>
      </button>
      <div id="menu" popover @click=${this.closing}>
        <p class="email"><bdi>${this.email ?? text.signIn.you}</bdi></p>
        <slot></slot>
        ${this.item(text.shortcuts.title, 'shortcuts')} ${this.item(text.signIn.signOut, 'signout')}
      </div>
    `;
  }

  private item(label: string, event: 'shortcuts' | 'signout') {
    return html`<button class="item" type="button" @click=${() => this.dispatchEvent(new Event(event))}>${label}</button>`;
  }

  /** Closes the menu before the chosen item acts: it would cover what opens next, and a dialog remembers the focus. */
  private readonly closing = {
    capture: true,
    handleEvent: () => {
      this.menu.hidePopover();
      this.button.focus();
    },
  };
}
