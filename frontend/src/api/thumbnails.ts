// Waits for the thumbnails of a picture that cannot be displayed without them. They, or the reason why there are none, appear some
// moments after the labels, and much later if the service is busy.

import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { whenVisible } from '../shared/page-state';
import type { ApiClient } from './client';
import { isTransient } from './problem';
import type { Image } from './types';

/** The pauses between requests of pictures that are not visible without thumbnails. */
export const LATE_THUMBNAILS: Backoff = { first: 1_000, limit: 30_000 };

/** Whether a picture has no thumbnails yet. */
export function lacksThumbnails({ status, thumbnails, thumbnailsError }: Image): boolean {
  return status === 'LABELED' && thumbnails.length === 0 && !thumbnailsError;
}

/**
 * Requests a picture until it has thumbnails or a reason why there are none, or until it is being labeled again. A picture that the
 * browser cannot display, such as HEIC, is not visible without thumbnails.
 */
export async function withThumbnails(
  api: Pick<ApiClient, 'getImage'>,
  imageId: string,
  signal: AbortSignal,
): Promise<Image> {
  for (let attempt = 0; ; attempt += 1) {
    await sleep(backoffDelay(attempt, LATE_THUMBNAILS), signal);
    await whenVisible(signal);
    try {
      const image = await api.getImage(imageId, signal);
      if (!lacksThumbnails(image)) return image;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }
}
