// A menu with the signed-in person's e-mail address and the sign-out button.
import { html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './account-menu.css?inline';

/** Dispatches `signout`. */
@customElement('ilg-account-menu')
export class AccountMenu extends LitElement {
  static override styles = sheets(css);

  @property() email: string | undefined;
  @query('#menu') private menu!: HTMLElement;

  override render() {
    const name = this.email ? text.signIn.account(this.email) : text.signIn.you;
    return html`
      <button class="initial" type="button" popovertarget="menu" aria-label=${name} title=${name}>
        <span aria-hidden="true">${(this.email ?? '?').slice(0, 1).toUpperCase()}</span>
      </button>
      <div id="menu" popover @click=${this.close}>
        <p class="email"><bdi>${this.email ?? text.signIn.you}</bdi></p>
        <slot></slot>
        <button class="item" type="button" @click=${() => this.dispatchEvent(new Event('signout'))}>${text.signIn.signOut}</button>
      </div>
    `;
  }

  /** Closes the menu, because it would cover what opens next. */
  private close(): void {
    this.menu.hidePopover();
  }
}
