import { describe, expect, test } from 'vitest';
import {
  add,
  extentOf,
  hasSamePictures,
  NOTHING_SELECTED,
  prune,
  type Selection,
  selectAll,
  selectRange,
  toggle,
  toggleGroup,
} from './selection';

const ORDER = ['a', 'b', 'c', 'd', 'e'];
const of = (ids: string, anchor?: string): Selection => ({ ids: new Set(ids), anchor });
const ids = (selection: Selection) => [...selection.ids].sort().join('');

test('toggle selects a picture, and clears it again', () => {
  const selected = toggle(NOTHING_SELECTED, 'b');
  expect(selected).toEqual(of('b', 'b'));
  expect(toggle(selected, 'b')).toEqual(of('', 'b'));
  expect(NOTHING_SELECTED.ids.size).toBe(0);
});

describe('selectRange', () => {
  test.each([
    ['forward', 'b', 'd', 'bcd'],
    ['backward', 'd', 'b', 'bcd'],
    ['a single picture', 'b', 'b', 'b'],
  ])('selects the pictures from the anchor: %s', (_, anchor, end, expected) => {
    const selected = selectRange(toggle(NOTHING_SELECTED, anchor), ORDER, end);
    expect(ids(selected)).toBe(expected);
    expect(selected.anchor).toBe(end);
  });

  test('keeps other pictures', () => {
    expect(ids(selectRange(of('ae', 'b'), ORDER, 'c'))).toBe('ae');
    expect(ids(selectRange(of('ab', 'b'), ORDER, 'c'))).toBe('abc');
  });

  test('clears the range if the anchor was cleared', () => {
    const cleared = toggle(of('abcde'), 'b');
    expect(ids(selectRange(cleared, ORDER, 'd'))).toBe('ae');
  });

  test('selects one picture if nothing is selected, although there is an anchor', () => {
    const nothing = toggle(of('a', 'a'), 'a');
    expect(selectRange(nothing, ORDER, 'c')).toEqual(of('c', 'c'));
  });

  test('toggles one picture without an anchor, or if the anchor is gone', () => {
    expect(selectRange(NOTHING_SELECTED, ORDER, 'c')).toEqual(of('c', 'c'));
    expect(selectRange(of('a', 'gone'), ORDER, 'c')).toEqual(of('ac', 'c'));
  });
});

test('toggleGroup completes a day, then clears it', () => {
  const completed = toggleGroup(of('be', 'b'), ['a', 'b', 'c']);
  expect(ids(completed)).toBe('abce');
  expect(ids(toggleGroup(completed, ['a', 'b', 'c']))).toBe('e');
  expect(toggleGroup(completed, [])).toBe(completed);
});

test('selectAll keeps the anchor', () => {
  expect(selectAll(of('b', 'b'), ORDER)).toEqual(of('abcde', 'b'));
});

describe('prune', () => {
  test('forgets pictures that are gone', () => {
    expect(prune(of('abc', 'c'), new Set('ac'))).toEqual(of('ac', 'c'));
  });

  test('forgets an anchor that is gone', () => {
    expect(prune(of('ab', 'c'), new Set('ab'))).toEqual(of('ab'));
  });

  test('returns the same selection if nothing is gone', () => {
    const selection = of('ab', 'b');
    expect(prune(selection, new Set(ORDER))).toBe(selection);
  });
});

test('extentOf tells none, some and all apart', () => {
  expect(['', 'a', 'ab'].map((selected) => extentOf(of(selected), ['a', 'b']))).toEqual(['none', 'some', 'all']);
  expect(extentOf(NOTHING_SELECTED, [])).toBe('none');
});

test('add keeps what is selected, and the anchor if there is no new one', () => {
  expect(add(of('ab', 'a'), ['b', 'c'], 'c')).toEqual(of('abc', 'c'));
  expect(add(of('ab', 'a'), [], undefined)).toEqual(of('ab', 'a'));
});

test('hasSamePictures ignores the order and the anchor', () => {
  expect(hasSamePictures(of('ab', 'a'), of('ba', 'b'))).toBe(true);
  expect(hasSamePictures(of('ab'), of('ac'))).toBe(false);
  expect(hasSamePictures(of('ab'), of('abc'))).toBe(false);
});
