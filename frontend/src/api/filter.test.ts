import { expect, test } from 'vitest';
import { isUnfiltered, NO_FILTER } from './filter';

test('an empty filter lets everything through, and any field narrows it', () => {
  expect(isUnfiltered(NO_FILTER)).toBe(true);
  for (const change of [
    { labels: ['Dog'] },
    { minConfidence: 70 },
    { status: 'FAILED' as const },
    { from: '2026-01-01' },
    { to: '2026-01-01' },
  ]) {
    expect(isUnfiltered({ ...NO_FILTER, ...change })).toBe(false);
  }
});
