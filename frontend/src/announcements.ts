// What a screen reader says as pictures move on: changes of stage only, never each percent of an upload.
import type { Picture } from './pictures';
import { text } from './text';

/** The sentence for a change, or `undefined` if it is not worth an interruption. */
export function announcement(before: Picture | undefined, after: Picture | undefined): string | undefined {
  if (!after) return undefined;
  const { name, stage } = after;
  if (!before) return stage.name === 'waiting' ? text.announce.added(name) : undefined;
  if (stage.name === 'looking' && before.stage.name === 'looking') {
    return stage.slow && !before.stage.slow ? text.announce.slow(name) : undefined;
  }
  if (stage.name === before.stage.name) return undefined;
  switch (stage.name) {
    case 'looking':
      return before.stage.name === 'uploading' ? text.announce.looking(name) : undefined;
    case 'labeled':
      return text.announce.labeled(name, stage.image.labels);
    case 'rejected':
      return text.announce.ended(name, text.rejectedTitle, stage.reason);
    case 'failed':
      return text.announce.ended(name, text.failedTitle, stage.reason);
    default:
      return undefined;
  }
}
