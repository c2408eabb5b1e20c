import { expect, test } from 'vitest';
import {
  addGroup,
  type Filter,
  isLabelName,
  isUnfiltered,
  NO_FILTER,
  readParameters,
  singleNamesOf,
  withNames,
  writeParameters,
} from './filter';

const label = (name: string, minConfidence?: number) => ({ name, minConfidence });
const read = (query: string) => readParameters(new URLSearchParams(query));

test('an empty filter lets everything through, and any field narrows it', () => {
  expect(isUnfiltered(NO_FILTER)).toBe(true);
  for (const change of [
    { labels: [[label('Dog')]] },
    { without: ['Dog'] },
    { untagged: true },
    { minConfidence: 70 },
    { status: 'FAILED' as const },
    { taken: '2015' },
    { from: '2026-01-01' },
    { to: '2026-01-01' },
  ]) {
    expect(isUnfiltered({ ...NO_FILTER, ...change })).toBe(false);
  }
});

test('writes all parameters of the API, and only those that are set', () => {
  expect(writeParameters(NO_FILTER)).toEqual({});
  const filter: Filter = {
    labels: [[label('Cat', 90), label('Dog')], [label('Beach')]],
    without: ['Person', 'Car'],
    untagged: false,
    minConfidence: 55.5,
    status: 'LABELED',
    type: 'VIDEO',
    taken: '2015-07',
    from: '2026-01-01',
    to: '2026-01-31',
  };
  expect(writeParameters(filter)).toEqual({
    label: ['Cat>90|Dog', 'Beach'],
    without: ['Person', 'Car'],
    minConfidence: 55.5,
    status: 'LABELED',
    type: 'VIDEO',
    taken: '2015-07',
    from: '2026-01-01',
    to: '2026-01-31',
  });
  expect(writeParameters({ ...NO_FILTER, untagged: true })).toEqual({ untagged: true });
});

test('reads alternatives and their confidences', () => {
  expect(read('label=Cat>90|Dog&label=Beach>0').labels).toEqual([
    [label('Cat', 90), label('Dog')],
    [label('Beach', 0)],
  ]);
  expect(read('label=+Cat+>+12.345+|+Hot+Dog+').labels).toEqual([[label('Cat', 12.35), label('Hot Dog')]]);
});

test.each([
  'label=|',
  'label=Cat>101',
  'label=Cat>1.2.3',
  'label=>90',
  'label=>',
  'label=Cat>90>80',
  'label=a>b',
  'label=A > B',
  'label=a%00b',
  'label=a%C2%85b',
  `label=${'a'.repeat(101)}>90`,
  'without=',
  'without=Cat|Dog',
  'without=Cat>90',
  'without=a%00b',
  'untagged=1',
  'taken=0000',
  'taken=2015-13',
  'taken=2015-02-30',
  'taken=2015-7',
  'taken=2015-07-13-01',
  'minConfidence=1e1',
])('ignores %s', (query) => {
  expect(read(query)).toEqual(NO_FILTER);
});

test('keeps the valid alternatives of a group', () => {
  expect(read('label=Cat>101||Dog').labels).toEqual([[label('Dog')]]);
});

test('limits the labels of all groups together, and the exclusions', () => {
  const names = (prefix: string, number: number) => Array.from({ length: number }, (_, index) => `${prefix}${index}`);
  const groups = read(`label=${names('a', 8).join('|')}&label=${names('b', 8).join('|')}&label=c`).labels;
  expect(groups.map((group) => group.length)).toEqual([8, 2]);
  expect(read(names('without=', 11).join('&')).without).toHaveLength(10);
});

test('merges duplicates, without regard to case and order', () => {
  expect(read('label=Cat|Dog&label=dog|cat&label=Cat|cat').labels).toEqual([
    [label('Cat'), label('Dog')],
    [label('Cat')],
  ]);
  expect(read('without=Dog&without=dog').without).toEqual(['Dog']);
});

test('ignores parts that contradict others', () => {
  expect(read('label=Cat|Dog&without=dog&untagged=true')).toEqual({
    ...NO_FILTER,
    labels: [[label('Cat'), label('Dog')]],
  });
  expect(read('untagged=true&minConfidence=70')).toEqual({ ...NO_FILTER, minConfidence: 70 });
  expect(read('untagged=true&status=FAILED')).toEqual({ ...NO_FILTER, status: 'FAILED' });
  expect(read('untagged=true&status=LABELED')).toEqual({ ...NO_FILTER, untagged: true, status: 'LABELED' });
  expect(read('from=2026-02-01&to=2026-01-31')).toEqual({ ...NO_FILTER, from: '2026-02-01' });
  expect(read('from=2026-02-01&to=2026-02-01')).toMatchObject({ from: '2026-02-01', to: '2026-02-01' });
});

test('keeps a label with two confidences: pictures must match both', () => {
  expect(addGroup([[label('Cat', 90)]], [label('Cat')])).toEqual([[label('Cat', 90)], [label('Cat')]]);
  expect(read('label=Cat>90&label=Cat').labels).toEqual([[label('Cat', 90)], [label('Cat')]]);
});

test('knows the names that the parameters can contain', () => {
  for (const name of ['Cat', 'T-Shirt', 'Hot & Cold?', '🐈'.repeat(100)]) expect(isLabelName(name)).toBe(true);
  for (const name of ['', 'Cat|Dog', 'Cat>90', 'a>b', 'A > B', '>', 'a\0', 'a\u0085b', '🐈'.repeat(101)])
    expect(isLabelName(name)).toBe(false);
});

test('names the labels without alternatives', () => {
  expect(singleNamesOf([[label('Cat', 90)], [label('Dog'), label('Bird')], []])).toEqual(['Cat']);
});

test('other names apply to wanted and excluded labels, and repeat none', () => {
  const term = (name: string) => ({ name, minConfidence: undefined });
  const aliases: Readonly<Record<string, string>> = { 'mobile phone': 'Cell Phone', human: 'Person' };
  const filter: Filter = {
    ...NO_FILTER,
    labels: [
      [term('mobile phone'), term('Cat')],
      [term('Cat'), term('Cell Phone')],
    ],
    without: ['human', 'Person'],
  };
  expect(withNames(filter, (name) => aliases[name] ?? name)).toEqual({
    ...filter,
    labels: [[term('Cell Phone'), term('Cat')]],
    without: ['Person'],
  });
});
