// The order in which uploads are listed: those that need attention first.
import type { Item } from './queue';

/** The indexes of the first `max` items in the order of the list: rejected and failed ones first, labeled ones last. */
export function mostUrgent(items: readonly Item[], max: number): readonly number[] {
  const urgencies = items.map(urgency);
  return [...items.keys()].sort((a, b) => (urgencies[a] ?? 0) - (urgencies[b] ?? 0)).slice(0, max);
}

/** Whether the same items are in the same stages, so that their order is the same. */
export function hasSameOrder(one: readonly Item[], other: readonly Item[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ key, stage }, index) => key === other[index]?.key && stage.name === other[index].stage.name)
  );
}

function urgency({ stage }: Item): number {
  if (stage.name === 'failed' || stage.name === 'rejected') return 0;
  if (stage.name === 'duplicate') return 2;
  return stage.name === 'labeled' ? 3 : 1;
}
