import { expect, test, vi } from 'vitest';
import { TimelineMonths } from './timeline-months';

const { signal } = new AbortController();

test('loads all pages once, and adds months at their places', async () => {
  const listMonths = vi.fn();
  listMonths.mockResolvedValueOnce({ months: ['2026-11', '2015-07'], nextCursor: 'next' });
  listMonths.mockResolvedValueOnce({ months: ['2014-01'] });
  const timeline = new TimelineMonths({ listMonths });
  const changed = vi.fn();
  timeline.addEventListener('change', changed);
  await Promise.all([timeline.load(signal), timeline.load(signal)]);
  await timeline.load(signal);
  expect(listMonths.mock.calls.map(([cursor]) => cursor)).toEqual([undefined, 'next']);
  expect(timeline.months).toEqual(['2026-11', '2015-07', '2014-01']);

  timeline.add('2015-08');
  timeline.add('2015-08', '2014-01');
  expect(timeline.months).toEqual(['2026-11', '2015-08', '2015-07', '2014-01']);
  expect(changed).toHaveBeenCalledTimes(2);
});

test('months that could not be loaded are loaded by the next call, and those of uploads are kept', async () => {
  const listMonths = vi
    .fn()
    .mockRejectedValueOnce(new Error('lost'))
    .mockResolvedValueOnce({ months: ['2015-07'] });
  const timeline = new TimelineMonths({ listMonths });
  timeline.add('2026-11');
  await timeline.load(signal);
  expect(timeline.months).toEqual(['2026-11']);
  await timeline.load(signal);
  expect(timeline.months).toEqual(['2026-11', '2015-07']);
});
