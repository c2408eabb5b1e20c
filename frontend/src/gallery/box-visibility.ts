// Whether tiles show boxes, as this browser remembers it.
import { readStored } from '../shared/stored';

const KEY = 'ilg.boxes';

/** By default, boxes are not shown on touch screens, where tiles are small. */
export function readBoxes(): boolean {
  const stored = readStored<unknown>(localStorage, KEY);
  return typeof stored === 'boolean' ? stored : matchMedia('(hover: hover)').matches;
}

export function writeBoxes(shown: boolean): void {
  localStorage.setItem(KEY, JSON.stringify(shown));
}
