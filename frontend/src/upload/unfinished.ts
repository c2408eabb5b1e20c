// Saves the names of unfinished uploads for this tab, so that the page can list them after a reload.
import { readStored } from '../shared/stored';

const KEY = 'ilg.unfinished';
/** How many names are saved. */
const MAX_NAMES = 50;

export interface Unfinished {
  readonly count: number;
  /** The first of them. */
  readonly names: readonly string[];
}

/** The uploads that the last reload of this tab interrupted. */
export function readUnfinished(): Unfinished | undefined {
  const { count, names } = readStored<Partial<Unfinished>>(sessionStorage, KEY) ?? {};
  return Number(count) > 0 && Array.isArray(names) ? { count: Number(count), names: names.map(String) } : undefined;
}

/** Whether the page is uploading a file in parts. It can be continued, so its name is not saved here. */
let isSendingParts = false;

/** Whether reloading the page now would interrupt an upload. */
export function isUploading(): boolean {
  return isSendingParts || readUnfinished() !== undefined;
}

export function writeUnfinished(names: readonly string[], sendsParts = false): void {
  isSendingParts = sendsParts;
  if (names.length === 0) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify({ count: names.length, names: names.slice(0, MAX_NAMES) }));
}
