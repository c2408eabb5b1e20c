import { expect, test } from 'vitest';
import {
  type Direction,
  groupAt,
  layOut,
  type Measures,
  neighborOf,
  type Row,
  rowOf,
  rowsBetween,
  type Tile,
  tilesIn,
} from './rows';

const MEASURES: Measures = { width: 1000, rowHeight: 200, gap: 4, headingHeight: 48 };
const tile = (imageId: string, ratio: number, group: string | undefined = '2026-01-02'): Tile => ({
  imageId,
  ratio,
  group,
});
const pictures = (rows: Row<Tile>[]) => rows.filter((row) => row.kind === 'pictures');

test('full rows have the same width and a similar height, and contain each picture once', () => {
  const tiles = Array.from({ length: 500 }, (_, index) => tile(String(index), 0.4 + ((index * 37) % 100) / 40));
  const rows = pictures(layOut(tiles, MEASURES));
  for (const row of rows.slice(0, -1)) {
    const width = row.tiles.reduce((sum, placed) => sum + placed.width, 0) + (row.tiles.length - 1) * MEASURES.gap;
    expect(width).toBe(MEASURES.width);
    expect(row.height).toBeLessThanOrEqual(200 + MEASURES.gap);
    expect(row.height).toBeGreaterThan(100);
  }
  expect(rows.flatMap((row) => row.tiles.map((placed) => placed.tile.imageId))).toEqual(
    tiles.map((one) => one.imageId),
  );
});

test('a day starts with a heading and a new row', () => {
  const rows = layOut([tile('a', 1), tile('b', 1, '2026-01-01'), tile('c', 1, '2026-01-01')], MEASURES);
  expect(
    rows.map((row) => (row.kind === 'heading' ? row.group : row.tiles.map((placed) => placed.tile.imageId))),
  ).toEqual(['2026-01-02', ['a'], '2026-01-01', ['b', 'c']]);
});

test('without groups, there are no headings', () => {
  const rows = layOut(
    [tile('a', 2), tile('b', 2), tile('c', 2)].map((one) => ({ ...one, group: undefined })),
    MEASURES,
  );
  expect(rows.map(({ kind, top }) => [kind, top])).toEqual([['pictures', 0]]);
  expect(groupAt(rows, 10)).toBeUndefined();
});

test('finds the group at a position, and the nearest one outside the rows', () => {
  const rows = layOut([tile('a', 1, 'new'), tile('b', 1, '2026-01-01')], MEASURES);
  const [first, , second] = rows;
  expect(groupAt(rows, -100)).toBe('new');
  expect(groupAt(rows, (first?.top ?? 0) + 60)).toBe('new');
  expect(groupAt(rows, (second?.top ?? 0) + 1)).toBe('2026-01-01');
  expect(groupAt(rows, 100_000)).toBe('2026-01-01');
  expect(groupAt([], 0)).toBeUndefined();
});

test('finds the row of a picture, also if it is far from the first one', () => {
  const tiles = Array.from({ length: 300 }, (_, index) => tile(String(index), 1.5, `day ${Math.floor(index / 8)}`));
  const rows = layOut(tiles, MEASURES);
  for (const { imageId } of tiles) {
    const row = rowOf(rows, imageId);
    expect(pictures(row ? [row] : [])[0]?.tiles.some((placed) => placed.tile.imageId === imageId)).toBe(true);
  }
  expect(rowOf(rows, 'unknown')).toBeUndefined();
});

test.each<[Direction, string, string]>([
  ['previous', 'acfk', '-bej'],
  ['next', 'aejl', 'bfk-'],
  ['above', 'adjkl', '--efg'],
  ['below', 'aegjk', 'fjll-'],
  ['first', 'ag', 'aa'],
  ['last', 'al', 'll'],
])('finds the %s picture, also in another group', (direction, from, to) => {
  // Rows of five, five and two pictures of 200 pixels.
  const tiles = [...'abcdefghijkl'].map((id, index) => tile(id, 1, index < 10 ? '2026-01-02' : '2026-01-01'));
  const rows = layOut(tiles, { ...MEASURES, width: 1016 });
  const found = [...from].map((id) => neighborOf(rows, id, direction, MEASURES.gap)?.imageId ?? '-');
  expect(found.join('')).toBe(to);
});

test('very wide and very narrow pictures fit into the page', () => {
  for (const ratio of [100, 0.001, Number.MIN_VALUE]) {
    const [row] = pictures(layOut([tile('a', ratio)], { ...MEASURES, width: 300 }));
    expect(row?.tiles[0]?.width).toBeLessThanOrEqual(300);
    expect(row?.tiles[0]?.width).toBeGreaterThan(0);
  }
  expect(layOut([], MEASURES)).toEqual([]);
});

test('adding pictures at the end only changes the last row', () => {
  const tiles = Array.from({ length: 100 }, (_, index) => tile(String(index), 1.5));
  const before = layOut(tiles.slice(0, 60), MEASURES);
  expect(layOut(tiles, MEASURES).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
});

test('rowsBetween finds exactly the rows that overlap a range', () => {
  const tiles = Array.from({ length: 300 }, (_, index) =>
    tile(String(index), 1.5, `2026-01-${10 + (index % 300) / 30}`),
  );
  const rows = layOut(tiles, MEASURES);
  const height = rows.reduce((sum, row) => sum + row.height, 0);
  for (let from = -500; from < height + 500; from += 17) {
    const { start, end } = rowsBetween(rows, from, from + 300);
    const overlapping = rows.filter(({ top, height }) => top < from + 300 && top + height > from);
    expect(rows.slice(start, end)).toEqual(overlapping);
  }
  expect(rowsBetween([], 0, 300)).toEqual({ start: 0, end: 0 });
});

test('finds the pictures in an area, but not those beside it, below it or in the gaps', () => {
  // Two rows of five pictures of 200 pixels, below a heading of 48 pixels, and a third row after another heading.
  const tiles = [...'abcdefghijkl'].map((id, index) => tile(id, 1, index < 10 ? '2026-01-02' : '2026-01-01'));
  const rows = layOut(tiles, { ...MEASURES, width: 1016 });
  const found = (left: number, top: number, right: number, bottom: number) =>
    tilesIn(rows, { left, top, right, bottom }, MEASURES.gap)
      .map(({ imageId }) => imageId)
      .join('');
  expect(found(0, 0, 1016, 40)).toBe('');
  expect(found(210, 100, 220, 110)).toBe('b');
  expect(found(210, 100, 500, 300)).toBe('bcgh');
  expect(found(201, 100, 203, 110)).toBe('');
  expect(found(0, 249, 1016, 251)).toBe('');
  expect(found(-500, -500, 100, 5000)).toBe('afk');
  expect(found(900, 500, 1016, 900)).toBe('');
});
