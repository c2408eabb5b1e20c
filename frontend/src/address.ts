// The address bar: which view is open, and what the gallery is narrowed down to. A reload, a bookmark, a link and the
// back button all lead to the same place.
import type { ListedStatus } from './api/types';

/** What the gallery shows. Dates are days by this machine's calendar, `YYYY-MM-DD`, both included. */
export interface Filter {
  /** All of them must be in the picture. */
  readonly labels: readonly string[];
  /** 0 to 100: of the labels above, or of any label where there are none. */
  readonly minConfidence: number | undefined;
  readonly status: ListedStatus | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export type View = { readonly name: 'library' | 'settings' } | { readonly name: 'picture'; readonly imageId: string };

export interface Address {
  readonly view: View;
  readonly filter: Filter;
}

export const EVERYTHING: Filter = {
  labels: [],
  minConfidence: undefined,
  status: undefined,
  from: undefined,
  to: undefined,
};

const IMAGE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The API takes no more labels at once. */
export const MOST_LABELS = 10;
/** The longest label's name that the API takes, in characters. */
export const LONGEST_LABEL = 100;
const STATUSES: readonly string[] = ['PROCESSING', 'LABELED', 'REJECTED', 'FAILED'];

/** Reads an address; what cannot be understood counts as not there. */
export function readAddress({ pathname, searchParams }: URL): Address {
  const [, name, imageId = ''] = pathname.split('/');
  const view: View =
    name === 'images' && IMAGE_ID.test(imageId)
      ? { name: 'picture', imageId }
      : { name: name === 'settings' ? 'settings' : 'library' };
  const labels = searchParams.getAll('label').map((label) => label.trim());
  const confidence = Number(searchParams.get('minConfidence') ?? Number.NaN);
  const status = searchParams.get('status') ?? '';
  return {
    view,
    filter: {
      labels: [...new Set(labels)].filter((label) => label && label.length <= LONGEST_LABEL).slice(0, MOST_LABELS),
      minConfidence: confidence > 0 && confidence <= 100 ? confidence : undefined,
      status: STATUSES.includes(status) ? (status as ListedStatus) : undefined,
      from: readDay(searchParams.get('from')),
      to: readDay(searchParams.get('to')),
    },
  };
}

/** The path and query of an address, as `readAddress` reads it. */
export function writeAddress({ view, filter }: Address): string {
  const query = new URLSearchParams(filter.labels.map((label) => ['label', label]));
  const { minConfidence, status, from, to } = filter;
  for (const [name, value] of Object.entries({ minConfidence, status, from, to })) {
    if (value !== undefined) query.set(name, String(value));
  }
  const path = view.name === 'picture' ? `/images/${view.imageId}` : view.name === 'settings' ? '/settings' : '/';
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Whether a filter lets everything through. */
export function isEverything(filter: Filter): boolean {
  return writeAddress({ view: { name: 'library' }, filter }) === '/';
}

function readDay(text: string | null): string | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  // 31 February is a date to no calendar, though it is to Date.
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? text : undefined;
}
