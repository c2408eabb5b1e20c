// Who is signed in, and the way out.
import { html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { text } from '../text';
import css from './account-menu.css?inline';
import { sheets } from './styles';

/** Dispatches `signout`, which is for the page to act on. */
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

  /** Whatever was chosen opens something else, which the menu would lie over. */
  private close(): void {
    this.menu.hidePopover();
  }
}
