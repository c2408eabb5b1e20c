// Watching one picture until it has its end.
import { ApiError, NetworkError } from './api/problem';
import { type Image, isFinal } from './api/types';
import { type Backoff, backoffDelay, sleep } from './backoff';
import { whenOnline, whenVisible } from './page-state';

/** Labels usually come within seconds. */
const USUAL: Backoff = { first: 300, limit: 3_000 };
/** Once it takes long, asking often helps nobody. */
const SLOW: Backoff = { first: 10_000, limit: 10_000 };
/** After this many milliseconds without an end, the person is told that it takes longer than usual. */
const LONG = 120_000;
/** How long a file may be on its way from storage to the record, in milliseconds, before it counts as never sent. */
const ARRIVAL = 20_000;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /**
   * Whether this page has just stored the file. Otherwise (the page was loaded again) a picture that still awaits its
   * upload will wait for ever, because whoever was sending it is gone.
   */
  readonly stored: boolean;
  /** Called after each look without an end: whether it takes long, and whether the API answered. */
  readonly onWait: (wait: { slow: boolean; unreachable: boolean }) => void;
}

/**
 * Asks for a picture until its status is final, pausing while the tab is hidden or offline. The answer's status is
 * final, or `AWAITING_UPLOAD` if the file never came. Throws `ApiError` if the API will never give an end.
 */
export async function watchImage(
  getImage: (signal: AbortSignal) => Promise<Image>,
  { signal, stored, onWait }: WatchOptions,
): Promise<Image> {
  const start = performance.now();
  for (let attempt = 0; ; attempt += 1) {
    await whenVisible(signal);
    await whenOnline(signal);
    const asked = performance.now() - start;
    let unreachable = false;
    try {
      const image = await getImage(signal);
      if (isFinal(image.status)) return image;
      if (image.status === 'AWAITING_UPLOAD' && !stored && asked > ARRIVAL) return image;
    } catch (error) {
      unreachable = error instanceof NetworkError || (error instanceof ApiError && error.passing);
      const notYetThere = stored && error instanceof ApiError && error.status === 404 && asked < ARRIVAL;
      if (!unreachable && !notYetThere) throw error;
    }
    const slow = performance.now() - start > LONG;
    onWait({ slow, unreachable });
    await sleep(backoffDelay(attempt, slow ? SLOW : USUAL), signal);
  }
}
