// What a screen reader says as uploads move on: changes of stage only, never each percent of an upload.
import { text } from './text';
import type { Item } from './upload/queue';

/** The sentence for a change, or `undefined` if it is not worth an interruption. */
export function announcement(before: Item | undefined, after: Item | undefined): string | undefined {
  if (!after) return undefined;
  const { name, stage } = after;
  if (!before) return text.announce.added(name);
  if (stage.name === 'looking' && before.stage.name === 'looking') {
    return stage.slow && !before.stage.slow ? text.announce.slow(name) : undefined;
  }
  if (stage.name === before.stage.name) return undefined;
  switch (stage.name) {
    case 'looking':
      return text.announce.looking(name);
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
