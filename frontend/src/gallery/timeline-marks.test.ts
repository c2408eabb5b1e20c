import { expect, test } from 'vitest';
import { distanceOf, indexOf, indexOfYear, isWorthwhile, marksOf } from './timeline-marks';

/** This many months down from a month. */
function monthsFrom(newest: string, count: number): string[] {
  const [year = 0, month = 0] = newest.split('-').map(Number);
  return Array.from({ length: count }, (_, index) =>
    new Date(Date.UTC(year, month - 1 - index, 1)).toISOString().slice(0, 7),
  );
}

const MONTHS = ['2026-02', '2026-01', '2025-12', '2015-07', '2015-06', '2012-01'];

test('is offered for libraries that span more than two months', () => {
  expect(isWorthwhile([])).toBe(false);
  expect(isWorthwhile(['2026-11'])).toBe(false);
  expect(isWorthwhile(['2026-11', '2026-10'])).toBe(false);
  expect(isWorthwhile(['2026-11', '2026-10', '2026-09'])).toBe(true);
  expect(isWorthwhile(['2026-01', '2015-07'])).toBe(true);
});

test('with room, each month has a name, and the newest of a year has the year', () => {
  const marks = marksOf(MONTHS, distanceOf(MONTHS.length, 600));
  expect(marks.map(({ month, name }) => `${month} ${name}`)).toEqual([
    '2026-02 year',
    '2026-01 month',
    '2025-12 year',
    '2015-07 year',
    '2015-06 month',
    '2012-01 year',
  ]);
  expect(marks.at(-1)?.top).toBeLessThan(600);
});

test.each([3, 25, 240, 1_200])('names and marks of %i months have room, and years come first', (count) => {
  const months = monthsFrom('2026-11', count);
  const height = 700;
  const marks = marksOf(months, distanceOf(count, height));
  const tops = (kept: typeof marks) => kept.map(({ top }) => top);
  const gaps = (kept: number[]) => kept.slice(1).map((top, index) => top - (kept[index] ?? 0));
  expect(Math.min(...gaps(tops(marks.filter(({ name }) => name))))).toBeGreaterThanOrEqual(22);
  expect(marks[0]).toEqual({ month: '2026-11', top: 0, name: 'year' });
  expect(Math.max(...tops(marks))).toBeLessThanOrEqual(height + 0.001);
  const years = new Set(months.map((month) => month.slice(0, 4)));
  if (count <= 240) expect(marks.filter(({ name }) => name === 'year')).toHaveLength(years.size);
  // The document stays small.
  expect(marks.length).toBeLessThan(200);
});

test('a month without pictures is at the next older one', () => {
  expect(indexOf(MONTHS, '2015-07')).toBe(3);
  expect(indexOf(MONTHS, '2020-01')).toBe(3);
  expect(indexOf(MONTHS, '2030-01')).toBe(0);
  expect(indexOf(MONTHS, '2000-01')).toBe(5);
  expect(indexOf(MONTHS, undefined)).toBe(0);
  expect(indexOf([], '2015-07')).toBe(0);
});

test('goes to the newest month of another year, and stays at the ends', () => {
  expect(indexOfYear(MONTHS, 1, 1)).toBe(2);
  expect(indexOfYear(MONTHS, 2, 1)).toBe(3);
  expect(indexOfYear(MONTHS, 3, 1)).toBe(5);
  expect(indexOfYear(MONTHS, 5, 1)).toBe(5);
  expect(indexOfYear(MONTHS, 4, -1)).toBe(2);
  expect(indexOfYear(MONTHS, 2, -1)).toBe(0);
  expect(indexOfYear(MONTHS, 1, -1)).toBe(0);
});
