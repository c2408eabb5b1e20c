// What a reload would lose: the names of the files that are on their way, kept for this tab, so that the page can say so.

const KEY = 'ilg.unfinished';
/** More names than anybody reads; the number is kept whole. */
const KEPT = 50;

export interface Unfinished {
  readonly count: number;
  /** The first ones. */
  readonly names: readonly string[];
}

/** What was on its way when this tab was last loaded. */
export function readUnfinished(): Unfinished | undefined {
  try {
    const { count, names } = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? {};
    return Number(count) > 0 && Array.isArray(names) ? { count, names: names.map(String) } : undefined;
  } catch {
    return undefined;
  }
}

export function writeUnfinished(names: readonly string[]): void {
  if (names.length === 0) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify({ count: names.length, names: names.slice(0, KEPT) }));
}
