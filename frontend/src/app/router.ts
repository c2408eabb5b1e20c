// Keeps the open view in sync with the address bar and the browser's history.
import { type Address, readAddress, writeAddress } from './address';

/** A new entry in the browser's history, another one in place of the current, or a way through it, such as Back. */
type Step = 'push' | 'replace' | 'traverse';

/** Dispatches `change` when the address changes. */
export class Router extends EventTarget {
  private current = readAddress(new URL(location.href));
  private lastStep: Step = 'push';

  /** Listens to the browser's history until `signal` is aborted. */
  constructor(signal: AbortSignal) {
    super();
    window.addEventListener('popstate', () => this.read('traverse'), { signal });
  }

  get address(): Address {
    return this.current;
  }

  /** How the page has come to the address. */
  get step(): Step {
    return this.lastStep;
  }

  /** Opens an address. Parts that are not given stay the same. */
  go(change: Partial<Address>, mode: 'push' | 'replace' = 'push'): void {
    const path = writeAddress({ ...this.current, ...change });
    if (path === location.pathname + location.search) return;
    if (mode === 'push') history.pushState({ openedHere: true }, '', path);
    else history.replaceState(history.state, '', path);
    this.read(mode);
  }

  /** Closes a view: goes back in the history, or to the library if the page was opened with this view. */
  close(): void {
    if (history.state?.openedHere) history.back();
    else this.go({ view: { name: 'library' } }, 'replace');
  }

  /** Reads the address bar. */
  private read(step: Step): void {
    this.lastStep = step;
    this.current = readAddress(new URL(location.href));
    this.dispatchEvent(new Event('change'));
  }

  /** Handles a click on a link inside the page, unless it should open in another tab. */
  follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    event.preventDefault();
    this.go(readAddress(new URL(link.href)));
  }
}
