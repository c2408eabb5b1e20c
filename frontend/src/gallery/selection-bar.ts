// The toolbar for the selected pictures. Asks for a confirmation before pictures are labeled again, because that
// costs money.
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Summary } from '../api/types';
import { showModal } from '../shared/dialog';
import { close, download, exportLabels, retry, selectAll, tag, trash } from '../shared/icons';
import { KEYS, keyOf } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { relabelable } from './relabeling';
import css from './selection-bar.css?inline';

interface Tool {
  readonly icon: TemplateResult;
  readonly label: string;
  readonly run: () => void;
  /** Shows only the icon, in a window of any width. */
  readonly iconOnly?: boolean;
  /** Why the tool can't be used now. */
  readonly disabled?: string | undefined;
}

/** Dispatches `clear`, `selectall`, `editlabels`, `download`, `exportlabels`, `delete`, and `relabel` after a confirmation. */
@customElement('ilg-selection-bar')
export class SelectionBar extends LitElement {
  static override styles = sheets(css);

  /** The selected pictures. */
  @property({ attribute: false }) images: readonly Summary[] = [];
  /** How many pictures are loaded. */
  @property({ type: Number }) loaded = 0;
  /** Whether pictures are being downloaded. */
  @property({ type: Boolean }) downloading = false;
  @query('dialog') private confirmation!: HTMLDialogElement;

  /** Focuses the first button. */
  override focus(): void {
    this.buttons[0]?.focus();
  }

  override render() {
    const applicable = relabelable(this.images).length;
    return html`
      <div role="toolbar" aria-label=${text.selection.toolbar} @keydown=${this.keyPressed}>
        ${this.tool({ icon: close, label: text.selection.clear, run: () => this.dispatch('clear'), iconOnly: true })}
        <p class="count">${text.selection.count(this.images.length)}</p>
        ${this.tool({
          icon: selectAll,
          label: text.selection.all,
          run: () => this.dispatch('selectall'),
          disabled: this.images.length >= this.loaded ? text.selection.allSelected : undefined,
        })}
        ${this.tool({ icon: tag, label: text.selection.editLabels, run: () => this.dispatch('editlabels') })}
        ${this.tool({
          icon: download,
          label: text.download.tool,
          run: () => this.dispatch('download'),
          disabled: this.downloading ? text.download.busy : undefined,
        })}
        ${this.tool({ icon: exportLabels, label: text.exports.tool, run: () => this.dispatch('exportlabels') })}
        ${this.tool({
          icon: retry,
          label: text.selection.relabel,
          run: () => this.ask(),
          disabled: applicable === 0 ? text.selection.relabelInProgress : undefined,
        })}
        ${this.tool({ icon: trash, label: text.selection.delete, run: () => this.dispatch('delete') })}
      </div>
      ${this.dialog(applicable)}
    `;
  }

  /** A disabled tool keeps its place in the tab order, so that everyone can read the reason. */
  private tool({ icon, label, run, iconOnly, disabled }: Tool) {
    return html`<button
      class="tool"
      type="button"
      aria-disabled=${disabled ? 'true' : nothing}
      aria-label=${label}
      title=${disabled ?? label}
      @click=${disabled ? nothing : run}
    >
      ${icon}${iconOnly ? nothing : html`<span>${label}</span>`}
    </button>`;
  }

  private dialog(applicable: number) {
    const skipped = this.images.length - applicable;
    const { confirm } = text.selection;
    return html`<dialog aria-labelledby="title" aria-describedby="cost" @close=${this.answered}>
      <form method="dialog">
        <h2 id="title">${confirm.title(applicable)}</h2>
        <p id="cost">${confirm.cost(applicable)}</p>
        ${skipped > 0 ? html`<p>${confirm.skipped(skipped)}</p>` : nothing}
        <div class="buttons">
          <button class="button" value="no" autofocus>${confirm.cancel}</button>
          <button class="button primary" value="yes">${text.selection.relabel}</button>
        </div>
      </form>
    </dialog>`;
  }

  private ask(): void {
    // Escape keeps the last answer.
    this.confirmation.returnValue = '';
    showModal(this.confirmation);
  }

  private answered({ target }: Event): void {
    if ((target as HTMLDialogElement).returnValue === 'yes') this.dispatch('relabel');
  }

  private get buttons(): HTMLButtonElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLButtonElement>('.tool')];
  }

  /** Arrow keys move between the buttons, as in every toolbar. */
  private readonly keyPressed = (event: KeyboardEvent): void => {
    const step = { [KEYS.selection.nextTool]: 1, [KEYS.selection.previousTool]: -1 }[keyOf(event)];
    const { buttons } = this;
    const index = buttons.indexOf(event.target as HTMLButtonElement);
    if (step === undefined || index < 0) return;
    event.preventDefault();
    buttons.at((index + step) % buttons.length)?.focus();
  };

  private dispatch(
    name: 'clear' | 'selectall' | 'editlabels' | 'download' | 'exportlabels' | 'relabel' | 'delete',
  ): void {
    this.dispatchEvent(new Event(name));
  }
}
