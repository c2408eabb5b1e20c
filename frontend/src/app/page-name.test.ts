import { expect, test } from 'vitest';
import { type Filter, NO_FILTER } from '../api/filter';
import { pageName } from './page-name';

test.each<[Parameters<typeof pageName>[0], Partial<Filter>, string | undefined]>([
  ['library', {}, undefined],
  ['library', { labels: [[{ name: 'Cat', minConfidence: undefined }]] }, 'Cat'],
  ['library', { labels: [[{ name: 'Cat', minConfidence: 90 }]], without: ['Dog'] }, 'Cat 90% or more, Without Dog'],
  ['settings', { without: ['Dog'] }, 'Settings'],
  ['duplicates', {}, 'Duplicates'],
])('names the view %s with the filter %o', (view, filter, name) => {
  expect(pageName(view, { ...NO_FILTER, ...filter })).toBe(name);
});
