// Moving between views, in step with the address bar and the browser's history.
import { type Address, readAddress, writeAddress } from './address';

/** Dispatches `change` whenever the address is another one. */
export class Router extends EventTarget {
  private current = readAddress(new URL(location.href));

  /** Listens to the browser's history until `signal` is aborted. */
  constructor(signal: AbortSignal) {
    super();
    window.addEventListener('popstate', () => this.read(), { signal });
  }

  get address(): Address {
    return this.current;
  }

  /** Opens an address; what is not given stays as it is. */
  go(change: Partial<Address>, how: 'push' | 'replace' = 'push'): void {
    const path = writeAddress({ ...this.current, ...change });
    if (path === location.pathname + location.search) return;
    if (how === 'push') history.pushState({ within: true }, '', path);
    else history.replaceState(history.state, '', path);
    this.read();
  }

  /** Closes a view: back to where it was opened from, or to the library if it was opened from outside. */
  close(): void {
    if (history.state?.within) history.back();
    else this.go({ view: { name: 'library' } }, 'replace');
  }

  /** Takes the address up from the bar. */
  read(): void {
    this.current = readAddress(new URL(location.href));
    this.dispatchEvent(new Event('change'));
  }

  /** Follows a click on a link of the page's own, unless the person wants it in another tab. */
  follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    event.preventDefault();
    this.go(readAddress(new URL(link.href)));
  }
}
