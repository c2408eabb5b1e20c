// The overview of all keyboard shortcuts, grouped by view.
import { html, LitElement } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { showModal } from '../shared/dialog';
import { close } from '../shared/icons';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './shortcuts-dialog.css?inline';

type View = keyof typeof KEYS;

/** Whether Command takes the place of Control. */
const IS_APPLE = /^(Mac|iP)/.test(navigator.platform);

@customElement('ilg-shortcuts-dialog')
export class ShortcutsDialog extends LitElement {
  static override styles = sheets(css);

  @query('dialog') private dialog!: HTMLDialogElement;

  open(): void {
    showModal(this.dialog);
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <div class="heading">
        <h2 id="title">${text.shortcuts.title}</h2>
        <form method="dialog">
          <button class="round" aria-label=${text.shortcuts.close} title=${text.shortcuts.close} autofocus>${close}</button>
        </form>
      </div>
      <div class="views">${(Object.keys(KEYS) as View[]).map((view) => this.view(view))}</div>
    </dialog>`;
  }

  private view(view: View) {
    const { heading, names } = text.shortcuts.views[view];
    const keys: Readonly<Record<string, string>> = KEYS[view];
    return html`<section>
      <h3>${heading}</h3>
      <dl>
        ${Object.entries(names).map(([shortcut, name]) => html`<div><dt>${keyCaps(keys[shortcut] ?? '')}</dt><dd>${name}</dd></div>`)}
      </dl>
    </section>`;
  }
}

/** The keys to press, each as on a keyboard. */
function keyCaps(key: string) {
  const caps = key.split('+').map((part) => {
    if (part === 'Control') return text.shortcuts.control(IS_APPLE);
    return text.shortcuts.keys[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
  return caps.map((cap, index) => html`${index > 0 ? ' ' : ''}<kbd>${cap}</kbd>`);
}
