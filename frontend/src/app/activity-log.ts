// A live region: announces what happens on the page to screen readers.
import { html, LitElement } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';

/** How many sentences stay in the document. */
const MAX_SENTENCES = 20;

@customElement('ilg-activity-log')
export class ActivityLog extends LitElement {
  static override styles = sheets('');

  @state() private sentences: readonly { readonly id: number; readonly sentence: string }[] = [];
  private lastId = 0;

  /** Announces a sentence after the earlier ones. */
  announce(sentence: string): void {
    this.lastId += 1;
    this.sentences = [...this.sentences, { id: this.lastId, sentence }].slice(-MAX_SENTENCES);
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
