// Takes files that are dropped anywhere on the page, and pictures that are pasted.
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { add } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './drop-target.css?inline';
import { FilesEvent } from './files-event';
import { readDrop } from './folders';

@customElement('ilg-drop-target')
export class DropTarget extends LitElement {
  static override styles = sheets(css);

  @state() private hovering = false;
  private listening = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.listening = new AbortController();
    const { signal } = this.listening;
    window.addEventListener('dragenter', this.over, { signal });
    window.addEventListener('dragover', this.over, { signal });
    window.addEventListener('dragleave', this.leave, { signal });
    window.addEventListener('drop', this.drop, { signal });
    window.addEventListener('paste', this.paste, { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listening.abort();
  }

  override render() {
    return this.hovering
      ? html`<div class="overlay" aria-hidden="true"><p>${add}<span>${text.dropHere}</span></p></div>`
      : nothing;
  }

  // Ignore dragged links and selected text.
  private readonly over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    this.hovering = true;
  };

  private readonly leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.hovering = false;
  };

  private readonly drop = (event: DragEvent): void => {
    this.hovering = false;
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    void readDrop(event.dataTransfer).then(({ files, skipped }) => this.dispatchEvent(new FilesEvent(files, skipped)));
  };

  private readonly paste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.dispatchEvent(new FilesEvent(files));
  };
}
