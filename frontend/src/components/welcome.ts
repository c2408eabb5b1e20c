// What somebody sees who is not signed in: what this is, and the way in.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Session } from '../sign-in/session';
import { text } from '../text';
import { mark } from './icons';
import { illustration } from './illustration';
import css from './invitation.css?inline';
import { sheets } from './styles';

@customElement('ilg-welcome')
export class Welcome extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) session!: Session;
  /** Why somebody who expected to be signed in is not. */
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
      this.reason = error instanceof Error ? error.message : text.signIn.failed;
      this.leaving = false;
    }
  }
}
