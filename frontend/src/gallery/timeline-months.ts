// The months that have pictures, newest first.
import type { ApiClient } from '../api/client';

/** How many pages of months are loaded. One page has the months of many years. */
const MAX_PAGES = 20;

/** Dispatches `change`. */
export class TimelineMonths extends EventTarget {
  private known: readonly string[] = [];
  private isLoaded = false;
  private loading = false;

  constructor(private readonly api: Pick<ApiClient, 'listMonths'>) {
    super();
  }

  /** `YYYY-MM`, newest first. Months whose last picture was deleted can still be there. */
  get months(): readonly string[] {
    return this.known;
  }

  /** Loads the months, unless they are loaded. Without them, there is no timeline, and nothing else changes. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.isLoaded || this.loading) return;
    this.loading = true;
    try {
      const loaded: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const { months, nextCursor } = await this.api.listMonths(cursor, signal);
        signal.throwIfAborted();
        loaded.push(...months);
        cursor = nextCursor;
        if (!cursor) break;
      }
      this.isLoaded = true;
      this.add(...loaded);
    } catch {
      // The next call tries again.
    } finally {
      this.loading = false;
    }
  }

  /** Forgets all months, after all pictures were deleted. */
  clear(): void {
    this.known = [];
    this.isLoaded = false;
    this.dispatchEvent(new Event('change'));
  }

  /** Adds months that have pictures now. */
  add(...months: readonly string[]): void {
    const all = new Set([...this.known, ...months]);
    if (all.size === this.known.length) return;
    this.known = [...all].sort().reverse();
    this.dispatchEvent(new Event('change'));
  }
}
