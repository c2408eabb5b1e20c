// The address bar holds the open view and the filter of the gallery, so that reloading, bookmarks, links and the back
// button work.
import { type Filter, MAX_FILTER_LABELS, MAX_LABEL_LENGTH } from '../api/filter';
import type { ListedStatus } from '../api/types';

export type View = { readonly name: 'library' | 'settings' } | { readonly name: 'picture'; readonly imageId: string };

export interface Address {
  readonly view: View;
  readonly filter: Filter;
}

const IMAGE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const STATUSES: readonly string[] = ['PROCESSING', 'LABELED', 'REJECTED', 'FAILED'];

/** Reads an address. Ignores invalid parts. */
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
      labels: [...new Set(labels)]
        .filter((label) => label && [...label].length <= MAX_LABEL_LENGTH)
        .slice(0, MAX_FILTER_LABELS),
      minConfidence: confidence > 0 && confidence <= 100 ? confidence : undefined,
      status: STATUSES.includes(status) ? (status as ListedStatus) : undefined,
      from: readDay(searchParams.get('from')),
      to: readDay(searchParams.get('to')),
    },
  };
}

/** The path and query of an address, for `readAddress`. */
export function writeAddress({ view, filter }: Address): string {
  const query = new URLSearchParams(filter.labels.map((label) => ['label', label]));
  const { minConfidence, status, from, to } = filter;
  for (const [name, value] of Object.entries({ minConfidence, status, from, to })) {
    if (value !== undefined) query.set(name, String(value));
  }
  const path = view.name === 'picture' ? `/images/${view.imageId}` : view.name === 'settings' ? '/settings' : '/';
  return query.size > 0 ? `${path}?${query}` : path;
}

function readDay(text: string | null): string | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  // Date accepts February 31 and turns it into March 3.
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? text : undefined;
}
