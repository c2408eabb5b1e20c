// Times by this computer's clock, and days and months as text: `2015-07-13`, `2015-07`. They are compared as text.

/** `YYYY-MM-DD`. */
export function localDay(date: Date): string {
  return localTime(date).slice(0, 'YYYY-MM-DD'.length);
}

/** `YYYY-MM-DDThh:mm:ss.sss`, without an offset. */
export function localTime(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, -'Z'.length);
}

/** How far this computer's clock is ahead of UTC: `+02:00`, `-08:00`. */
export function utcOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** The next day; `undefined` if its year has five digits. */
export function dayAfter(day: string): string | undefined {
  const next = new Date(Date.parse(day) + 86_400_000).toISOString();
  return /^\d{4}-/.test(next) ? next.slice(0, 'YYYY-MM-DD'.length) : undefined;
}

/** The last day of a month. */
export function lastDayOf(month: string): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, number, 0);
  return date.toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/** The month of a day. */
export function monthOf(day: string): string {
  return day.slice(0, 'YYYY-MM'.length);
}

/** The month whose last day this is; `undefined` for other days. */
export function monthEndingOn(day: string): string | undefined {
  const month = monthOf(day);
  return lastDayOf(month) === day ? month : undefined;
}

/** How many months the first is after the second. */
export function monthsBetween(month: string, earlier: string): number {
  const number = (text: string) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5));
  return number(month) - number(earlier);
}
