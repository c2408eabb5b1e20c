// Which labels of a picture say best what it shows.
import type { Label } from '../api/types';

/** The labels that are not parents of others, at most `max`, in their order: `Cat`, but not `Animal`. */
export function distinctiveLabels(labels: readonly Label[], max: number): readonly string[] {
  const parents = new Set(labels.flatMap((label) => label.parents));
  return labels.flatMap(({ name }) => (parents.has(name) ? [] : [name])).slice(0, max);
}
