// Which labels a filter policy keeps: the workflow's rule once more, to show what a setting would do before it is saved.
import type { FilterPolicy } from './api/types';

/** The labels that are kept, highest confidence first, as the step filter-labels keeps them. */
export function keeps<T extends { name: string; confidence: number }>(policy: FilterPolicy, labels: readonly T[]): T[] {
  const { minConfidence, maxLabels, include, exclude } = policy;
  const named = (names: readonly string[], label: T) =>
    names.some((name) => name.toLowerCase() === label.name.toLowerCase());
  return labels
    .filter((label) => label.confidence >= (Number.isFinite(minConfidence) ? minConfidence : 0))
    .filter((label) => include.length === 0 || named(include, label))
    .filter((label) => !named(exclude, label))
    .toSorted((a, b) => b.confidence - a.confidence)
    .slice(0, Number.isFinite(maxLabels) ? Math.max(0, maxLabels) : undefined);
}
