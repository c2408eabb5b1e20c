// Labels several pictures again.
import type { ApiClient } from '../api/client';
import { ApiError } from '../api/problem';
import { isFinal, type Summary } from '../api/types';
import type { Watcher } from '../api/watcher';
import { ConcurrencyLimiter } from '../shared/concurrency-limiter';
import type { Library } from './library';

/** How many requests are sent at the same time. */
const CONCURRENT_REQUESTS = 4;

export interface RelabelResult {
  /** How many pictures the API started to label. */
  readonly started: number;
  /** Why requests failed. */
  readonly causes: readonly unknown[];
}

/** Pictures can be labeled again unless they are in progress. */
export function relabelable(images: readonly Summary[]): readonly Summary[] {
  return images.filter(({ status }) => isFinal(status));
}

/**
 * Starts labeling pictures again, and watches them. A picture that is already being labeled is watched too, but does not
 * count as started. Skips pictures that are removed before their requests are sent. Sends no more requests after the
 * first answer that a daily limit is reached, or when `signal` is aborted. Does not throw.
 */
export async function relabelAll(
  images: readonly Summary[],
  api: Pick<ApiClient, 'relabel'>,
  watcher: Pick<Watcher, 'watch'>,
  library: Pick<Library, 'isRemoved'>,
  signal: AbortSignal,
): Promise<RelabelResult> {
  const limiter = new ConcurrencyLimiter(CONCURRENT_REQUESTS);
  const causes: unknown[] = [];
  let started = 0;
  let stopped = false;
  const relabel = async ({ imageId, updatedAt }: Summary) => {
    if (stopped || signal.aborted || library.isRemoved(imageId)) return;
    try {
      await api.relabel(imageId);
      started += 1;
      watcher.watch(imageId, updatedAt);
    } catch (cause) {
      causes.push(cause);
      if (!(cause instanceof ApiError)) return;
      stopped ||= cause.isDailyLimit;
      if (cause.isRunning) watcher.watch(imageId, updatedAt);
    }
  };
  await Promise.all(images.map((image) => limiter.run(() => relabel(image))));
  return { started, causes };
}
