// Recognizes that a finger stays on an element. The browser's own reaction, a menu for the link, is suppressed.

/** In milliseconds. */
const DURATION = 450;
/** A finger that moves farther scrolls, in pixels. */
const MAX_DISTANCE = 10;

/** Calls `pressed` with the element under the finger. Pass all pointer events of the container to `handle`. */
export class LongPress {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private start = { x: 0, y: 0 };
  /** Whether the click after a long press must be ignored. */
  private suppressing = false;

  constructor(private readonly pressed: (target: Element) => void) {}

  readonly handle = (event: MouseEvent): void => {
    switch (event.type) {
      case 'pointerdown':
        this.down(event as PointerEvent);
        break;
      case 'pointermove':
        this.moved(event);
        break;
      case 'contextmenu':
      case 'dragstart':
        if (this.timer !== undefined || this.suppressing) event.preventDefault();
        break;
      default:
        this.cancel();
    }
  };

  /**
   * Whether a click ends a long press, and must not do anything else. Not every browser dispatches this click, and the next
   * one can come from the keyboard, which has no `detail`.
   */
  endsWith(event: MouseEvent): boolean {
    const ends = this.suppressing && event.detail > 0;
    this.suppressing = false;
    if (ends) event.preventDefault();
    return ends;
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private down({ pointerType, isPrimary, target, clientX: x, clientY: y }: PointerEvent): void {
    this.cancel();
    this.suppressing = false;
    if (pointerType !== 'touch' || !isPrimary || !(target instanceof Element)) return;
    this.start = { x, y };
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.suppressing = true;
      this.pressed(target);
    }, DURATION);
  }

  private moved({ clientX, clientY }: MouseEvent): void {
    if (this.timer === undefined) return;
    if (Math.hypot(clientX - this.start.x, clientY - this.start.y) > MAX_DISTANCE) this.cancel();
  }
}
