// What the page shows before there is a picture: an invitation.
import { html, LitElement } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { text } from '../text';

import './file-picker';
import type { FilePicker } from './file-picker';
import { illustration } from './illustration';
import css from './invitation.css?inline';
import { sheets } from './styles';

@customElement('ilg-empty-state')
export class EmptyState extends LitElement {
  static override styles = sheets(css);

  @query('ilg-file-picker') private picker!: FilePicker;

  /** Puts the focus on the invitation's button, once it is drawn. */
  override focus(): void {
    void this.updateComplete.then(() => this.picker.focus());
  }

  override render() {
    return html`<section aria-labelledby="title">
      ${illustration}
      <h2 id="title">${text.hero.title}</h2>
      <p class="lead">${text.hero.lead}</p>
      <ilg-file-picker label=${text.hero.choose}></ilg-file-picker>
      <p class="other">${text.hero.other}</p>
      <p class="limits">${text.hero.limits}</p>
    </section>`;
  }
}
