// Groups the owner's labels by category or by parent.
import type { CountedLabel } from '../api/types';

export type Grouping = 'category' | 'parent' | 'none';

/** Which labels are listed, and how. */
export interface LabelListing {
  readonly filter: string;
  readonly grouping: Grouping;
}

export interface LabelGroup {
  /** `undefined` for labels without a category or parent, and for the only group. */
  readonly name: string | undefined;
  /** Most frequent first. */
  readonly labels: readonly CountedLabel[];
}

/**
 * The labels whose name, alias, category or parent contains a text, in groups. Groups are in alphabetical order, the one
 * without a name last. A label is in one group: that of its first category or parent. A parent is in its own group.
 */
export function groupLabels(labels: readonly CountedLabel[], grouping: Grouping, filter: string): LabelGroup[] {
  const text = filter.trim().toLowerCase();
  const isWanted = ({ name, aliases, categories, parents }: CountedLabel) =>
    [name, ...aliases, ...categories, ...parents].some((other) => other.toLowerCase().includes(text));
  const allParents = new Set(labels.flatMap(({ parents }) => parents));
  const groupOf = ({ name, categories, parents }: CountedLabel) => {
    if (grouping === 'category') return categories[0];
    if (grouping === 'parent') return parents[0] ?? (allParents.has(name) ? name : undefined);
    return undefined;
  };
  const groups = new Map<string | undefined, CountedLabel[]>();
  for (const label of labels.filter(isWanted)) {
    const name = groupOf(label);
    groups.set(name, [...(groups.get(name) ?? []), label]);
  }
  return [...groups]
    .map(([name, members]) => ({ name, labels: members.toSorted((one, other) => other.count - one.count) }))
    .toSorted(({ name: one }, { name: other }) => {
      if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
      return one.localeCompare(other);
    });
}
