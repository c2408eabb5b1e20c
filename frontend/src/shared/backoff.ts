// Exponential backoff with jitter, and waiting that can be aborted.

/** Delays that grow by half from `first` to `limit`, in milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly limit: number;
}

const GROWTH = 1.5;
/** A request is not retried if the service asks for a longer delay than this, in milliseconds: a person is waiting. */
export const MAX_RETRY_AFTER = 60_000;

/**
 * The delay after attempt number `attempt` (from 0), in milliseconds. Up to a quarter of it is random, so that pages that
 * started together do not send their requests together.
 */
export function backoffDelay(attempt: number, { first, limit }: Backoff, random: () => number = Math.random): number {
  const delay = Math.min(limit, first * GROWTH ** attempt);
  return delay * (0.75 + 0.25 * random());
}

/** Reads a Retry-After header, seconds or a date, as milliseconds from `now`; `undefined` if it is absent or invalid. */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (!header) return undefined;
  const delay = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(delay) ? undefined : Math.max(0, delay);
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
