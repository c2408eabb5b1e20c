import { describe, expect, test } from 'vitest';
import { type Filter, NO_FILTER } from '../api/filter';
import { text } from '../shared/text';
import { combine, format, parse, QueryError, quote, termBeingTyped } from './query';

const { problems } = text.find;
const LABELS = ['Cat', 'Dog', 'Cup', 'Coffee', 'Coffee Cup', 'Hot Dog', 'Orange', 'People Carrying Bag'];

const label = (name: string, minConfidence?: number) => ({ name, minConfidence });
const filter = (change: Partial<Filter>): Filter => ({ ...NO_FILTER, ...change });

describe('parse', () => {
  test.each<[string, Partial<Filter>]>([
    ['', {}],
    ['  ', {}],
    ['cat', { labels: [[label('Cat')]] }],
    ['CAT', { labels: [[label('Cat')]] }],
    ['cat dog', { labels: [[label('Cat')], [label('Dog')]] }],
    ['cat or dog', { labels: [[label('Cat'), label('Dog')]] }],
    ['cat OR dog or bird', { labels: [[label('Cat'), label('Dog'), label('bird')]] }],
    ['cat dog or bird', { labels: [[label('Cat')], [label('Dog'), label('bird')]] }],
    ['cat or dog bird', { labels: [[label('Cat'), label('Dog')], [label('bird')]] }],
    ['-dog', { without: ['Dog'] }],
    ['cat -dog -"hot dog"', { labels: [[label('Cat')]], without: ['Dog', 'Hot Dog'] }],
    ['-hot dog', { without: ['Hot Dog'] }],
    ['cat > 90', { labels: [[label('Cat', 90)]] }],
    ['cat>90', { labels: [[label('Cat', 90)]] }],
    ['cat >= 90', { labels: [[label('Cat', 90)]] }],
    ['cat>=90%', { labels: [[label('Cat', 90)]] }],
    ['cat > 90 %', { labels: [[label('Cat', 90)]] }],
    ['cat > 99.5', { labels: [[label('Cat', 99.5)]] }],
    ['cat > 0', { labels: [[label('Cat', 0)]] }],
    ['cat > 100', { labels: [[label('Cat', 100)]] }],
    ['cat > 90 or dog>80 bird', { labels: [[label('Cat', 90), label('Dog', 80)], [label('bird')]] }],
    ['coffee cup > 90', { labels: [[label('Coffee Cup', 90)]] }],
    ['untagged', { untagged: true }],
    ['Untagged', { untagged: true }],
    ['status:failed', { status: 'FAILED' }],
    ['STATUS:Processing', { status: 'PROCESSING' }],
    ['status:labeled', { status: 'LABELED' }],
    ['status:rejected', { status: 'REJECTED' }],
    ['type:video', { type: 'VIDEO' }],
    ['cat TYPE:Picture', { labels: [[label('Cat')]], type: 'PICTURE' }],
    ['taken:2015', { taken: '2015' }],
    ['taken:2015-07', { taken: '2015-07' }],
    ['taken:2016-02-29', { taken: '2016-02-29' }],
    ['from:2026-01-01', { from: '2026-01-01' }],
    ['to:2026-01-31 from:2026-01-01', { from: '2026-01-01', to: '2026-01-31' }],
    ['from:2026-01-01 to:2026-01-01', { from: '2026-01-01', to: '2026-01-01' }],
    ['confidence:70', { minConfidence: 70 }],
    ['cat confidence:70%', { labels: [[label('Cat')]], minConfidence: 70 }],
    ['"coffee cup"', { labels: [[label('Coffee Cup')]] }],
    ['“coffee cup”', { labels: [[label('Coffee Cup')]] }],
    ['"blue  whale"', { labels: [[label('blue whale')]] }],
    ['"or"', { labels: [[label('or')]] }],
    ['"untagged"', { labels: [[label('untagged')]] }],
    ['cat or "or"', { labels: [[label('Cat'), label('or')]] }],
    ['"status:failed"', { labels: [[label('status:failed')]] }],
    ['"-dog"', { labels: [[label('-dog')]] }],
    ['"a""b"', { labels: [[label('a"b')]] }],
    ['t-shirt', { labels: [[label('t-shirt')]] }],
    ['color:red', { labels: [[label('color:red')]] }],
    ['coffee cup cat', { labels: [[label('Coffee Cup')], [label('Cat')]] }],
    ['cat coffee cup', { labels: [[label('Cat')], [label('Coffee Cup')]] }],
    ['people carrying bag dog', { labels: [[label('People Carrying Bag')], [label('Dog')]] }],
    ['people carrying', { labels: [[label('people')], [label('carrying')]] }],
    ['"coffee" cup', { labels: [[label('Coffee')], [label('Cup')]] }],
    ['coffee or cup', { labels: [[label('Coffee'), label('Cup')]] }],
    ['cat Cat CAT', { labels: [[label('Cat')]] }],
    ['cat cat>90', { labels: [[label('Cat')], [label('Cat', 90)]] }],
    ['cat>90 cat', { labels: [[label('Cat', 90)], [label('Cat')]] }],
    ['cat and dog', { labels: [[label('Cat')], [label('Dog')]] }],
    ['cat AND -dog and status:failed', { labels: [[label('Cat')]], without: ['Dog'], status: 'FAILED' }],
    ['cat or dog and bird', { labels: [[label('Cat'), label('Dog')], [label('bird')]] }],
    ['"and"', { labels: [[label('and')]] }],
    ['"cat, dog" -"--dog"', { labels: [[label('cat, dog')]], without: ['--dog'] }],
    ['confidence:0', { minConfidence: 0 }],
    ['untagged confidence:0', { untagged: true, minConfidence: 0 }],
    ['untagged status:labeled', { untagged: true, status: 'LABELED' }],
    ['cat or dog dog or cat', { labels: [[label('Cat'), label('Dog')]] }],
    ['-dog -Dog', { without: ['Dog'] }],
    ['untagged -dog', { untagged: true, without: ['Dog'] }],
  ])('%s', (query, expected) => {
    expect(parse(query, LABELS)).toEqual(filter(expected));
  });

  test('names of the labels can contain what is otherwise a mistake', () => {
    const labels = ['Cat', 'Salt, Pepper', 'Salt And Sugar', '-dog', 'And'];
    expect(parse('cat salt, pepper', labels).labels).toEqual([[label('Cat')], [label('Salt, Pepper')]]);
    expect(parse('cat salt and sugar', labels).labels).toEqual([[label('Cat')], [label('Salt And Sugar')]]);
    expect(parse('--dog', labels).without).toEqual(['-dog']);
    expect(parse('and', labels).labels).toEqual([[label('And')]]);
  });

  test('without the labels, each word is a label', () => {
    expect(parse('Coffee cup')).toEqual(filter({ labels: [[label('Coffee')], [label('cup')]] }));
  });

  const words = (number: number, prefix = '') =>
    Array.from({ length: number }, (_, index) => `${prefix}w${index}`).join(' ');

  test.each<[string, string]>([
    ['status:lost', problems.status('lost')],
    ['status:awaiting_upload', problems.status('awaiting_upload')],
    ['status:', problems.status('')],
    ['type:', problems.type('')],
    ['type:song', problems.type('song')],
    ['from:2026-02-30', problems.day('from', '2026-02-30')],
    ['to:tomorrow', problems.day('to', 'tomorrow')],
    ['from:', problems.day('from', '')],
    ['taken:2015-13', problems.taken('2015-13')],
    ['taken:2015-02-29', problems.taken('2015-02-29')],
    ['taken:15', problems.taken('15')],
    ['cat > 101', problems.confidence('101')],
    ['cat > 1.2.3', problems.confidence('1.2.3')],
    ['confidence:101', problems.confidence('101')],
    ['confidence:', problems.confidence('')],
    ['cat >', problems.confidenceWithoutNumber],
    ['cat > dog', problems.confidenceWithoutNumber],
    ['or', problems.orWithoutLabel],
    ['or cat', problems.orWithoutLabel],
    ['cat or', problems.orWithoutLabel],
    ['cat or or dog', problems.orWithoutLabel],
    ['cat or -dog', problems.orWithoutLabel],
    ['-cat or dog', problems.orWithoutLabel],
    ['cat or untagged', problems.orWithoutLabel],
    ['cat or status:failed', problems.orWithoutLabel],
    ['-', problems.minusWithoutLabel],
    ['cat - dog', problems.minusWithoutLabel],
    ['-or', problems.minusWithoutLabel],
    ['-untagged', problems.minusWithoutLabel],
    ['-status:failed', problems.minusWithoutLabel],
    ['-> 90', problems.minusWithoutLabel],
    ['> 90', problems.confidenceWithoutLabel],
    ['cat > 90 > 80', problems.confidenceWithoutLabel],
    ['untagged > 90', problems.confidenceWithoutLabel],
    ['-cat > 90', problems.exclusionWithConfidence('Cat')],
    ['"coffee cup', problems.openQuote],
    ['cat "', problems.openQuote],
    ['""', problems.emptyQuotes],
    ['-" "', problems.emptyQuotes],
    [words(11), problems.tooManyLabels(10)],
    [words(11).replaceAll(' ', ' or '), problems.tooManyLabels(10)],
    [words(11, '-'), problems.tooManyExclusions(10)],
    ['a'.repeat(101), problems.nameTooLong(100)],
    [`-"${'a b '.repeat(26)}"`, problems.nameTooLong(100)],
    ['a '.repeat(501), problems.tooLong(1000)],
    ['cat|dog', problems.invalidName('cat|dog')],
    ['"cat>90"', problems.invalidName('cat>90')],
    ['"a>b"', problems.invalidName('a>b')],
    ['-">"', problems.invalidName('>')],
    ['a\0b', problems.invalidName('a\0b')],
    ['cat < 90', problems.unclear('<')],
    ['cat<90', problems.unclear('cat<90')],
    ['cat ≥ 90', problems.unclear('≥')],
    ['cat ≤ 90', problems.unclear('≤')],
    ['cat ‹ 90', problems.unclear('‹')],
    ['cat = 90', problems.unclear('=')],
    ['(cat or dog) bird', problems.unclear('(cat')],
    ['cat or dog)', problems.unclear('dog)')],
    ['cat, dog', problems.unclear('cat,')],
    ['cat > 90,5', problems.unclear(',5')],
    ['--dog', problems.unclear('-dog')],
    ['"cat"-dog', problems.unclear('-dog')],
    ['cat>90-dog', problems.unclear('-dog')],
    ['–dog', problems.unclear('–dog')],
    ['cat — dog', problems.unclear('—')],
    ['−dog', problems.unclear('−dog')],
    ['and', problems.andWithoutLabel],
    ['and cat', problems.andWithoutLabel],
    ['cat and', problems.andWithoutLabel],
    ['cat and or dog', problems.orWithoutLabel],
    ['cat or and dog', problems.orWithoutLabel],
    ['cat -and', problems.minusWithoutLabel],
    ['untagged status:failed', problems.untaggedWithStatus],
    ['from:2026-02-01 to:2026-01-31', problems.fromAfterTo],
    ['cat -Cat', problems.wantedAndExcluded('Cat')],
    ['cat or dog -dog', problems.wantedAndExcluded('Dog')],
    ['untagged cat', problems.untaggedWithLabels],
    ['untagged confidence:70', problems.untaggedWithConfidence],
    ['status:failed status:labeled', problems.repeated('status')],
    ['taken:2015 TAKEN:2016', problems.repeated('taken')],
  ])('rejects %s', (query, problem) => {
    expect(() => parse(query, LABELS)).toThrow(new QueryError(problem));
  });

  test('accepts text, names and numbers of labels up to the limits, counted in characters', () => {
    expect(parse(words(10)).labels).toHaveLength(10);
    expect(parse(words(10, '-')).without).toHaveLength(10);
    expect(parse(`${words(10)} ${words(10)}`).labels).toHaveLength(10);
    expect(parse('🐈'.repeat(100)).labels).toHaveLength(1);
    expect(parse('cat'.padEnd(1000)).labels).toHaveLength(1);
  });
});

describe('combine', () => {
  const current = filter({
    labels: [[label('Cat')]],
    without: ['Dog'],
    status: 'FAILED',
    from: '2026-01-01',
    to: '2026-01-31',
    taken: '2015',
  });

  test.each<[string, Partial<Filter>]>([
    ['cup', { labels: [[label('Cat')], [label('Cup')]] }],
    ['cat', {}],
    ['cat > 90', { labels: [[label('Cat', 90)]] }],
    ['-cup', { without: ['Dog', 'Cup'] }],
    ['-dog', {}],
    ['status:labeled', { status: 'LABELED' }],
    ['taken:2016', { taken: '2016' }],
    ['from:2026-05-01', { from: '2026-05-01', to: undefined }],
    ['confidence:70', { minConfidence: 70 }],
    ['confidence:0', { minConfidence: undefined }],
  ])('adds %s', (query, change) => {
    expect(combine(current, parse(query, LABELS))).toEqual({ ...current, ...change });
  });

  test('confidence:0 removes the current minimum', () => {
    const filtered = filter({ minConfidence: 70, from: '2026-01-01' });
    expect(combine(filtered, parse('confidence:0'))).toEqual(filter({ from: '2026-01-01' }));
    expect(combine(filtered, parse('untagged confidence:0'))).toEqual(filter({ untagged: true, from: '2026-01-01' }));
  });

  test('a single label replaces the same label of the current filter, but not of the query', () => {
    const either = [label('Cat'), label('Dog')];
    const both = filter({ labels: [[label('Cat')], either] });
    expect(combine(both, parse('CAT > 90')).labels).toEqual([either, [label('CAT', 90)]]);
    expect(combine(both, parse('Cat > 90 or Dog')).labels).toEqual([
      [label('Cat')],
      either,
      [label('Cat', 90), label('Dog')],
    ]);
    expect(combine(both, parse('Cat > 90 Cat')).labels).toEqual([either, [label('Cat', 90)], [label('Cat')]]);
  });

  test('untagged pictures have no other status than labeled', () => {
    const failed = filter({ status: 'FAILED' });
    expect(() => combine(failed, parse('untagged'))).toThrow(new QueryError(problems.untaggedWithStatus));
    expect(combine(failed, parse('untagged status:labeled'))).toEqual(filter({ untagged: true, status: 'LABELED' }));
  });

  test.each<[string, string]>([
    ['-cat', problems.wantedAndExcluded('Cat')],
    ['dog', problems.wantedAndExcluded('Dog')],
    ['untagged', problems.untaggedWithLabels],
    ['a b c d e f g h i j', problems.tooManyLabels(10)],
    ['-a -b -c -d -e -f -g -h -i -j', problems.tooManyExclusions(10)],
  ])('rejects %s', (query, problem) => {
    expect(() => combine(current, parse(query, LABELS))).toThrow(new QueryError(problem));
  });
});

describe('format', () => {
  test.each<[string, Partial<Filter>]>([
    ['', {}],
    ['Cat', { labels: [[label('Cat')]] }],
    ['Cat > 90 or Dog > 0 "Hot Dog"', { labels: [[label('Cat', 90), label('Dog', 0)], [label('Hot Dog')]] }],
    ['-Dog -"coffee cup"', { without: ['Dog', 'coffee cup'] }],
    ['untagged', { untagged: true }],
    ['confidence:70.5 status:failed', { minConfidence: 70.5, status: 'FAILED' }],
    ['from:2026-01-01 to:2026-01-31 taken:2015-07', { from: '2026-01-01', to: '2026-01-31', taken: '2015-07' }],
    ['"or" or "Untagged"', { labels: [[label('or'), label('Untagged')]] }],
    ['"-Dog" "status:failed" "–Dog"', { labels: [[label('-Dog')], [label('status:failed')], [label('–Dog')]] }],
    ['Cat > 9 "%x" Cat > 8 "%"', { labels: [[label('Cat', 9)], [label('%x')], [label('Cat', 8)], [label('%')]] }],
    ['"And" "a,b" -"(c)"', { labels: [[label('And')], [label('a,b')]], without: ['(c)'] }],
    ['"a""b" "““" 犬', { labels: [[label('a"b')], [label('“')], [label('犬')]] }],
  ])('%s', (query, change) => {
    expect(format(filter(change))).toBe(query);
    expect(parse(query)).toEqual(filter(change));
  });

  test('quotes words that would otherwise join to another label', () => {
    const apart = filter({ labels: [[label('Coffee')], [label('Cup')], [label('Cat')]] });
    expect(format(apart, LABELS)).toBe('"Coffee" "Cup" Cat');
    expect(parse(format(apart, LABELS), LABELS)).toEqual(apart);
  });

  test('quotes a name only if necessary', () => {
    expect(quote('T-Shirt')).toBe('T-Shirt');
    expect(quote('Oregano')).toBe('Oregano');
    expect(quote('Coffee Cup')).toBe('"Coffee Cup"');
    expect(quote('OR')).toBe('"OR"');
    expect(quote('')).toBe('""');
  });
});

describe('termBeingTyped', () => {
  test.each<[string, string, number, boolean]>([
    ['', '', 0, false],
    ['ca', 'ca', 0, false],
    [' ca ', 'ca', 1, true],
    ['-ca ', 'ca', 1, true],
    ['coffee cu ', 'coffee cu', 0, true],
    ['cat and', 'and', 4, true],
    ['cat', 'cat', 0, true],
    ['cat do', 'do', 4, false],
    ['-do', 'do', 1, false],
    ['-', '', 1, false],
    ['cat -', '', 5, false],
    ['cat or ', '', 7, false],
    ['cat or', 'or', 4, true],
    ['cat or do', 'do', 7, false],
    ['coffee cu', 'coffee cu', 0, false],
    ['cat coffee cu', 'coffee cu', 4, false],
    ['-coffee cu', 'coffee cu', 1, false],
    ['cat > 90 do', 'do', 9, false],
    ['people carrying', 'people carrying', 0, false],
    ['coffee cup', 'coffee cup', 0, true],
    ['coffee cup ca', 'ca', 11, false],
    ['unicorn', 'unicorn', 0, false],
    ['blue unicorn', 'unicorn', 5, false],
    ['untagged', 'untagged', 0, true],
    ['"coffee c', 'coffee c', 0, true],
    ['cat "', '', 4, true],
  ])('%s: %s', (value, prefix, start, complete) => {
    expect(termBeingTyped(value, LABELS)).toEqual({ prefix, start, complete });
  });

  test.each(['cat > 9', 'cat >', '"cat"', 'status:fa', 'taken:2015'])('%s ends with something else', (value) => {
    expect(termBeingTyped(value, LABELS)).toBeUndefined();
  });

  test('is not looked for in a text that is too long', () => {
    expect(termBeingTyped('ca '.repeat(400), LABELS)).toBeUndefined();
  });

  test('without the labels, it is the last word', () => {
    expect(termBeingTyped('coffee cu', [])).toEqual({ prefix: 'cu', start: 7, complete: false });
  });

  test('a word that is a label is complete, also if a longer label begins with it', () => {
    expect(termBeingTyped('hot', ['Hot', 'Hot Dog'])).toEqual({ prefix: 'hot', start: 0, complete: true });
    expect(termBeingTyped('cat dog', ['Cat', 'Dog', 'Cat Dogma'])).toMatchObject({ start: 0, complete: true });
  });
});
