// The address bar holds the open view and the filter and order of the gallery, so that reloading, bookmarks, links and the
// back button work.
import { type Filter, readParameters, writeParameters } from '../api/filter';
import { isPossible, type Order, readOrder } from '../api/listing';

export type View =
  | { readonly name: 'library' | 'labels' | 'settings' | 'duplicates' }
  | {
      readonly name: 'picture';
      readonly imageId: string;
      /** Where a video starts, in milliseconds. */
      readonly startMs?: number;
    };

export interface Address {
  readonly view: View;
  readonly filter: Filter;
  readonly order: Order;
}

const IMAGE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads an address. Ignores invalid parts. */
export function readAddress({ pathname, searchParams }: URL): Address {
  const [, name, imageId = ''] = pathname.split('/');
  const view: View =
    name === 'images' && IMAGE_ID.test(imageId)
      ? { name: 'picture', imageId, ...readStart(searchParams.get('at')) }
      : { name: name === 'settings' || name === 'labels' || name === 'duplicates' ? name : 'library' };
  const filter = readParameters(searchParams);
  return { view, filter, order: readOrder(searchParams.get('order') ?? '', filter) };
}

/** The path and query of an address, for `readAddress`. An order that is not possible with the filter is left out. */
export function writeAddress({ view, filter, order }: Address): string {
  const sorted = order !== 'time' && isPossible(order, filter);
  const parameters = Object.entries({
    ...writeParameters(filter),
    ...(sorted ? { order } : {}),
    ...(view.name === 'picture' && view.startMs ? { at: String(view.startMs / 1000) } : {}),
  });
  const query = new URLSearchParams(
    parameters.flatMap(([name, value]) => [value].flat().map((single) => [name, String(single)])),
  );
  const path = pathOf(view);
  return query.size > 0 ? `${path}?${query}` : path;
}

/** A time in seconds. */
function readStart(at: string | null): { readonly startMs?: number } {
  return at && /^\d{1,6}(\.\d{1,3})?$/.test(at) ? { startMs: Math.round(Number(at) * 1000) } : {};
}

function pathOf(view: View): string {
  switch (view.name) {
    case 'picture':
      return `/images/${view.imageId}`;
    case 'library':
      return '/';
    default:
      return `/${view.name}`;
  }
}
