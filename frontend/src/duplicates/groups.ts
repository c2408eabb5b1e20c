// Groups of pictures with identical files. All functions are pure.
import type { DuplicateGroup, Summary } from '../api/types';

/** Adds the groups of a page. A group that is known already is replaced. */
export function merge(groups: readonly DuplicateGroup[], page: readonly DuplicateGroup[]): readonly DuplicateGroup[] {
  const added = new Set(page.map(({ sha256 }) => sha256));
  return [...groups.filter(({ sha256 }) => !added.has(sha256)), ...page];
}

/** The groups without removed pictures. A picture without another copy is not a duplicate anymore. */
export function remaining(
  groups: readonly DuplicateGroup[],
  isRemoved: (imageId: string) => boolean,
): readonly DuplicateGroup[] {
  return groups
    .map((group) => ({ ...group, images: group.images.filter(({ imageId }) => !isRemoved(imageId)) }))
    .filter(({ images }) => images.length > 1);
}

/** All pictures of a group except the first one, which the API puts first because it is labeled or the oldest. */
export function allButOne({ images }: DuplicateGroup): readonly string[] {
  return images.slice(1).map(({ imageId }) => imageId);
}

/** How many groups would have no picture left if the selected ones were deleted. */
export function withoutCopy(groups: readonly DuplicateGroup[], selected: ReadonlySet<string>): number {
  return groups.filter(({ images }) => images.every(({ imageId }) => selected.has(imageId))).length;
}

export function selectedImages(groups: readonly DuplicateGroup[], selected: ReadonlySet<string>): readonly Summary[] {
  return groups.flatMap(({ images }) => images.filter(({ imageId }) => selected.has(imageId)));
}
