// Applies settings like the workflow's filter-labels step, to preview them before they are saved.
import { includesLabel } from '../api/filter';
import type { Image, LabelSettings } from '../api/types';

/** A label that the model found in a picture, that the file has as a keyword, or that the person added. */
export interface Candidate {
  readonly name: string;
  readonly confidence: number;
  /** Whether the person added it. Then it counts in any case. */
  readonly added: boolean;
  /** Whether it is a keyword of the file. Then only its name decides. */
  readonly keyword: boolean;
  /** The model's names, if it has others. */
  readonly detectedAs: readonly string[];
}

/** Everything that can count in a picture, highest confidence first: not what the person has removed. */
export function candidatesOf({ labels, otherLabels, corrections }: Image): Candidate[] {
  const others = otherLabels.filter(({ name }) => !includesLabel(corrections.removed, name));
  return [...labels, ...others.map((other) => ({ ...other, added: false, keyword: false, detectedAs: [] }))].toSorted(
    (one, other) => other.confidence - one.confidence,
  );
}

/** The labels that count with these settings, highest confidence first. */
export function applySettings(settings: LabelSettings, candidates: readonly Candidate[]): Candidate[] {
  const { minConfidence, maxLabels, include, exclude } = settings;
  const contains = (names: readonly string[], label: Candidate) =>
    [label.name, ...label.detectedAs].some((name) => includesLabel(names, name));
  const allowed = candidates
    .filter(({ added }) => !added)
    .filter((label) => include.length === 0 || contains(include, label))
    .filter((label) => !contains(exclude, label));
  const counting = allowed
    .filter(({ keyword }) => !keyword)
    .filter(({ confidence }) => confidence >= (Number.isFinite(minConfidence) ? minConfidence : 0))
    .toSorted((a, b) => b.confidence - a.confidence)
    .slice(0, Number.isFinite(maxLabels) ? Math.max(0, maxLabels) : undefined);
  return [...candidates.filter(({ added }) => added), ...allowed.filter(({ keyword }) => keyword), ...counting];
}
