// What a view shows if it could not load its content: the reason, and a button. Its style is in view.css.
import { html } from 'lit';
import { retry } from './icons';
import { text } from './text';

export function notLoaded(reason: string, tryAgain: () => void) {
  return html`<div class="load-state" role="alert">
    <p>${reason}</p>
    <button class="button" type="button" @click=${tryAgain}>${retry}<span>${text.tryAgain}</span></button>
  </div>`;
}
