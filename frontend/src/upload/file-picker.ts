// A button that opens the file dialog, for files or for a folder.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { add, folder } from '../shared/icons';
import { sheets } from '../shared/styles';
import css from './file-picker.css?inline';
import { FilesEvent } from './files-event';
import { fromFolder } from './folders';
import { EXTENSIONS } from './kinds';

/**
 * What the file dialog offers. On phones, `image/*` opens the photo library. Alone, it hides HEIC in older Chromium browsers
 * and everywhere the raw files and extensions for which the system has no media type. The dialogs of Windows and Linux have
 * an entry for all files; in others, a picture with another extension must be dropped.
 */
const ACCEPTED = ['image/*', 'video/*', ...EXTENSIONS.map((extension) => `.${extension}`)].join(',');

@customElement('ilg-file-picker')
export class FilePicker extends LitElement {
  static override styles = sheets(css);

  @property() label = '';
  /** Whether to choose a folder instead of files. */
  @property({ type: Boolean, reflect: true }) folder = false;
  @query('input') private input!: HTMLInputElement;
  @query('button') private button!: HTMLButtonElement;

  /** Focuses the button. */
  override focus(): void {
    void this.updateComplete.then(() => this.button.focus());
  }

  /** Opens the file dialog. */
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
        accept=${this.folder ? nothing : ACCEPTED}
        ?webkitdirectory=${this.folder}
        aria-label=${this.label}
        @change=${this.chosen}
      />
    `;
  }

  private chosen(): void {
    const files = [...(this.input.files ?? [])];
    // Without this, choosing the same file again would not dispatch `change`.
    this.input.value = '';
    if (files.length === 0) return;
    const found = this.folder ? fromFolder(files) : Promise.resolve({ files, skipped: 0 });
    void found.then((pictures) => this.dispatchEvent(new FilesEvent(pictures.files, pictures.skipped)));
  }
}
