// The page for people who are not signed in.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { messageFor } from '../api/problem';
import { mark } from '../shared/icons';
import { illustration } from '../shared/illustration';
import css from '../shared/invitation.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import type { Session } from './session';

@customElement('ilg-welcome')
export class Welcome extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) session!: Session;
  /** Why the person is not signed in, if that is unexpected. */
  @property({ attribute: false }) reason: string | undefined;
  @state() private leaving = false;

  override render() {
    return html`<header><h1>${mark}<span>${text.title}</span></h1></header>
      <main><section aria-labelledby="title">
      ${illustration}
      <h2 id="title">${text.signIn.title}</h2>
      <p class="lead">${text.signIn.lead}</p>
      <div role="alert">${this.reason ? html`<p class="reason">${this.reason}</p>` : nothing}</div>
      <button class="button primary" type="button" aria-disabled=${this.leaving} @click=${this.signIn}>
        ${this.leaving ? text.signIn.leaving : text.signIn.button}
      </button>
    </section></main>`;
  }

  private async signIn(): Promise<void> {
    if (this.leaving) return;
    this.leaving = true;
    this.reason = undefined;
    try {
      await this.session.signIn();
    } catch (error) {
      this.reason = messageFor(error, text.signIn.failed);
      this.leaving = false;
    }
  }
}
