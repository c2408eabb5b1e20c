// Finds all files of a search, for one ZIP.
import type { ApiClient } from '../api/client';
import type { Filter } from '../api/filter';
import type { Listed } from './downloads';

/** The maximum number of files in a ZIP of all results. What is known of them is in memory: about 10 MB. */
export const MAX_FILES = 50_000;

/**
 * All pictures of a search that have a file, newest first, at most one more than `MAX_FILES`. Calls `onProgress` with how many are
 * found so far. Throws the API's error.
 */
export async function findFiles(
  api: Pick<ApiClient, 'listImages'>,
  filter: Filter,
  isRemoved: (imageId: string) => boolean,
  signal: AbortSignal,
  onProgress: (found: number) => void,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  let cursor: string | undefined;
  do {
    // In this order, a change of a picture neither hides nor repeats others.
    const { images, nextCursor } = await api.listImages({ filter, order: 'time', boxes: false }, cursor, signal);
    signal.throwIfAborted();
    for (const { imageId, fileName, format, size, status } of images) {
      const hasFile = status !== 'AWAITING_UPLOAD' && status !== 'REJECTED' && !isRemoved(imageId);
      if (hasFile && found.length <= MAX_FILES) found.push({ imageId, fileName, format, size });
    }
    cursor = nextCursor;
    onProgress(Math.min(found.length, MAX_FILES));
  } while (cursor !== undefined && found.length <= MAX_FILES);
  return found;
}
