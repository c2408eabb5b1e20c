// The button that opens the system's file dialog, for files or for a folder.
import { html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { type Found, fromFolder } from '../upload/folders';
import css from './file-picker.css?inline';
import { FilesEvent } from './files-event';
import { add, folder } from './icons';
import { sheets } from './styles';

@customElement('ilg-file-picker')
export class FilePicker extends LitElement {
  static override styles = sheets(css);

  @property() label = '';
  /** Whether a folder is chosen, with all that is in it, rather than files. */
  @property({ type: Boolean, reflect: true }) folder = false;
  @query('input') private input!: HTMLInputElement;
  @query('button') private button!: HTMLButtonElement;

  /** Puts the focus on the button, once it is drawn. */
  override focus(): void {
    void this.updateComplete.then(() => this.button.focus());
  }

  /** Opens the dialog. */
  open(): void {
    this.input.click();
  }

  override render() {
    return html`
      <button class="button ${this.folder ? '' : 'primary'}" type="button" title=${this.label} @click=${this.open}>
        ${this.folder ? folder : add}<span>${this.label}</span>
      </button>
      <input
        type="file"
        multiple
        hidden
        accept="image/*"
        ?webkitdirectory=${this.folder}
        aria-label=${this.label}
        @change=${this.chosen}
      />
    `;
  }

  private chosen(): void {
    const files = [...(this.input.files ?? [])];
    // Without this, choosing the same file again would be no change.
    this.input.value = '';
    const found: Found = this.folder ? fromFolder(files) : { files, left: 0 };
    if (files.length > 0) this.dispatchEvent(new FilesEvent(found.files, found.left));
  }
}
