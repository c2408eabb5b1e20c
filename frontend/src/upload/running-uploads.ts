// How much of each running upload is sent.
import type { Item, ItemChange } from './queue';

/** Fractions, 0 to 1, by image id. */
export type RunningUploads = ReadonlyMap<string, number>;

/** The running uploads after a change. The same map if they have not changed, so that nothing is rendered again. */
export function withChange(uploads: RunningUploads, { before, after }: Pick<ItemChange, 'before' | 'after'>) {
  const [old, current] = [entryOf(before), entryOf(after)];
  if (!old && !current) return uploads;
  const changed = new Map(uploads);
  if (old) changed.delete(old.imageId);
  if (current) changed.set(current.imageId, current.sent);
  return changed;
}

function entryOf(item: Item | undefined): { readonly imageId: string; readonly sent: number } | undefined {
  if (!item?.imageId || item.stage.name !== 'uploading') return undefined;
  return { imageId: item.imageId, sent: item.stage.sent };
}
