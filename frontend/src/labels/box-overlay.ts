// Draws the bounding boxes of labels over a picture. Hidden from screen readers, which have the label list.
import { html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Label } from '../api/types';
import { cssProperties } from '../shared/css-properties';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './box-overlay.css?inline';
import { HighlightEvent } from './highlight-event';

@customElement('ilg-box-overlay')
export class BoxOverlay extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) labels: readonly Pick<Label, 'name' | 'instances'>[] = [];
  /** Whether there is no picture below: then only highlighted boxes are visible. */
  @property({ type: Boolean, reflect: true }) bare = false;
  /** The label whose boxes are highlighted. */
  @property({ attribute: false }) highlight: string | undefined;

  override render() {
    const boxes = this.labels.flatMap(({ name, instances }) => instances.map((instance) => ({ name, ...instance })));
    // Large boxes first, so that a small box inside a large one can be pointed at.
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
          ${cssProperties({ left: percent(left), top: percent(top), width: percent(width), height: percent(height) })}
        >
          <span>${text.boxTitle(name, confidence)}</span>
        </div>`,
      )}
    </div>`;
  }
}

function percent(fraction: number): string {
  return `${fraction * 100}%`;
}
