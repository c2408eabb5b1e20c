import { expect, test } from 'vitest';
import { type LabelGroup, NO_FILTER } from '../api/filter';
import { text } from '../shared/text';
import { captionLabels, firstSeen } from './caption';

const LABELS = [
  { name: 'Espresso', confidence: 70.2, added: false, keyword: false },
  { name: 'Coffee', confidence: 91, added: false, keyword: false },
  { name: 'Cup', confidence: 87.6, added: false, keyword: false },
  { name: 'Beverage', confidence: 91, added: false, keyword: false },
];

const term = (name: string, minConfidence?: number) => ({ name, minConfidence });

function caption(labels: readonly LabelGroup[], minConfidence?: number): string {
  return text.tileCaption(captionLabels(LABELS, { ...NO_FILTER, labels, minConfidence }));
}

test.each<[string, LabelGroup[], number | undefined, string]>([
  ['without a filter: the first labels', [], undefined, 'Espresso · Coffee · Cup'],
  ['with a confidence only: the first labels', [], 80, 'Espresso · Coffee · Cup'],
  ['a label in any case: first, and not twice', [[term('cup')]], undefined, 'Cup 88% · Espresso · Coffee'],
  ['a label that is among the first', [[term('Coffee')]], undefined, 'Coffee 91% · Espresso · Cup'],
  [
    'several labels: in the order of the search',
    [[term('Beverage')], [term('Cup')]],
    undefined,
    'Beverage 91% · Cup 88% · Espresso',
  ],
  ['alternatives: those that the picture has', [[term('Cat'), term('Cup')]], undefined, 'Cup 88% · Espresso · Coffee'],
  [
    'an alternative below its own minimum',
    [[term('Cup', 90), term('Coffee')]],
    undefined,
    'Coffee 91% · Espresso · Cup',
  ],
  [
    'an alternative below the minimum of the filter',
    [[term('Espresso'), term('Cup')]],
    80,
    'Cup 88% · Espresso · Coffee',
  ],
  ['the own minimum instead of that of the filter', [[term('Espresso', 50)]], 80, 'Espresso 70% · Coffee · Cup'],
  ['the same label twice', [[term('Cup')], [term('cup', 50), term('Cat')]], undefined, 'Cup 88% · Espresso · Coffee'],
  [
    'more labels than fit',
    ['Beverage', 'Cup', 'Coffee', 'Espresso'].map((name) => [term(name)]),
    undefined,
    'Beverage 91% · Cup 88% · Coffee 91%',
  ],
])('%s', (_, labels, minConfidence, expected) => {
  expect(caption(labels, minConfidence)).toBe(expected);
});

test("the tile's name has the same labels as its caption", () => {
  const labels = captionLabels(LABELS, { ...NO_FILTER, labels: [[term('cup')]] });
  expect(text.tile('coffee.jpg', labels, '')).toBe('coffee.jpg: Cup 88%, Espresso, Coffee');
  expect(text.tile('coffee.jpg', labels, text.tileState.labeling)).toBe('coffee.jpg: Labeling…');
});

test('a video that is found by labels starts where the first of them is seen', () => {
  const labels = [
    { name: 'Dog', confidence: 99, added: false, keyword: false, firstMs: 12_000, totalMs: 4000 },
    { name: 'Cat', confidence: 80, added: false, keyword: false, firstMs: 3000, totalMs: 9000 },
  ];
  const of = (groups: readonly LabelGroup[]) => firstSeen(labels, { ...NO_FILTER, labels: groups });
  expect(of([[term('cat')], [term('dog')]])).toBe(3000);
  expect(of([[term('Cat', 90), term('Dog')]])).toBe(12_000);
  expect(of([])).toBeUndefined();
  expect(firstSeen(LABELS, { ...NO_FILTER, labels: [[term('Cup')]] })).toBeUndefined();
});
