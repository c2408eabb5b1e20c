// The button that opens the system's file dialog.
import { html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import css from './file-picker.css?inline';
import { FilesEvent } from './files-event';
import { add } from './icons';
import { sheets } from './styles';

@customElement('ilg-file-picker')
export class FilePicker extends LitElement {
  static override styles = sheets(css);

  @property() label = '';
  @query('input') private input!: HTMLInputElement;
  @query('button') private button!: HTMLButtonElement;

  /** Puts the focus on the button, once it is drawn. */
  override focus(): void {
    void this.updateComplete.then(() => this.button.focus());
  }

  override render() {
    return html`
      <button class="button primary" type="button" @click=${() => this.input.click()}>${add}<span>${this.label}</span></button>
      <input type="file" multiple hidden accept="image/*" aria-label=${this.label} @change=${this.chosen} />
    `;
  }

  private chosen(): void {
    const files = [...(this.input.files ?? [])];
    // Without this, choosing the same file again would be no change.
    this.input.value = '';
    if (files.length > 0) this.dispatchEvent(new FilesEvent(files));
  }
}
