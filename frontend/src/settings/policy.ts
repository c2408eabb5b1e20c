// Applies a filter policy like the workflow's filter-labels step, to preview a setting before it is saved.
import type { FilterPolicy } from '../api/types';

/** The labels that a policy keeps, highest confidence first. */
export function applyPolicy<T extends { name: string; confidence: number }>(
  policy: FilterPolicy,
  labels: readonly T[],
): T[] {
  const { minConfidence, maxLabels, include, exclude } = policy;
  const contains = (names: readonly string[], label: T) =>
    names.some((name) => name.toLowerCase() === label.name.toLowerCase());
  return labels
    .filter((label) => label.confidence >= (Number.isFinite(minConfidence) ? minConfidence : 0))
    .filter((label) => include.length === 0 || contains(include, label))
    .filter((label) => !contains(exclude, label))
    .toSorted((a, b) => b.confidence - a.confidence)
    .slice(0, Number.isFinite(maxLabels) ? Math.max(0, maxLabels) : undefined);
}
