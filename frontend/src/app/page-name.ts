// What the title of the browser's tab says about the page.
import type { Filter } from '../api/filter';
import { partsOf } from '../gallery/parts';
import { text } from '../shared/text';
import type { View } from './address';

/** The name of a view, or what the gallery is filtered by; `undefined` for all pictures. */
export function pageName(view: Exclude<View['name'], 'picture'>, filter: Filter): string | undefined {
  if (view !== 'library') return text[view].title;
  const names = partsOf(filter).map(({ name }) => name);
  return names.length > 0 ? names.join(', ') : undefined;
}
