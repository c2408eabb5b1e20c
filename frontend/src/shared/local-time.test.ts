import { expect, test } from 'vitest';
import { dayAfter, lastDayOf, localDay, localTime, monthEndingOn, monthsBetween, utcOffset } from './local-time';

/** A date on a computer that is this many minutes ahead of UTC. */
function at(instant: string, minutes: number): Date {
  return Object.assign(new Date(instant), { getTimezoneOffset: () => -minutes });
}

test.each([
  ['2026-11-29T23:30:00.123Z', 120, '2026-11-30T01:30:00.123', '+02:00'],
  ['2026-11-29T00:30:00.000Z', -480, '2026-11-28T16:30:00.000', '-08:00'],
  ['2026-11-29T00:30:00.000Z', 345, '2026-11-29T06:15:00.000', '+05:45'],
  ['2026-11-29T00:30:00.000Z', -210, '2026-11-28T21:00:00.000', '-03:30'],
  ['2026-11-29T00:30:00.000Z', 0, '2026-11-29T00:30:00.000', '+00:00'],
])('%s on a clock %i minutes ahead of UTC', (instant, minutes, time, offset) => {
  const date = at(instant, minutes);
  expect(localTime(date)).toBe(time);
  expect(localDay(date)).toBe(time.slice(0, 10));
  expect(utcOffset(date)).toBe(offset);
});

test('counts days across months and leap years', () => {
  expect(dayAfter('2026-01-31')).toBe('2026-02-01');
  expect(dayAfter('2028-02-28')).toBe('2028-02-29');
  expect(dayAfter('0099-12-31')).toBe('0100-01-01');
  expect(dayAfter('9999-12-31')).toBeUndefined();
  expect(lastDayOf('2026-02')).toBe('2026-02-28');
  expect(lastDayOf('2028-02')).toBe('2028-02-29');
  expect(lastDayOf('0050-12')).toBe('0050-12-31');
});

test('recognizes the last day of a month', () => {
  expect(monthEndingOn('2015-07-31')).toBe('2015-07');
  expect(monthEndingOn('2015-07-30')).toBeUndefined();
  expect(monthEndingOn('2026-02-28')).toBe('2026-02');
  expect(monthEndingOn('2028-02-28')).toBeUndefined();
});

test('counts months across years', () => {
  expect(monthsBetween('2026-01', '2025-11')).toBe(2);
  expect(monthsBetween('2015-07', '2015-07')).toBe(0);
});
