// The progress of all files together.
import { type Item, isFinished } from './queue';

/** Labeling a small file takes as long as uploading about this many bytes. */
const LABELING_BYTES = 1_000_000;

/** The progress of all files, 0 to 1, in proportion to their sizes: a large video takes longer than many pictures. */
export function totalProgress(items: readonly Item[]): number {
  let done = 0;
  let total = 0;
  for (const { size, stage } of items) {
    total += size + LABELING_BYTES;
    if (isFinished({ stage })) done += size + LABELING_BYTES;
    else if (stage.name === 'labeling') done += size;
    else if (stage.name === 'uploading') done += stage.sent * size;
  }
  return total > 0 ? done / total : 0;
}
