// The filter of the history, and how the API's parameters express it. The page's address uses the same parameters.
import type { operations } from './schema';
import type { ListedStatus, MediaType } from './types';

/** A label that pictures must have. */
export interface LabelTerm {
  readonly name: string;
  /** 0 to 100. `undefined`: the filter's own `minConfidence` applies. */
  readonly minConfidence: number | undefined;
}

/** Alternatives: pictures must have at least one of these labels. */
export type LabelGroup = readonly LabelTerm[];

export interface Filter {
  /** Pictures must match all groups. */
  readonly labels: readonly LabelGroup[];
  /** Pictures must have none of these labels. */
  readonly without: readonly string[];
  /** Only labeled pictures that have no labels. */
  readonly untagged: boolean;
  /** 0 to 100. It applies to the labels above that have no minimum of their own, or to any label if there are none. */
  readonly minConfidence: number | undefined;
  readonly status: ListedStatus | undefined;
  /** Only pictures, or only videos. */
  readonly type: MediaType | undefined;
  /** When the picture was taken, by the camera's clock: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
  readonly taken: string | undefined;
  /** Days of the pictures' times, `YYYY-MM-DD`, both included. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export const NO_FILTER: Filter = {
  labels: [],
  without: [],
  untagged: false,
  minConfidence: undefined,
  status: undefined,
  type: undefined,
  taken: undefined,
  from: undefined,
  to: undefined,
};

/** The API's limit for labels in all groups together. */
export const MAX_FILTER_LABELS = 10;
/** The API's limit for excluded labels. */
export const MAX_EXCLUSIONS = 10;
/** The API's limit for a label's name, in characters. */
export const MAX_LABEL_LENGTH = 100;

/** The statuses that the page offers. Pictures that await their upload are not shown. */
export const STATUSES = ['LABELED', 'PROCESSING', 'REJECTED', 'FAILED'] as const satisfies readonly ListedStatus[];
export const TYPES = ['VIDEO', 'PICTURE'] as const satisfies readonly MediaType[];
/** Separates the alternatives of a group. */
const OR = '|';

/** The API's query parameters for a filter. `from` and `to` are days here. */
type FilterParameters = Omit<
  NonNullable<operations['listImages']['parameters']['query']>,
  'boxes' | 'cursor' | 'id' | 'limit' | 'order'
>;

/** Whether a filter lets every picture through. */
export function isUnfiltered(filter: Filter): boolean {
  return Object.keys(writeParameters(filter)).length === 0;
}

/** A filter's parameters, for `readParameters` and the API. */
export function writeParameters(filter: Filter): FilterParameters {
  const { labels, without, untagged, minConfidence, status, type, taken, from, to } = filter;
  return {
    ...(labels.length > 0 ? { label: labels.map(writeGroup) } : {}),
    ...(without.length > 0 ? { without: [...without] } : {}),
    ...(untagged ? { untagged } : {}),
    ...(minConfidence === undefined ? {} : { minConfidence }),
    ...(status ? { status } : {}),
    ...(type ? { type } : {}),
    ...(taken ? { taken } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  };
}

/** The filter that parameters express. Ignores invalid and contradictory parts, and what exceeds the limits. */
export function readParameters(parameters: URLSearchParams): Filter {
  const labels = limit(parameters.getAll('label').map(readGroup)).reduce(addGroup, []);
  const minConfidence = readPercentage(parameters.get('minConfidence') ?? '') || undefined;
  const without = parameters.getAll('without').map((name) => name.trim());
  const status = readStatus(parameters.get('status') ?? '');
  const from = readDay(parameters.get('from') ?? '');
  const to = readDay(parameters.get('to') ?? '');
  const isUntagged = parameters.get('untagged') === 'true' && canBeUntagged(status);
  return {
    labels,
    without: without
      .filter((name) => isLabelName(name) && !includesLabel(namesOf(labels), name))
      .reduce(addExclusion, [])
      .slice(0, MAX_EXCLUSIONS),
    untagged: isUntagged && labels.length === 0 && minConfidence === undefined,
    minConfidence,
    status,
    type: readType(parameters.get('type') ?? ''),
    taken: readTaken(parameters.get('taken') ?? ''),
    from,
    to: from && to && from > to ? undefined : to,
  };
}

/** The names of all labels that a filter wants. */
export function namesOf(labels: readonly LabelGroup[]): string[] {
  return labels.flat().map(({ name }) => name);
}

/** The names of the labels without alternatives: those of all groups with a single label. */
export function singleNamesOf(labels: readonly LabelGroup[]): string[] {
  return labels.flatMap(([term, alternative]) => (term && !alternative ? [term.name] : []));
}

/** A filter with other names for its labels. Labels that get the same name in a group count once. */
export function withNames(filter: Filter, nameOf: (name: string) => string): Filter {
  const { labels, without } = filter;
  return {
    ...filter,
    labels: labels
      .map((group) => group.map(({ name, minConfidence }) => ({ name: nameOf(name), minConfidence })))
      .reduce(addGroup, []),
    without: without.map(nameOf).reduce(addExclusion, []),
  };
}

/** The API compares names without regard to case. */
export function isSameLabel(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether a list contains a label. */
export function includesLabel(names: readonly string[], name: string): boolean {
  return names.some((other) => isSameLabel(other, name));
}

/** Whether pictures with this status can be untagged. */
export function canBeUntagged(status: ListedStatus | undefined): boolean {
  return status === undefined || status === 'LABELED';
}

/**
 * Whether the API's parameter `label` can contain this name: `|` and `>` have a meaning there. Excluded labels have the
 * same rule here, although the API accepts more.
 */
export function isLabelName(name: string): boolean {
  return name !== '' && [...name].length <= MAX_LABEL_LENGTH && !/[|>\p{Cc}]/u.test(name);
}

/** Adds a group, unless it is there already. */
export function addGroup(groups: readonly LabelGroup[], group: LabelGroup): readonly LabelGroup[] {
  const added = group.reduce(addTerm, []);
  const isThere = groups.some((existing) => keyOf(existing) === keyOf(added));
  return added.length === 0 || isThere ? groups : [...groups, added];
}

/** Adds an excluded label, unless it is there already. */
export function addExclusion(names: readonly string[], name: string): readonly string[] {
  return includesLabel(names, name) ? names : [...names, name];
}

/** A percentage from 0 to 100, with at most two decimal places. */
export function readPercentage(text: string): number | undefined {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) > 100) return undefined;
  return Math.round(Number(text) * 100) / 100;
}

/** A status by its name in any case. */
export function readStatus(text: string): ListedStatus | undefined {
  return STATUSES.find((status) => status === text.toUpperCase());
}

/** A type by its name in any case. */
export function readType(text: string): MediaType | undefined {
  return TYPES.find((type) => type === text.toUpperCase());
}

/** A day that exists, `YYYY-MM-DD`. */
export function readDay(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  // Date accepts February 31 and turns it into March 3.
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? text : undefined;
}

/** A year, month or day that exists: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
export function readTaken(text: string): string | undefined {
  if (!/^(?!0000)\d{4}(-\d\d){0,2}$/.test(text)) return undefined;
  return readDay(`${text}-01-01`.slice(0, 'YYYY-MM-DD'.length)) && text;
}

function writeGroup(group: LabelGroup): string {
  return group
    .map(({ name, minConfidence }) => (minConfidence === undefined ? name : `${name}>${minConfidence}`))
    .join(OR);
}

function readGroup(text: string): LabelGroup {
  return text.split(OR).flatMap((alternative) => {
    const [, name = alternative, percentage] = /^(.*)>\s*([\d.]+)$/s.exec(alternative.trim()) ?? [];
    const minConfidence = percentage === undefined ? undefined : readPercentage(percentage);
    const isValid = isLabelName(name.trim()) && (percentage === undefined || minConfidence !== undefined);
    return isValid ? [{ name: name.trim(), minConfidence }] : [];
  });
}

/** The groups with the first `MAX_FILTER_LABELS` different labels. */
function limit(groups: readonly LabelGroup[]): readonly LabelGroup[] {
  let left = MAX_FILTER_LABELS;
  return groups.reduce(addGroup, []).map((group) => {
    const kept = group.slice(0, left);
    left -= kept.length;
    return kept;
  });
}

/** Adds an alternative, unless it is there already. */
function addTerm(terms: LabelGroup, term: LabelTerm): LabelGroup {
  return terms.some((existing) => keyOf([existing]) === keyOf([term])) ? terms : [...terms, term];
}

/** Equal for groups that match the same pictures. */
function keyOf(group: LabelGroup): string {
  return writeGroup(group.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))).toLowerCase();
}
