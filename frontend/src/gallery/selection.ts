// Which pictures of the gallery are selected. All functions are pure.

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** The picture that was toggled last, where a range starts. */
  readonly anchor: string | undefined;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), anchor: undefined };

/** How much of a group of pictures is selected. */
export type Extent = 'none' | 'some' | 'all';

export function toggle({ ids }: Selection, imageId: string): Selection {
  return { ids: changed(ids, [imageId], !ids.has(imageId)), anchor: imageId };
}

/**
 * Gives all pictures from the anchor to `imageId` the state of the anchor, and makes `imageId` the anchor. Toggles
 * `imageId` if there is no anchor or nothing is selected. `order` contains the ids of the gallery.
 */
export function selectRange(selection: Selection, order: readonly string[], imageId: string): Selection {
  const { ids, anchor } = selection;
  const end = order.indexOf(imageId);
  const start = anchor === undefined ? -1 : order.indexOf(anchor);
  // Without a selection, the range would take the state of an anchor that was cleared, and nothing would change.
  if (anchor === undefined || ids.size === 0 || start < 0 || end < 0) return toggle(selection, imageId);
  const range = order.slice(Math.min(start, end), Math.max(start, end) + 1);
  return { ids: changed(ids, range, ids.has(anchor)), anchor: imageId };
}

/** Adds pictures. `anchor` becomes the picture where a range starts, if there is one. */
export function add(
  { ids, anchor: before }: Selection,
  group: readonly string[],
  anchor: string | undefined,
): Selection {
  return { ids: changed(ids, group, true), anchor: anchor ?? before };
}

/** Selects all pictures of a group, or clears them if all of them are selected. */
export function toggleGroup(selection: Selection, group: readonly string[]): Selection {
  const { ids } = selection;
  if (group.length === 0) return selection;
  return { ids: changed(ids, group, extentOf(selection, group) !== 'all'), anchor: group[0] };
}

export function selectAll(selection: Selection, order: readonly string[]): Selection {
  return { ids: changed(selection.ids, order, true), anchor: selection.anchor };
}

/** Removes pictures that are not in the gallery anymore. Returns the same selection if there are none. */
export function prune(selection: Selection, existing: ReadonlySet<string>): Selection {
  const { ids, anchor } = selection;
  const isGone = anchor !== undefined && !existing.has(anchor);
  const kept = [...ids].filter((imageId) => existing.has(imageId));
  if (kept.length === ids.size && !isGone) return selection;
  return { ids: new Set(kept), anchor: isGone ? undefined : anchor };
}

export function hasSamePictures(one: Selection, other: Selection): boolean {
  return one.ids.size === other.ids.size && [...one.ids].every((imageId) => other.ids.has(imageId));
}

export function extentOf({ ids }: Selection, group: readonly string[]): Extent {
  const selected = group.filter((imageId) => ids.has(imageId)).length;
  if (selected === 0) return 'none';
  return selected === group.length ? 'all' : 'some';
}

function changed(ids: ReadonlySet<string>, group: readonly string[], selected: boolean): ReadonlySet<string> {
  const result = new Set(ids);
  for (const imageId of group) {
    if (selected) result.add(imageId);
    else result.delete(imageId);
  }
  return result;
}
