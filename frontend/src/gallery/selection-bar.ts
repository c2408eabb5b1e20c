// The toolbar for the selected pictures, or for all results of the search.
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Summary } from '../api/types';
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

/** Dispatches `clear`, `selectall`, `editlabels`, `download`, `exportlabels`, `delete` and `relabel`. */
@customElement('ilg-selection-bar')
export class SelectionBar extends LitElement {
  static override styles = sheets(css);

  /** The selected pictures. */
  @property({ attribute: false }) images: readonly Summary[] = [];
  /** Whether all pictures are selected that were loaded when the last one was selected. */
  @property({ type: Boolean }) all = false;
  /** Whether there are results that are not loaded. */
  @property({ type: Boolean }) more = false;
  /** Whether all results are selected, also those that are not loaded. */
  @property({ type: Boolean }) found = false;
  /** Whether pictures are being downloaded. */
  @property({ type: Boolean }) downloading = false;

  /** Focuses the first button. */
  override focus(): void {
    this.buttons[0]?.focus();
  }

  override render() {
    const { found, more, all } = this;
    const applicable = relabelable(this.images).length;
    return html`
      <div role="toolbar" aria-label=${text.selection.toolbar} @keydown=${this.keyPressed}>
        ${this.tool({ icon: close, label: text.selection.clear, run: () => this.dispatch('clear'), iconOnly: true })}
        <p class="count">
          <span>${found ? text.selection.found : text.selection.count(this.images.length)}</span>
          <span class="short" aria-hidden="true">${found ? text.selection.foundShort : text.selection.countShort(this.images.length)}</span>
        </p>
        ${this.tool({
          icon: selectAll,
          label: all && more ? text.selection.allFound : text.selection.all,
          run: () => this.dispatch('selectall'),
          disabled: found ? text.selection.foundSelected : all && !more ? text.selection.allSelected : undefined,
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
          run: () => this.dispatch('relabel'),
          disabled: applicable === 0 && !found ? text.selection.relabelInProgress : undefined,
        })}
        ${this.tool({ icon: trash, label: text.selection.delete, run: () => this.dispatch('delete') })}
      </div>
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
