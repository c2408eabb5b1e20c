// Fetches the file of a picture from S3, with a presigned URL.
import type { ApiClient } from '../api/client';
import { ApiError, isTransient, UserFacingError } from '../api/problem';
import type { Image } from '../api/types';
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { whenOnline } from '../shared/page-state';
import { text } from '../shared/text';

/** How often a picture is requested. */
const MAX_ATTEMPTS = 3;
const RETRY: Backoff = { first: 1_000, limit: 5_000 };
/** A request is aborted after this many milliseconds without data. */
export const STALL_TIMEOUT = 60_000;

/** The file can't be fetched. */
export class FetchError extends UserFacingError {
  override readonly name = 'FetchError';

  constructor(
    message: string,
    /** Whether another request can succeed. */
    readonly isTransient: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A picture with its file. */
export interface FetchedPicture {
  readonly image: Image;
  readonly file: Blob;
}

/**
 * Fetches a picture's details and its file. `onBytes` is called with the number of bytes received so far, which starts
 * again from 0 with each attempt. Throws `FetchError`, `ApiError`, `NetworkError`, or the signal's reason.
 */
export async function fetchPicture(
  api: Pick<ApiClient, 'getImage'>,
  imageId: string,
  onBytes: (received: number) => void,
  signal: AbortSignal,
): Promise<FetchedPicture> {
  for (let attempt = 1; ; attempt += 1) {
    await whenOnline(signal);
    try {
      // Each attempt needs another URL: the last one may have expired.
      const image = await api.getImage(imageId, signal);
      if (!image.view) throw new FetchError(text.download.noFile, false);
      return { image, file: await fetchFile(image.view.url, attempt > 1, onBytes, signal) };
    } catch (error) {
      signal.throwIfAborted();
      const canRetry = error instanceof FetchError ? error.isTransient : isTransient(error);
      if (attempt === MAX_ATTEMPTS || !canRetry) throw explained(error);
      onBytes(0);
      await sleep(backoffDelay(attempt, RETRY), signal);
    }
  }
}

function explained(error: unknown): unknown {
  const isGone = error instanceof ApiError && error.status === 404;
  return isGone ? new FetchError(text.notFound, false, { cause: error }) : error;
}

/** Fetches a file completely. `isRenewed`: another URL has failed. The browser can keep a `Blob` on disk. */
async function fetchFile(
  url: string,
  isRenewed: boolean,
  onBytes: (received: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const stalled = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const resetTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), STALL_TIMEOUT);
  };
  let received = 0;
  const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      resetTimer();
      received += chunk.length;
      onBytes(received);
      controller.enqueue(chunk);
    },
  });
  try {
    resetTimer();
    const response = await fetch(url, {
      // A copy that the browser has cached for an <img> lacks the headers that allow scripts to read it.
      cache: 'no-store',
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    // S3 says that an object is missing only to those who may list the bucket, and the service may not.
    const isMissing = response.status === 404 || (response.status === 403 && isRenewed);
    if (isMissing) throw new FetchError(text.download.gone, false);
    // S3 answers 400 or 403 if the URL, or the credentials that signed it, have expired.
    if (!response.ok || !response.body) throw new FetchError(text.download.storage(response.status), true);
    return await new Response(response.body.pipeThrough(counter)).blob();
  } catch (error) {
    if (error instanceof FetchError) throw error;
    signal.throwIfAborted();
    throw new FetchError(text.upload.transient, true, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
