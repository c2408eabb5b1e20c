// The filter of the history.
import type { ListedStatus } from './types';

/** Dates are days in this computer's time zone, `YYYY-MM-DD`, both included. */
export interface Filter {
  /** Pictures must have all of them. */
  readonly labels: readonly string[];
  /** 0 to 100. It applies to the labels above, or to any label if there are none. */
  readonly minConfidence: number | undefined;
  readonly status: ListedStatus | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export const NO_FILTER: Filter = {
  labels: [],
  minConfidence: undefined,
  status: undefined,
  from: undefined,
  to: undefined,
};

/** The API's limit for labels in one filter. */
export const MAX_FILTER_LABELS = 10;
/** The API's limit for a label's name, in characters. */
export const MAX_LABEL_LENGTH = 100;

/** Whether a filter lets every picture through. */
export function isUnfiltered({ labels, minConfidence, status, from, to }: Filter): boolean {
  return labels.length === 0 && [minConfidence, status, from, to].every((value) => value === undefined);
}
