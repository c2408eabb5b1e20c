// Dragging a rectangle with the mouse. The page scrolls while the mouse is near the top or the bottom of the window.
import { KEYS, keyOf } from '../shared/shortcuts';

/** The mouse must move this far, in pixels. Otherwise it clicks. */
const MIN_DISTANCE = 6;
/** How near to an edge of the window the page scrolls, in pixels. */
const EDGE = 48;
/** In pixels per millisecond. */
const MAX_SPEED = 2.5;
/** The longest time between two frames that counts, in milliseconds: a slow page must not jump. */
const MAX_FRAME = 50;

/** A point of the page, in pixels. It moves with the page when that scrolls. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface RectangleHandlers {
  /** Whether a press of the mouse button starts a rectangle here. */
  readonly canStart: (event: PointerEvent) => boolean;
  /** The mouse has moved, or the page has scrolled. */
  readonly moved: (start: Point, end: Point) => void;
  /** The button was released, or, if `canceled`, the key that clears a selection was pressed. */
  readonly ended: (canceled: boolean) => void;
}

/** A press of the mouse button. */
interface Press {
  readonly start: Point;
  /** Where the mouse is in the window, in pixels. */
  client: Point;
  readonly shift: boolean;
  /** Whether the mouse has moved far enough. */
  isDrag: boolean;
  readonly listening: AbortController;
}

/** Recognizes rectangles that are dragged anywhere on the page. */
export class RectangleDrag {
  private press: Press | undefined;

  constructor(private readonly handlers: RectangleHandlers) {}

  /** Starts to listen, until `signal` is aborted. */
  listen(signal: AbortSignal): void {
    window.addEventListener('pointerdown', this.down, { signal });
    signal.addEventListener('abort', () => this.end(false));
  }

  private readonly down = (event: PointerEvent): void => {
    this.end(false);
    const { pointerType, button, clientX, clientY, shiftKey } = event;
    const isOnScrollbar = clientX >= document.documentElement.clientWidth;
    // A finger scrolls.
    if (pointerType !== 'mouse' || button !== 0 || isOnScrollbar || !this.handlers.canStart(event)) return;
    const client = { x: clientX, y: clientY };
    const listening = new AbortController();
    const { signal } = listening;
    this.press = { start: pagePoint(client), client, shift: shiftKey, isDrag: false, listening };
    window.addEventListener('pointermove', this.moved, { signal });
    window.addEventListener('scroll', () => this.update(), { signal, passive: true });
    window.addEventListener('pointerup', () => this.end(false), { signal });
    window.addEventListener('pointercancel', () => this.end(false), { signal });
    window.addEventListener('keydown', this.key, { signal, capture: true });
    // Otherwise, the browser would select text or drag a tile's link. With Shift, it would extend a selection of text.
    for (const name of ['selectstart', 'dragstart']) {
      window.addEventListener(name, (other) => other.preventDefault(), { signal, capture: true });
    }
    if (shiftKey) window.addEventListener('mousedown', (other) => other.preventDefault(), { signal, once: true });
  };

  private readonly moved = ({ clientX, clientY, buttons }: PointerEvent): void => {
    const { press } = this;
    if (!press) return;
    // The button was released outside the window.
    if ((buttons & 1) === 0) {
      this.end(false);
      return;
    }
    press.client = { x: clientX, y: clientY };
    const { x, y } = pagePoint(press.client);
    if (!press.isDrag && Math.hypot(x - press.start.x, y - press.start.y) >= MIN_DISTANCE) {
      press.isDrag = true;
      this.scroll(press, performance.now());
    }
    this.update();
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (keyOf(event) !== KEYS.selection.clear || !this.press?.isDrag) return;
    event.preventDefault();
    event.stopPropagation();
    this.end(true);
  };

  private update(): void {
    if (this.press?.isDrag) this.handlers.moved(this.press.start, pagePoint(this.press.client));
  }

  /** Scrolls in each frame until the drag ends. */
  private scroll(press: Press, last: number): void {
    requestAnimationFrame((now) => {
      if (this.press !== press) return;
      const top = Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
      const speed = scrollSpeed(press.client.y, top, window.innerHeight);
      if (speed !== 0) window.scrollBy({ top: speed * Math.min(now - last, MAX_FRAME), behavior: 'instant' });
      this.scroll(press, now);
    });
  }

  private end(canceled: boolean): void {
    const { press } = this;
    if (!press) return;
    this.press = undefined;
    press.listening.abort();
    if (!press.isDrag) return;
    ignoreClick();
    this.handlers.ended(canceled);
  }
}

/**
 * How fast the page scrolls, in pixels per millisecond; negative is up. `y` is where the mouse is, `top` and `bottom` are
 * the edges of what is visible, in pixels.
 */
export function scrollSpeed(y: number, top: number, bottom: number): number {
  const above = Math.max(0, top + EDGE - y);
  const below = Math.max(0, y - (bottom - EDGE));
  return MAX_SPEED * (Math.min(1, below / EDGE) - Math.min(1, above / EDGE));
}

/** Ignores the click that browsers dispatch right after the button is released. */
function ignoreClick(): void {
  const done = new AbortController();
  const stop = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  window.addEventListener('click', stop, { capture: true, signal: done.signal });
  setTimeout(() => done.abort());
}

function pagePoint({ x, y }: Point): Point {
  return { x: x + window.scrollX, y: y + window.scrollY };
}
