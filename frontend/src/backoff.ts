// How long to wait before trying or asking again.

/** Waits that grow by half from `first` to `limit`, in milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly limit: number;
}

const GROWTH = 1.5;
/** No answer's Retry-After makes a person wait longer than this, in milliseconds. */
const LONGEST_RETRY_AFTER = 60_000;

/**
 * The wait after attempt number `attempt` (from 0), in milliseconds. Up to a quarter of it is left to chance, so that
 * pages which started together do not ask together.
 */
export function backoffDelay(attempt: number, { first, limit }: Backoff, random: () => number = Math.random): number {
  const full = Math.min(limit, first * GROWTH ** attempt);
  return full * (0.75 + 0.25 * random());
}

/** Reads a Retry-After header, seconds or a date, as milliseconds from `now`; `undefined` if there is none to read. */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (!header) return undefined;
  const wait = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.min(LONGEST_RETRY_AFTER, Math.max(0, wait));
}

/** Waits `milliseconds`; throws the signal's reason when it is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
