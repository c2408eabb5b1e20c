import { expect, test } from 'vitest';
import type { CountedLabel } from '../api/types';
import { groupLabels } from './label-groups';

const label = (name: string, count: number, others: Partial<CountedLabel> = {}): CountedLabel => ({
  ...{ name, count, parents: [], aliases: [], categories: [] },
  ...others,
});
const LABELS = [
  label('Cat', 5, { parents: ['Animal', 'Pet'], categories: ['Animals and Pets'], aliases: ['Kitty'] }),
  label('Animal', 7, { categories: ['Animals and Pets'] }),
  label('Maine Coon', 1),
  label('Cell Phone', 4, { parents: ['Electronics'], categories: ['Technology and Computing'] }),
];
const grouped = (...parameters: ['category' | 'parent' | 'none', string]) =>
  groupLabels(LABELS, ...parameters).map(({ name, labels }) => [name, labels.map((member) => member.name)]);

test('groups by category, with the labels of no category last', () => {
  expect(grouped('category', '')).toEqual([
    ['Animals and Pets', ['Animal', 'Cat']],
    ['Technology and Computing', ['Cell Phone']],
    [undefined, ['Maine Coon']],
  ]);
});

test('groups by parent, and a parent is in its own group', () => {
  expect(grouped('parent', '')).toEqual([
    ['Animal', ['Animal', 'Cat']],
    ['Electronics', ['Cell Phone']],
    [undefined, ['Maine Coon']],
  ]);
});

test('filters by name, alias, category and parent', () => {
  expect(grouped('none', 'kitty')).toEqual([[undefined, ['Cat']]]);
  expect(grouped('none', 'TECHNOLOGY')).toEqual([[undefined, ['Cell Phone']]]);
  expect(grouped('none', ' pet ')).toEqual([[undefined, ['Animal', 'Cat']]]);
  expect(grouped('none', 'zebra')).toEqual([]);
});
