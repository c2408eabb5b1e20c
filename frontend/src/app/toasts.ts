// Short notices at the bottom of the page, some with an action.
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { close } from '../shared/icons';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './toasts.css?inline';

export interface Toast {
  readonly sentence: string;
  /** In milliseconds. */
  readonly duration: number;
  readonly action?: { readonly label: string; readonly run: () => void };
}

@customElement('ilg-toasts')
export class Toasts extends LitElement {
  static override styles = sheets(css);

  @state() private shown: readonly (Toast & { readonly id: number })[] = [];
  private lastId = 0;

  show(toast: Toast): void {
    this.lastId += 1;
    const id = this.lastId;
    this.shown = [...this.shown, { ...toast, id }];
    setTimeout(() => this.dismiss(id), toast.duration);
  }

  /** Runs the action of the newest toast that has one, for Ctrl+Z. Returns whether there is one. */
  undo(): boolean {
    const toast = this.shown.findLast(({ action }) => action);
    if (!toast) return false;
    this.dismiss(toast.id);
    toast.action?.run();
    return true;
  }

  override render() {
    return html`<div role="status" class="stack">
      ${repeat(
        this.shown,
        ({ id }) => id,
        ({ id, sentence, action }) => html`<div class="toast">
          <p>${sentence}</p>
          ${
            action
              ? html`<button class="action" type="button" @click=${() => this.runAction(id, action.run)}>${action.label}</button>`
              : nothing
          }
          <button class="close" type="button" aria-label=${text.dismiss} @click=${() => this.dismiss(id)}>${close}</button>
        </div>`,
      )}
    </div>`;
  }

  private runAction(id: number, run: () => void): void {
    this.dismiss(id);
    run();
  }

  private dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }
}
