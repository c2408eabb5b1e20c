// What the page shows while the library is empty.
import { html, LitElement } from 'lit';
import { customElement } from 'lit/decorators.js';
import { text } from '../shared/text';
import './file-picker';
import { illustration } from '../shared/illustration';
import css from '../shared/invitation.css?inline';
import { sheets } from '../shared/styles';

@customElement('ilg-empty-state')
export class EmptyState extends LitElement {
  static override styles = sheets(css);

  override render() {
    return html`<section aria-labelledby="title">
      ${illustration}
      <h2 id="title">${text.hero.title}</h2>
      <p class="lead">${text.hero.lead}</p>
      <div class="choices">
        <ilg-file-picker wide label=${text.hero.choose}></ilg-file-picker>
        <ilg-file-picker wide folder label=${text.hero.chooseFolder}></ilg-file-picker>
      </div>
      <p class="other">${text.hero.other}</p>
      <p class="limits">${text.hero.limits}</p>
    </section>`;
  }
}
