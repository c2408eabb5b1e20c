import { nothing } from 'lit';
import { expect, test } from 'vitest';
import { jobProgress } from './job-progress';

test('the bar of a job without a total has no value, so that it can follow that of another job', () => {
  expect(jobProgress({ processed: 40, total: 100 }, 'Progress').values).toEqual([100, 40, 'Progress']);
  expect(jobProgress({ processed: 101, total: 100 }, 'Progress').values).toEqual([100, 100, 'Progress']);
  for (const total of [null, 0]) {
    const { strings, values } = jobProgress({ processed: 5, total }, 'Progress');
    expect(values).toEqual([nothing, nothing, 'Progress']);
    // A property would be set to undefined, which throws an error.
    expect(strings.join('')).not.toContain('.value=');
  }
});
