// One picture: what it looks like, how far it is, what is in it.
import { html, LitElement, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Picture } from '../pictures';
import { text } from '../text';
import './box-overlay';
import { cssProperties } from './css-properties';
import type { HighlightEvent } from './highlight-event';
import { close, picture as pictureIcon, refused, retry } from './icons';
import './label-list';
import css from './picture-card.css?inline';
import { sheets } from './styles';

/** Width by height of the area in which every picture is shown, so that nothing moves when its dimensions are known. */
const STAGE_RATIO = 4 / 3;

/** Dispatches `again` and `remove`, which are for its list to act on. */
@customElement('ilg-picture-card')
export class PictureCard extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) picture!: Picture;
  @state() private highlight: string | undefined;
  @state() private undecodable = false;
  @query('h3') private heading!: HTMLHeadingElement;

  /** Puts the focus on the picture's name, for when the control that had it is gone. */
  override focus(): void {
    this.heading.focus();
  }

  override render() {
    const { name, stage } = this.picture;
    const busy = ['waiting', 'preparing', 'uploading', 'looking'].includes(stage.name);
    const remove = ['waiting', 'preparing', 'uploading'].includes(stage.name) ? text.cancel(name) : text.remove(name);
    return html`<article aria-labelledby="name" aria-busy=${busy} data-stage=${stage.name}>
      ${this.showsStage ? this.stage() : nothing}
      <div class="body">
        <header>
          <div>
            <h3 id="name" tabindex="-1" title=${name}><bdi>${name}</bdi></h3>
            <p class="facts">${this.facts()}</p>
          </div>
          <button
            class="remove"
            type="button"
            aria-label=${remove}
            title=${remove}
            @click=${() => this.dispatchEvent(new Event('remove'))}
          >
            ${close}
          </button>
        </header>
        ${this.progress()}
      </div>
    </article>`;
  }

  /** A file that was refused before it could be shown has nothing to show. */
  private get showsStage(): boolean {
    return this.picture.preview !== undefined || !['rejected', 'failed'].includes(this.picture.stage.name);
  }

  private stage() {
    const { name, preview, dimensions, stage } = this.picture;
    const labels = stage.name === 'labeled' ? stage.image.labels : [];
    const ratio = dimensions ? dimensions.width / dimensions.height : STAGE_RATIO;
    const frame = { 'aspect-ratio': `${ratio}`, width: `${Math.min(1, ratio / STAGE_RATIO) * 100}%` };
    const shown = preview && !this.undecodable;
    return html`<div class="stage">
      <div class="holder">
        <div class="frame" ${cssProperties(frame)}>
          ${
            shown
              ? html`<img src=${preview} alt=${text.preview(name, labels)} decoding="async" @error=${this.undecoded} />`
              : html`<div class="placeholder" ?data-hidden=${this.highlight !== undefined}>
                  ${pictureIcon}
                  <p>${preview ? text.noPreviewYet : text.noPreview}</p>
                </div>`
          }
          ${
            labels.length > 0
              ? html`<ilg-box-overlay
                  ?bare=${!shown}
                  .labels=${labels}
                  .highlight=${this.highlight}
                  @highlight=${this.pointed}
                ></ilg-box-overlay>`
              : nothing
          }
        </div>
      </div>
    </div>`;
  }

  private facts(): string {
    const { size, dimensions } = this.picture;
    const known = [
      size === undefined ? undefined : text.fileSize(size),
      dimensions && text.dimensions(dimensions.width, dimensions.height),
    ];
    return known.filter((fact) => fact !== undefined).join(' · ');
  }

  private progress() {
    const { name, stage } = this.picture;
    switch (stage.name) {
      case 'waiting':
      case 'preparing':
        return html`${this.bar(text.stage[stage.name])} ${skeleton}`;
      case 'uploading':
        return html`${this.bar(text.stage.uploading(stage.sent), stage.sent)} ${skeleton}`;
      case 'looking': {
        const hint = stage.unreachable ? text.stage.unreachable : stage.slow ? text.stage.slow : undefined;
        return html`${this.bar(text.stage.looking)} ${hint ? html`<p class="hint">${hint}</p>` : skeleton}`;
      }
      case 'labeled':
        return html`<ilg-label-list
          .labels=${stage.image.labels}
          .modelVersion=${stage.image.modelVersion}
          .highlight=${this.highlight}
          @highlight=${this.pointed}
        ></ilg-label-list>`;
      case 'rejected':
        return html`<div class="notice bad">
          ${refused}
          <div>
            <p><strong>${text.rejectedTitle}</strong></p>
            <p>${stage.reason}</p>
            ${stage.advice ? html`<p>${stage.advice}</p>` : nothing}
          </div>
        </div>`;
      case 'failed':
        return html`<div class="notice warn">
            ${refused}
            <div>
              <p><strong>${text.failedTitle}</strong></p>
              <p>${stage.reason}</p>
            </div>
          </div>
          ${
            stage.again
              ? html`<button class="button" type="button" @click=${this.again}>
                  ${retry}<span>${stage.again === 'upload' ? text.tryAgain : text.checkAgain}</span
                  ><span class="visually-hidden">: ${name}</span>
                </button>`
              : nothing
          }`;
    }
  }

  private bar(sentence: string, sent?: number) {
    const label = text.uploadOf(this.picture.name);
    return html`<p class="sentence">${sentence}</p>
      ${
        sent === undefined
          ? html`<progress aria-label=${sentence}></progress>`
          : html`<progress max="1" .value=${sent} aria-label=${label}></progress>`
      }`;
  }

  private undecoded(): void {
    this.undecodable = true;
  }

  private pointed(event: HighlightEvent): void {
    this.highlight = event.label;
  }

  private again(): void {
    this.focus();
    this.dispatchEvent(new Event('again'));
  }
}

/** Where the labels will be, so that the page does not jump when they come. */
const skeleton = html`<div class="skeleton" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i></div>`;
