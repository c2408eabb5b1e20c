// The root element: shows the welcome page or, when somebody is signed in, the pictures.
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { messageFor } from '../api/problem';
import { text } from '../shared/text';
import { loadConfig } from '../sign-in/config';
import { Session } from '../sign-in/session';
import './home';
import { sheets } from '../shared/styles';
import '../sign-in/welcome';

@customElement('ilg-app')
export class App extends LitElement {
  static override styles = sheets('');

  /** `undefined` until it is known whether the person has just returned from the sign-in page. */
  @state() private signedIn: boolean | undefined;
  @state() private reason: string | undefined;

  private readonly session = new Session(loadConfig());

  override connectedCallback(): void {
    super.connectedCallback();
    this.session.addEventListener('change', this.changed);
    void this.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.session.removeEventListener('change', this.changed);
  }

  override render() {
    if (this.signedIn === undefined) return nothing;
    return this.signedIn
      ? keyed(this.session.email, html`<ilg-home .session=${this.session}></ilg-home>`)
      : html`<ilg-welcome .session=${this.session} .reason=${this.reason}></ilg-welcome>`;
  }

  private async open(): Promise<void> {
    try {
      await this.session.completeSignIn();
    } catch (error) {
      this.reason = messageFor(error, text.signIn.failed);
    }
    this.signedIn = this.session.signedIn;
  }

  private readonly changed = (): void => {
    if (this.signedIn === undefined) return;
    this.signedIn = this.session.signedIn;
    this.reason = this.signedIn || this.session.isSigningOut ? undefined : text.signIn.ended;
    this.requestUpdate();
  };
}
