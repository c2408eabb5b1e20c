// A live region: what happens on the page, in words, for those who do not see it.
import { html, LitElement } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { text } from '../text';
import { sheets } from './styles';

/** Older sentences are dropped; they have been said. */
const KEPT = 20;

@customElement('ilg-activity-log')
export class ActivityLog extends LitElement {
  static override styles = sheets('');

  @state() private sentences: readonly { readonly id: number; readonly sentence: string }[] = [];
  private last = 0;

  /** Has a screen reader say a sentence when it comes to it. */
  say(sentence: string): void {
    this.last += 1;
    this.sentences = [...this.sentences, { id: this.last, sentence }].slice(-KEPT);
  }

  override render() {
    return html`<div class="visually-hidden" role="log" aria-label=${text.activity}>
      ${repeat(
        this.sentences,
        ({ id }) => id,
        ({ sentence }) => html`<p>${sentence}</p>`,
      )}
    </div>`;
  }
}
