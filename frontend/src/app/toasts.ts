// Short notices at the bottom of the page, some with an action.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { close } from '../shared/icons';
import type { PausableTimers } from '../shared/pausable-timers';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './toasts.css?inline';

export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
}

export interface Toast {
  readonly sentence: string;
  /** In milliseconds. */
  readonly duration: number;
  readonly action?: ToastAction;
  /** Closes the notice when it is aborted, because its action is not possible anymore. */
  readonly signal?: AbortSignal;
}

/** Dispatches `leave` when the button that had the focus has disappeared. */
@customElement('ilg-toasts')
export class Toasts extends LitElement {
  static override styles = sheets(css);

  /** Paused while the pointer or the focus is on a notice. */
  @property({ attribute: false }) timers!: PausableTimers;
  @state() private shown: readonly (Toast & { readonly id: number })[] = [];
  /** Stops what would close a notice that is closed already. */
  private readonly cleanUps = new Map<number, () => void>();
  private hovered = false;
  private focused = false;
  private lastId = 0;

  show(toast: Toast): void {
    this.lastId += 1;
    const id = this.lastId;
    this.shown = [...this.shown, { ...toast, id }];
    const dismiss = () => void this.dismiss(id);
    const stopTimer = this.timers.start(toast.duration, dismiss);
    toast.signal?.addEventListener('abort', dismiss);
    this.cleanUps.set(id, () => {
      stopTimer();
      // The signal can outlast many notices.
      toast.signal?.removeEventListener('abort', dismiss);
    });
  }

  /** Runs the action of the newest toast that has one, for Ctrl+Z. Returns whether there is one. */
  undo(): boolean {
    const toast = this.shown.findLast(({ action }) => action);
    if (!toast) return false;
    void this.dismiss(toast.id);
    toast.action?.run();
    return true;
  }

  override updated(): void {
    // The browser dispatches no event when the element with the pointer or the focus is removed.
    this.hovered &&= this.shown.length > 0;
    this.focused = this.hasFocus;
    this.pauseOrResume();
  }

  override render() {
    return html`<div role="status" class="stack" @pointerenter=${() => this.hover(true)} @pointerleave=${() => this.hover(false)} @focusin=${() => this.focusIn(true)} @focusout=${() => this.focusIn(false)}>
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
          <button class="close" type="button" aria-label=${text.dismiss} @click=${() => void this.dismiss(id)}>${close}</button>
        </div>`,
      )}
    </div>`;
  }

  private runAction(id: number, run: () => void): void {
    void this.dismiss(id);
    run();
  }

  private async dismiss(id: number): Promise<void> {
    const { hasFocus } = this;
    this.cleanUps.get(id)?.();
    this.cleanUps.delete(id);
    this.shown = this.shown.filter((toast) => toast.id !== id);
    await this.updateComplete;
    if (hasFocus && !this.hasFocus) this.dispatchEvent(new Event('leave'));
  }

  private get hasFocus(): boolean {
    return Boolean(this.shadowRoot?.activeElement);
  }

  private hover(hovered: boolean): void {
    this.hovered = hovered;
    this.pauseOrResume();
  }

  private focusIn(focused: boolean): void {
    this.focused = focused;
    this.pauseOrResume();
  }

  private pauseOrResume(): void {
    if (this.hovered || this.focused) this.timers.pause();
    else this.timers.resume();
  }
}
