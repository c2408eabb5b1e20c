// Where the timeline shows which months. Doesn't use the DOM.
import { monthsBetween } from '../shared/local-time';

/** A timeline is offered if the newest month is at least this many months after the oldest one. */
const MIN_SPAN = 2;
/** The largest distance of two months, in pixels. */
const MAX_DISTANCE = 40;
/** The smallest distance of two names, and of two marks without names, in pixels. */
const NAME_DISTANCE = 22;
const MARK_DISTANCE = 6;

export interface Mark {
  readonly month: string;
  /** In pixels from the newest month. */
  readonly top: number;
  /** What is written beside the mark: the year, the name of the month, or nothing. */
  readonly name: 'year' | 'month' | undefined;
}

/** Whether a library with these months, newest first, is spread over enough time for a timeline. */
export function isWorthwhile(months: readonly string[]): boolean {
  const [newest, oldest] = [months[0], months.at(-1)];
  return newest !== undefined && oldest !== undefined && monthsBetween(newest, oldest) >= MIN_SPAN;
}

/** The distance between neighbors of `count` months in this height, both in pixels. */
export function distanceOf(count: number, height: number): number {
  return count > 1 ? Math.min(MAX_DISTANCE, height / (count - 1)) : 0;
}

/**
 * The marks for months, newest first, in their order. The newest month of a year has the year as its name. Names and marks
 * for which there is no room are left out: names of months before years.
 */
export function marksOf(months: readonly string[], distance: number): readonly Mark[] {
  const all = months.map((month, index) => ({ month, index, top: index * distance }));
  const years = spaced(
    all.filter(({ month, index }) => yearOf(month) !== yearOf(months[index - 1] ?? '')),
    NAME_DISTANCE,
  );
  const isYear = new Set(years.map(({ index }) => index));
  const hasRoom = ({ top }: { top: number }) => years.every((year) => Math.abs(year.top - top) >= NAME_DISTANCE);
  const isMonth = new Set(spaced(all.filter(hasRoom), NAME_DISTANCE).map(({ index }) => index));
  const isMarked = new Set(spaced(all, MARK_DISTANCE).map(({ index }) => index));
  return all.flatMap(({ month, index, top }) => {
    const name = isYear.has(index) ? 'year' : isMonth.has(index) ? 'month' : undefined;
    return name || isMarked.has(index) ? [{ month, top, name }] : [];
  });
}

/** The month, among those from newest to oldest, that a gallery shows at a month: this one, or the next older one. */
export function indexOf(months: readonly string[], month: string | undefined): number {
  const index = month === undefined ? 0 : months.findIndex((other) => other <= month);
  return index < 0 ? Math.max(0, months.length - 1) : index;
}

/** The index of the newest month of the next older year (`by` = 1), or of the next newer one (-1). */
export function indexOfYear(months: readonly string[], index: number, by: 1 | -1): number {
  const year = yearOf(months[index] ?? '');
  if (by === 1) {
    const older = months.findIndex((month) => yearOf(month) < year);
    return older < 0 ? months.length - 1 : older;
  }
  const newer = months.findLast((month) => yearOf(month) > year);
  return newer === undefined ? 0 : months.findIndex((month) => yearOf(month) === yearOf(newer));
}

/** Leaves out what is too near to the one before, in pixels. */
function spaced<T extends { readonly top: number }>(marks: readonly T[], distance: number): T[] {
  const kept: T[] = [];
  for (const mark of marks) {
    const last = kept.at(-1);
    if (!last || mark.top - last.top >= distance) kept.push(mark);
  }
  return kept;
}

function yearOf(month: string): string {
  return month.slice(0, 'YYYY'.length);
}
