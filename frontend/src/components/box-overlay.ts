// The boxes of a picture's labels, drawn over it. For the eye alone: the label list says the same in words.
import { html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Label } from '../api/types';
import { text } from '../text';
import css from './box-overlay.css?inline';
import { cssProperties } from './css-properties';
import { HighlightEvent } from './highlight-event';
import { sheets } from './styles';

@customElement('ilg-box-overlay')
export class BoxOverlay extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) labels: readonly Label[] = [];
  /** Whether there is no picture beneath: boxes alone say little, so they show only when pointed at. */
  @property({ type: Boolean, reflect: true }) bare = false;
  /** The name of the label whose boxes stand out. */
  @property({ attribute: false }) highlight: string | undefined;

  override render() {
    const boxes = this.labels.flatMap(({ name, instances }) => instances.map((instance) => ({ name, ...instance })));
    // Large boxes first, so that a small one inside a large one can be pointed at.
    const area = (box: (typeof boxes)[number]) => box.boundingBox.width * box.boundingBox.height;
    boxes.sort((a, b) => area(b) - area(a));
    const dimmed = boxes.some(({ name }) => name === this.highlight);
    return html`<div class="boxes" aria-hidden="true" ?data-dimmed=${dimmed}>
      ${boxes.map(
        ({ name, confidence, boundingBox: { left, top, width, height } }) => html`<div
          class="box"
          ?data-on=${name === this.highlight}
          ?data-low=${top < 0.12}
          @pointerenter=${() => this.dispatchEvent(new HighlightEvent(name))}
          @pointerleave=${() => this.dispatchEvent(new HighlightEvent(undefined))}
          ${cssProperties({ left: share(left), top: share(top), width: share(width), height: share(height) })}
        >
          <span>${text.boxTitle(name, confidence)}</span>
        </div>`,
      )}
    </div>`;
  }
}

function share(fraction: number): string {
  return `${fraction * 100}%`;
}
