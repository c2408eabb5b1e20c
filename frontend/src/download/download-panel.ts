// Shows how far the download of pictures is, and how it ended.
import { html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { close, warning } from '../shared/icons';
import panel from '../shared/panel.css?inline';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './download-panel.css?inline';
import type { DownloadState } from './downloads';

/** Dispatches `cancel` while a download is running, and `dismiss` after it. */
@customElement('ilg-download-panel')
export class DownloadPanel extends LitElement {
  static override styles = sheets(panel, css);

  @property({ attribute: false }) state: DownloadState | undefined;

  override render() {
    const { state } = this;
    if (!state) return nothing;
    const running = state.name === 'running';
    const label = running ? text.download.cancel : text.download.close;
    // The button keeps its place, and the focus, when the download ends.
    return html`<section aria-label=${text.download.title}>
      <header>
        <h2>${heading(state)}</h2>
        <button class="round quiet" type="button" aria-label=${label} title=${label} @click=${() => this.dispatchEvent(new Event(running ? 'cancel' : 'dismiss'))}>${close}</button>
      </header>
      ${running ? html`<progress max="1" .value=${state.fraction} aria-label=${text.download.progress}></progress>` : nothing}
      ${this.details(state)}
    </section>`;
  }

  private details(state: DownloadState) {
    if (state.name === 'failed') return problem(state.reason);
    return state.name === 'saved' && state.missing.length > 0 ? problem(text.download.missing(state.missing)) : nothing;
  }
}

function problem(sentence: string) {
  return html`<p class="reason">${warning}<span>${sentence}</span></p>`;
}

function heading(state: DownloadState): string {
  switch (state.name) {
    case 'running':
      return text.download.running(state.finished, state.total);
    case 'saved':
      return text.download.saved(state.saved, state.missing.length);
    case 'failed':
      return text.download.failed;
  }
}
