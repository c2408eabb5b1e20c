// The labels in a tile's caption, and those that have boxes on it.
import { type Filter, isSameLabel } from '../api/filter';
import type { LabelSummary } from '../api/types';
import type { CaptionLabel } from '../shared/text';

/**
 * The labels that match the filter, in its order and with their confidences, then the picture's other labels, in their
 * order.
 */
export function captionLabels(labels: readonly LabelSummary[], filter: Filter): readonly CaptionLabel[] {
  const matching = new Set(matchingLabels(labels, filter));
  const others = labels.filter((label) => !matching.has(label));
  return [...matching, ...others.map(({ name }) => ({ name, confidence: undefined }))];
}

/** When the first label that matches the filter is seen in a video, in milliseconds; `undefined` for pictures. */
export function firstSeen(labels: readonly LabelSummary[], filter: Filter): number | undefined {
  return matchingLabels(labels, filter)[0]?.firstMs;
}

/** The labels that match the filter, in its order. */
export function matchingLabels(labels: readonly LabelSummary[], filter: Filter): LabelSummary[] {
  return filter.labels.flat().flatMap((term) => {
    const min = term.minConfidence ?? filter.minConfidence ?? 0;
    return labels.filter(({ name, confidence }) => isSameLabel(name, term.name) && confidence >= min);
  });
}
