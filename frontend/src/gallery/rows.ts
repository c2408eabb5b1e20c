// Lays out pictures in justified rows for each group, usually a day: all rows are as wide as the page and have a similar
// height.

/** What the layout needs to know about a picture. */
export interface Tile {
  readonly imageId: string;
  /** Width divided by height. */
  readonly ratio: number;
  /** Pictures of a group follow each other below a heading. `undefined` if there are no groups. */
  readonly group: string | undefined;
}

/** `top` and `height` are in pixels. `top` of the first row is 0. */
export type Row<T extends Tile> = { readonly top: number; readonly height: number } & (
  | { readonly kind: 'heading'; readonly group: string }
  | { readonly kind: 'pictures'; readonly tiles: readonly Placed<T>[] }
);

/** A picture with its width, in pixels. */
export interface Placed<T extends Tile> {
  readonly tile: T;
  readonly width: number;
}

export interface Measures {
  /** All in pixels. */
  readonly width: number;
  readonly rowHeight: number;
  readonly gap: number;
  readonly headingHeight: number;
}

/** Wider and narrower pictures are cropped to these ratios. */
const MAX_RATIO = 3;
const MIN_RATIO = 0.5;

/** Lays out pictures in their order. The height of a row includes the gap below it. */
export function layOut<T extends Tile>(tiles: readonly T[], measures: Measures): Row<T>[] {
  const rows: Row<T>[] = [];
  let group: string | undefined;
  let open: T[] = [];
  let ratios = 0;
  let top = 0;

  const close = (full: boolean) => {
    if (open.length === 0) return;
    const row = justify(open, ratios, full, measures, top);
    rows.push(row);
    top += row.height;
    open = [];
    ratios = 0;
  };

  for (const tile of tiles) {
    if (tile.group !== group) {
      close(false);
      group = tile.group;
      if (group !== undefined) {
        rows.push({ kind: 'heading', group, top, height: measures.headingHeight });
        top += measures.headingHeight;
      }
    }
    open.push(tile);
    ratios += clampRatio(tile.ratio);
    if (ratios * measures.rowHeight + (open.length - 1) * measures.gap >= measures.width) close(true);
  }
  close(false);
  return rows;
}

/** The rows that are at least partly between two positions: the index of the first row, and of the row after the last. */
export function rowsBetween(rows: readonly Row<Tile>[], from: number, to: number): { start: number; end: number } {
  return {
    start: countWhile(rows, ({ top, height }) => top + height <= from),
    end: countWhile(rows, ({ top }) => top < to),
  };
}

/** The row that contains a picture. */
export function rowOf<T extends Tile>(rows: readonly Row<T>[], imageId: string): Row<T> | undefined {
  return rows.find((row) => row.kind === 'pictures' && row.tiles.some(({ tile }) => tile.imageId === imageId));
}

/** Where another picture is. `first` and `last`: of all rows. */
export type Direction = 'previous' | 'next' | 'above' | 'below' | 'first' | 'last';

/** The picture in a direction from another one; `undefined` if there is none. `gap` is the space between pictures, in pixels. */
export function neighborOf<T extends Tile>(
  rows: readonly Row<T>[],
  imageId: string,
  direction: Direction,
  gap: number,
): T | undefined {
  const lines = rows.flatMap((row) => (row.kind === 'pictures' ? [row.tiles] : []));
  const order = lines.flat().map(({ tile }) => tile);
  const index = order.findIndex((tile) => tile.imageId === imageId);
  switch (direction) {
    case 'previous':
      return order[index - 1];
    case 'next':
      return order[index + 1];
    case 'above':
      return neighborInLine(lines, imageId, -1, gap);
    case 'below':
      return neighborInLine(lines, imageId, 1, gap);
    case 'first':
      return order[0];
    case 'last':
      return order.at(-1);
  }
}

/** The picture in the line above (-1) or below (1) whose middle is nearest to that of another picture. */
function neighborInLine<T extends Tile>(
  lines: readonly (readonly Placed<T>[])[],
  imageId: string,
  step: -1 | 1,
  gap: number,
): T | undefined {
  const isWanted = ({ tile }: Pick<Placed<T>, 'tile'>) => tile.imageId === imageId;
  const line = lines.findIndex((tiles) => tiles.some(isWanted));
  const from = placesIn(lines[line] ?? [], gap).find(isWanted);
  return from && nearest(placesIn(lines[line + step] ?? [], gap), from.middle);
}

/** The group of the row at a position, or of the row next to it; `undefined` if there are no rows or no groups. */
export function groupAt(rows: readonly Row<Tile>[], position: number): string | undefined {
  const { start } = rowsBetween(rows, position, position);
  const row = rows[Math.min(start, rows.length - 1)];
  return row?.kind === 'heading' ? row.group : row?.tiles[0]?.tile.group;
}

/** A part of the rows, in pixels from the top left corner of the first one. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The pictures that are at least partly in an area, in their order. `gap` is the space between pictures, in pixels. */
export function tilesIn<T extends Tile>(rows: readonly Row<T>[], area: Area, gap: number): T[] {
  const { start, end } = rowsBetween(rows, area.top, area.bottom);
  const found: T[] = [];
  for (const row of rows.slice(start, end)) {
    if (row.kind !== 'pictures' || row.top + row.height - gap <= area.top) continue;
    let left = 0;
    for (const { tile, width } of row.tiles) {
      if (left < area.right && left + width > area.left) found.push(tile);
      left += width + gap;
    }
  }
  return found;
}

/** A picture, and how far its middle is from the left, in pixels. */
interface Place<T extends Tile> {
  readonly tile: T;
  readonly middle: number;
}

function placesIn<T extends Tile>(tiles: readonly Placed<T>[], gap: number): Place<T>[] {
  let left = 0;
  return tiles.map(({ tile, width }) => {
    const middle = left + width / 2;
    left += width + gap;
    return { tile, middle };
  });
}

function nearest<T extends Tile>(places: readonly Place<T>[], middle: number): T | undefined {
  const [first] = places.toSorted((one, other) => Math.abs(one.middle - middle) - Math.abs(other.middle - middle));
  return first?.tile;
}

/** How many rows satisfy a condition that is true up to some row and false after it. Uses binary search. */
function countWhile(rows: readonly Row<Tile>[], condition: (row: Row<Tile>) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row && condition(row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function justify<T extends Tile>(
  tiles: readonly T[],
  ratios: number,
  full: boolean,
  measures: Measures,
  top: number,
): Row<T> {
  const free = measures.width - (tiles.length - 1) * measures.gap;
  // The last row of a group has the usual height, unless its picture is too wide for that.
  const height = Math.floor(full ? free / ratios : Math.min(measures.rowHeight, free / ratios));
  const placed = tiles.map((tile) => ({ tile, width: Math.floor(clampRatio(tile.ratio) * height) }));
  const last = placed.at(-1);
  if (full && last) {
    // Add what rounding left over to the last picture, so that all rows end at the same edge.
    const rest = free - placed.reduce((sum, { width }) => sum + width, 0);
    placed[placed.length - 1] = { ...last, width: last.width + rest };
  }
  return { kind: 'pictures', tiles: placed, top, height: height + measures.gap };
}

function clampRatio(ratio: number): number {
  return Math.min(MAX_RATIO, Math.max(MIN_RATIO, ratio));
}
