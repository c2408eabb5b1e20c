// The sentences that screen readers announce: for uploads, downloads and exports when the stage changes, not for each
// percent, for the number of selected pictures, and for the results of a search.
import type { Job } from '../api/types';
import type { DownloadState } from '../download/downloads';
import type { Library } from '../gallery/library';
import type { Selection } from '../gallery/selection';
import { text } from '../shared/text';
import type { Item } from '../upload/queue';

/** The sentence for a change of the selection; `undefined` if its size is the same. */
export function selectionAnnouncement(before: Selection, after: Selection): string | undefined {
  const { size } = after.ids;
  if (size === before.ids.size) return undefined;
  if (size === 0) return text.selection.cleared;
  return before.ids.size === 0 ? text.selection.first(size) : text.selection.count(size);
}

/** The sentence for the results of a new search; `undefined` until the first of them are loaded, or if that has failed. */
export function resultsAnnouncement({ images, loadState }: Pick<Library, 'images' | 'loadState'>): string | undefined {
  const { length } = images;
  switch (loadState.name) {
    case 'complete':
      return length > 0 ? text.library.found(length, false) : text.library.noResults;
    case 'partial':
      // A part of a filtered list can be empty.
      return length > 0 ? text.library.found(length, true) : undefined;
    default:
      return undefined;
  }
}

/** The sentence for a change of the download; `undefined` if it is not announced. */
export function downloadAnnouncement(
  before: DownloadState | undefined,
  after: DownloadState | undefined,
): string | undefined {
  if (before?.name === after?.name) return undefined;
  switch (after?.name) {
    case 'running':
      return text.download.running(after.finished, after.total);
    case 'saved': {
      const { saved, missing } = after;
      const done = text.download.saved(saved, missing.length);
      return missing.length > 0 ? `${done}. ${text.download.missing(missing)}` : done;
    }
    case 'failed':
      return `${text.download.failed}. ${after.reason}`;
    default:
      return before?.name === 'running' ? text.download.canceled : undefined;
  }
}

/** The sentence for an export that has ended. */
export function exportAnnouncement({ status, files }: Job): string {
  if (status === 'CANCELED') return text.exports.canceled;
  if (status !== 'SUCCEEDED') return text.exports.failed;
  const pictures = (files ?? []).reduce((sum, { images }) => sum + images, 0);
  return pictures > 0 ? text.exports.done(pictures) : text.exports.nothing;
}

/** The sentence for a change of an upload; `undefined` if it is not announced. */
export function announcement(before: Item | undefined, after: Item | undefined): string | undefined {
  if (!after) return undefined;
  const { name, stage } = after;
  if (!before) return text.announce.added(name);
  if (stage.name === 'labeling' && before.stage.name === 'labeling') {
    return stage.slow && !before.stage.slow ? text.announce.slow(name) : undefined;
  }
  if (stage.name === before.stage.name) return undefined;
  switch (stage.name) {
    case 'labeling':
      return text.announce.labeling(name);
    case 'labeled':
      return text.announce.labeled(name, stage.image.labels);
    case 'duplicate':
      return text.announce.duplicate(name);
    case 'rejected':
      return text.announce.ended(name, text.rejectedTitle, stage.reason);
    case 'failed':
      return text.announce.ended(name, text.failedTitle, stage.reason);
    default:
      return undefined;
  }
}
