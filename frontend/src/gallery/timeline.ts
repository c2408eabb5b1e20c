// Goes to a month of the history: a slider at the right edge of the window, or a menu where there is no room for it.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { cssProperties } from '../shared/css-properties';
import { KEYS, keyOf } from '../shared/shortcuts';
import { sheets } from '../shared/styles';
import { text } from '../shared/text';
import css from './timeline.css?inline';
import { distanceOf, indexOf, indexOfYear, marksOf } from './timeline-marks';

/** A month that was chosen with the keyboard is shown this long after the last key, in milliseconds. */
const KEY_DELAY = 300;

type Months = readonly string[];

/** The person wants to see a month; dispatched as `month`. */
export class MonthEvent extends Event {
  constructor(readonly month: string) {
    super('month');
  }
}

/** Dispatches `month`. */
@customElement('ilg-timeline')
export class Timeline extends LitElement {
  static override styles = sheets(css);

  /** `YYYY-MM`, newest first. */
  @property({ attribute: false, hasChanged: (one: Months, other?: Months) => one.join() !== other?.join() })
  months: Months = [];
  /** The month at the top of the gallery. `undefined` for the newest one. */
  @property() current: string | undefined;
  /** The room for the months, in pixels. */
  @state() private height = 0;
  /** The month that is chosen while the pointer or a key is pressed. */
  @state() private chosen: number | undefined;
  /** The month under the pointer. */
  @state() private pointed: number | undefined;
  @query('.months') private track!: HTMLElement;
  @query('select') private menu!: HTMLSelectElement;
  private keyTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly resized = new ResizeObserver(([entry]) => {
    this.height = entry?.contentRect.height ?? 0;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    clearTimeout(this.keyTimer);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('months')) return;
    this.chosen = undefined;
    this.pointed = undefined;
  }

  override updated(): void {
    // Options are rendered after the value of their menu.
    this.menu.value = this.months[this.index] ?? '';
  }

  override render() {
    const { months, index, distance } = this;
    const shown = this.chosen ?? this.pointed;
    const at = (place: number) => cssProperties({ top: `${place * distance}px` });
    return html`
      <div
        class="slider"
        role="slider"
        tabindex="0"
        aria-label=${text.timeline.label}
        aria-orientation="vertical"
        aria-valuemin="0"
        aria-valuemax=${months.length - 1}
        aria-valuenow=${index}
        aria-valuetext=${text.timeline.month(months[index] ?? '')}
        @keydown=${this.keyPressed}
        @blur=${this.choose}
        @pointerdown=${this.pressed}
        @pointermove=${this.moved}
        @pointerup=${this.choose}
        @pointercancel=${this.canceled}
        @pointerleave=${this.left}
      >
        <div class="months" ${cssProperties({ height: `${(months.length - 1) * distance}px` })}>
          ${marksOf(months, distance).map(
            ({ month, top, name }) =>
              html`<span class="mark" ?data-year=${name === 'year'} ${cssProperties({ top: `${top}px` })}>${name ? text.timeline.mark(month, name) : nothing}</span>`,
          )}
          <span class="now" ${at(index)}></span>
          <span class="bubble" ?data-shown=${shown !== undefined} ${at(shown ?? index)}>${text.timeline.month(months[shown ?? index] ?? '')}</span>
        </div>
      </div>
      <select aria-label=${text.timeline.menu} @change=${this.picked}>
        ${[...byYear(months)].map(
          ([year, own]) => html`<optgroup label=${year}>
            ${own.map((month) => html`<option value=${month}>${text.timeline.option(month)}</option>`)}
          </optgroup>`,
        )}
      </select>
    `;
  }

  private get index(): number {
    return this.chosen ?? indexOf(this.months, this.current);
  }

  private get distance(): number {
    return distanceOf(this.months.length, this.height);
  }

  /** The month at the pointer. */
  private at({ clientY }: PointerEvent): number {
    const place = Math.round((clientY - this.track.getBoundingClientRect().top) / (this.distance || 1));
    return Math.min(Math.max(place, 0), this.months.length - 1);
  }

  private pressed(event: PointerEvent): void {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.chosen = this.at(event);
  }

  private moved(event: PointerEvent): void {
    this.pointed = this.at(event);
    if (event.buttons !== 0 && this.chosen !== undefined) this.chosen = this.pointed;
  }

  private canceled(): void {
    this.chosen = undefined;
  }

  private left(): void {
    this.pointed = undefined;
  }

  private keyPressed(event: KeyboardEvent): void {
    const { index, months } = this;
    const places: Readonly<Record<string, number>> = {
      [KEYS.timeline.newer]: index - 1,
      [KEYS.timeline.older]: index + 1,
      [KEYS.timeline.newerYear]: indexOfYear(months, index, -1),
      [KEYS.timeline.olderYear]: indexOfYear(months, index, 1),
      [KEYS.timeline.newest]: 0,
      [KEYS.timeline.oldest]: months.length - 1,
    };
    const place = places[keyOf(event)];
    if (place === undefined) return;
    event.preventDefault();
    this.chosen = Math.min(Math.max(place, 0), months.length - 1);
    clearTimeout(this.keyTimer);
    this.keyTimer = setTimeout(() => this.choose(), KEY_DELAY);
  }

  /** Shows the month that the pointer or the keyboard has chosen. */
  private choose(): void {
    clearTimeout(this.keyTimer);
    const month = this.months[this.chosen ?? -1];
    this.chosen = undefined;
    if (month !== undefined) this.dispatchEvent(new MonthEvent(month));
  }

  private picked(): void {
    this.dispatchEvent(new MonthEvent(this.menu.value));
  }
}

declare global {
  interface HTMLElementEventMap {
    month: MonthEvent;
  }
}

/** The months of each year, in their order. */
function byYear(months: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const years = new Map<string, string[]>();
  for (const month of months) {
    const year = month.slice(0, 'YYYY'.length);
    years.set(year, [...(years.get(year) ?? []), month]);
  }
  return years;
}
