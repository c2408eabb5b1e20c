// The parts of a filter that people see, edit and remove one by one.
import { type Filter, NO_FILTER } from '../api/filter';
import { text } from '../shared/text';

export interface Part {
  readonly name: string;
  /** Only this part. */
  readonly filter: Filter;
  /** The filter without this part. */
  readonly rest: Filter;
}

/** The parts of a filter, in the order in which they are shown. */
export function partsOf(filter: Filter): readonly Part[] {
  const { labels, without, untagged, minConfidence, status, type, from, to, taken } = filter;
  const parts: Part[] = [];
  const add = (name: string, own: Partial<Filter>, others: Partial<Filter>) =>
    parts.push({ name, filter: { ...NO_FILTER, ...own }, rest: { ...filter, ...others } });
  for (const group of labels) {
    add(text.find.labels(group), { labels: [group] }, { labels: labels.filter((other) => other !== group) });
  }
  for (const name of without) {
    add(text.find.without(name), { without: [name] }, { without: without.filter((other) => other !== name) });
  }
  if (untagged) add(text.find.untagged, { untagged }, { untagged: false });
  if (minConfidence !== undefined) {
    add(text.find.atLeast(minConfidence), { minConfidence }, { minConfidence: undefined });
  }
  if (status) add(text.statuses[status] ?? status, { status }, { status: undefined });
  if (type) add(text.find.types[type], { type }, { type: undefined });
  if (from || to) add(text.find.period(from, to), { from, to }, { from: undefined, to: undefined });
  if (taken) add(text.find.taken(taken), { taken }, { taken: undefined });
  return parts;
}
