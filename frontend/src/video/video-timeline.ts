// When labels are seen in a video: a lane for each label, with its segments. A segment jumps there, and shows the frame.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Lane, Segment } from '../api/types';
import { HighlightEvent } from '../labels/highlight-event';
import { cssProperties } from '../shared/css-properties';
import { KEYS } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import { drawnSegments, frameAt, type Place, placeAfter, strengthOf, totalOf } from './timeline-data';
import css from './video-timeline.css?inline';

/** How many lanes are shown at first. */
const FIRST_LANES = 8;
/** How many lanes each "Show more" adds: a video can have a thousand labels, each with many segments. */
const MORE_LANES = 50;

/** The frames of a video in one row. */
export interface PreviewStrip {
  readonly url: string;
  readonly frames: number;
  readonly intervalMs: number;
}

/** The person wants to see the video at this time; dispatched as `seek`. */
export class SeekEvent extends Event {
  constructor(readonly atMs: number) {
    super('seek');
  }
}

/** Where the preview is shown. */
interface Preview {
  readonly atMs: number;
  readonly lane: number;
}

/** Dispatches `seek` and `highlight`. */
@customElement('ilg-video-timeline')
export class VideoTimeline extends LitElement {
  static override styles = sheets(css);

  @property({ attribute: false }) lanes: readonly Lane[] = [];
  /** In milliseconds, as the next two. */
  @property({ attribute: false }) durationMs = 0;
  @property({ attribute: false }) atMs = 0;
  @property({ attribute: false }) strip: PreviewStrip | undefined;
  /** Width divided by height of the video. */
  @property({ attribute: false }) ratio = 16 / 9;
  /** How many lanes are shown at most. */
  @state() private maxLanes = FIRST_LANES;
  /** The segment in the tab order. */
  @state() private place: Place = { lane: 0, segment: 0 };
  @state() private preview: Preview | undefined;
  /** The lanes with the segments to draw. */
  private drawn: readonly Lane[] = [];

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('lanes') && !changed.has('durationMs')) return;
    const { lanes, durationMs } = this;
    this.drawn = lanes.map(({ name, segments }) => ({ name, segments: drawnSegments(segments, durationMs) }));
    const { lane, segment } = this.place;
    if (!this.drawn[lane]?.segments[segment]) this.place = { lane: 0, segment: 0 };
  }

  override render() {
    const { lanes, maxLanes, place, preview, durationMs, strip, ratio } = this;
    const now = { '--now': this.percent(this.atMs) };
    // While the video plays, only the line moves until another segment begins or ends.
    const inputs = [lanes, maxLanes, place, preview, durationMs, strip, ratio, this.segmentsNow()];
    return html`<div class="lanes" role="group" aria-label=${text.video.timeline} @keydown=${this.key} ${cssProperties(now)}>
        ${guard(inputs, () =>
          repeat(
            this.shown,
            ({ name }) => name,
            (lane, index) => this.lane(lane, index),
          ),
        )}
      </div>
      ${lanes.length > FIRST_LANES ? this.pager() : nothing}`;
  }

  private pager() {
    const { shown, lanes } = this;
    const more = Math.min(MORE_LANES, lanes.length - shown.length);
    return html`<div class="pager">
      <span>${text.video.shownLabels(shown.length, lanes.length)}</span>
      ${more > 0 ? html`<button class="toggle" type="button" @click=${this.showMore}>${text.video.showMore(more)}</button>` : nothing}
      ${shown.length > FIRST_LANES ? html`<button class="toggle" type="button" @click=${this.showFewer}>${text.showFewer}</button>` : nothing}
    </div>`;
  }

  private lane(lane: Lane, index: number) {
    const { name, segments } = lane;
    const total = totalOf(this.lanes[index] ?? lane);
    return html`<div class="lane" role="group" aria-label=${text.video.lane(name, total)}>
      <span class="name" aria-hidden="true" title=${name}>${name}</span>
      <div
        class="track"
        @pointermove=${(event: PointerEvent) => this.pointed(event, index)}
        @pointerleave=${this.left}
        @click=${this.trackClicked}
      >
        ${repeat(
          segments,
          ({ fromMs }) => fromMs,
          (segment, place) => this.segment(name, segment, { lane: index, segment: place }),
        )}
        <span class="now"></span>
        ${this.preview?.lane === index ? this.frame(this.preview.atMs) : nothing}
      </div>
    </div>`;
  }

  private segment(name: string, { fromMs, toMs, confidence }: Segment, place: Place) {
    const isInTabOrder = place.lane === this.place.lane && place.segment === this.place.segment;
    const isNow = this.isNow({ fromMs, toMs });
    return html`<button
      type="button"
      tabindex=${isInTabOrder ? 0 : -1}
      data-strength=${strengthOf(confidence)}
      data-place="${place.lane} ${place.segment}"
      aria-label=${text.video.segment(name, fromMs, toMs, confidence)}
      aria-current=${isNow ? 'true' : nothing}
      @click=${() => this.go(fromMs, place)}
      @focus=${() => this.focused(name, fromMs, place)}
      @blur=${this.left}
      ${cssProperties({ left: this.percent(fromMs), width: this.percent(toMs - fromMs) })}
    ></button>`;
  }

  /** The frame of a time, from the strip. */
  private frame(atMs: number) {
    const { strip } = this;
    // Inside the track, so that it is not cut off.
    const left = `clamp(var(--half), ${this.percent(atMs)}, calc(100% - var(--half)))`;
    const place = { left, '--ratio': `${this.ratio}` };
    if (!strip || strip.frames < 1) {
      return html`<span class="preview" aria-hidden="true" ${cssProperties(place)}><span>${text.video.time(atMs)}</span></span>`;
    }
    const { url, frames, intervalMs } = strip;
    const frame = frameAt(atMs, intervalMs, frames);
    const picture = {
      'background-image': `url(${JSON.stringify(url)})`,
      'background-size': `${frames * 100}% 100%`,
      'background-position': `${frames > 1 ? (frame / (frames - 1)) * 100 : 0}% 0`,
    };
    return html`<span class="preview" aria-hidden="true" ${cssProperties(place)}>
      <span class="frame" ${cssProperties(picture)}></span><span>${text.video.time(atMs)}</span>
    </span>`;
  }

  private get shown(): readonly Lane[] {
    return this.drawn.slice(0, this.maxLanes);
  }

  private isNow({ fromMs, toMs }: Pick<Segment, 'fromMs' | 'toMs'>): boolean {
    return fromMs <= this.atMs && this.atMs < toMs;
  }

  /** Which segments of the shown lanes contain the current time. */
  private segmentsNow(): string {
    return this.shown.map(({ segments }) => segments.findIndex((segment) => this.isNow(segment))).join(' ');
  }

  private percent(ms: number): string {
    return `${this.durationMs > 0 ? Math.min(100, (ms / this.durationMs) * 100) : 0}%`;
  }

  private go(atMs: number, place: Place): void {
    this.place = place;
    this.dispatchEvent(new SeekEvent(atMs));
  }

  private focused(name: string, atMs: number, place: Place): void {
    this.place = place;
    this.preview = { atMs, lane: place.lane };
    this.dispatchEvent(new HighlightEvent(name));
  }

  private pointed(event: PointerEvent, lane: number): void {
    if (event.pointerType === 'touch') return;
    this.preview = { atMs: this.timeOf(event), lane };
  }

  private readonly left = (): void => {
    this.preview = undefined;
    this.dispatchEvent(new HighlightEvent(undefined));
  };

  /** A click beside the segments. */
  private trackClicked(event: MouseEvent): void {
    if (event.target === event.currentTarget) this.dispatchEvent(new SeekEvent(this.timeOf(event)));
  }

  private timeOf({ currentTarget, clientX }: MouseEvent): number {
    const { left, width } = (currentTarget as HTMLElement).getBoundingClientRect();
    const fraction = width > 0 ? (clientX - left) / width : 0;
    return Math.min(Math.max(fraction, 0), 1) * this.durationMs;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target as Element).matches('[data-place]')) return;
    const place = placeAfter(event.key, this.place, this.shown);
    // At the ends, the arrows must not turn to another picture.
    if (Object.values<string>(KEYS.video).includes(event.key)) event.preventDefault();
    if (!place) return;
    this.renderRoot.querySelector<HTMLElement>(`[data-place="${place.lane} ${place.segment}"]`)?.focus();
  };

  /** Focuses the first of the new lanes: the button disappears with the last ones. */
  private async showMore(): Promise<void> {
    const lane = this.shown.length;
    this.maxLanes += MORE_LANES;
    this.place = { lane, segment: 0 };
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(`[data-place="${lane} 0"]`)?.focus();
  }

  private async showFewer(): Promise<void> {
    this.maxLanes = FIRST_LANES;
    // A segment that is shown stays in the tab order.
    if (!this.shown[this.place.lane]) this.place = { lane: 0, segment: 0 };
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('.pager button')?.focus();
  }
}

declare global {
  interface HTMLElementEventMap {
    seek: SeekEvent;
  }
}
