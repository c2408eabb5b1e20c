import { expect, test } from 'vitest';
import type { CountedLabel } from '../api/types';
import { joined, KnownLabels } from './completion';

const label = (name: string, count: number, others: Partial<CountedLabel> = {}): CountedLabel => ({
  name,
  count,
  parents: [],
  aliases: [],
  categories: [],
  ...others,
});
const LABELS = [
  label('Person', 9, { aliases: ['Human'] }),
  label('Cat', 5, { parents: ['Animal', 'Mammal', 'Pet'], aliases: ['Kitty'] }),
  label('Cell Phone', 4, { parents: ['Electronics', 'Phone'], aliases: ['Mobile Phone'] }),
  label('Mobile Home', 2, { parents: ['Housing'] }),
  label('Human', 1),
];
const known = new KnownLabels(LABELS);
const suggested = (prefix: string, parents = false) => known.suggest(prefix, parents).map(({ name }) => name);

test('an alias finds its label, after labels whose names begin like it', () => {
  expect(known.suggest('mobile', false)).toEqual([
    { name: 'Mobile Home', count: 2, alias: undefined },
    { name: 'Cell Phone', count: 4, alias: 'Mobile Phone' },
  ]);
  expect(known.nameOf('mobile PHONE')).toBe('Cell Phone');
  expect(known.nameOf('Bicycle')).toBe('Bicycle');
});

test("a label's own name is stronger than an alias of another label", () => {
  expect(known.nameOf('human')).toBe('human');
  expect(suggested('human')).toEqual(['Human', 'Person']);
});

test('a later word of a name finds the label', () => {
  expect(suggested('phone')).toEqual(['Cell Phone']);
});

test('parents are offered on request, and only those that no picture has', () => {
  expect(suggested('p')).toEqual(['Person', 'Cell Phone']);
  expect(suggested('p', true)).toEqual(['Person', 'Cell Phone', 'Pet', 'Phone']);
  expect(known.suggest('animal', true)).toEqual([{ name: 'Animal', count: undefined, alias: undefined }]);
});

test('without a prefix, the most frequent labels come first, and no parents', () => {
  expect(suggested('', true)).toEqual(LABELS.map(({ name }) => name));
});

test('labels that are known already are not repeated', () => {
  const answered = [label('cat', 6), label('Cattle', 1)];
  expect(joined(answered, LABELS).map(({ name }) => name)).toEqual([
    'cat',
    'Cattle',
    'Person',
    'Cell Phone',
    'Mobile Home',
    'Human',
  ]);
});
