// Justified rows: pictures of a day side by side, each row as wide as the page, all of nearly the same height.

/** What the layout wants to know of a picture. */
export interface Tile {
  readonly imageId: string;
  /** Width by height. */
  readonly ratio: number;
  /** The day it belongs to, by this machine's calendar: `YYYY-MM-DD`. */
  readonly day: string;
}

/** `top` and `height` are in pixels, `top` from that of the first row. */
export type Row<T extends Tile> = { readonly top: number; readonly height: number } & (
  | { readonly kind: 'day'; readonly day: string }
  | { readonly kind: 'pictures'; readonly tiles: readonly Placed<T>[] }
);

/** A picture with its width in its row, in pixels. */
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

/** Wider or narrower pictures are cropped to these, or a panorama would be a thread and a receipt a tower. */
const WIDEST = 3;
const NARROWEST = 0.5;

/** Lays pictures out in their order. The height of a row contains the gap below it. */
export function layOut<T extends Tile>(tiles: readonly T[], measures: Measures): Row<T>[] {
  const rows: Row<T>[] = [];
  let day: string | undefined;
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
    if (tile.day !== day) {
      close(false);
      day = tile.day;
      rows.push({ kind: 'day', day, top, height: measures.headingHeight });
      top += measures.headingHeight;
    }
    open.push(tile);
    ratios += bounded(tile.ratio);
    if (ratios * measures.rowHeight + (open.length - 1) * measures.gap >= measures.width) close(true);
  }
  close(false);
  return rows;
}

/** The part of the rows that lies, wholly or not, from one place to another: the first row, and the one after the last. */
export function rowsBetween(rows: readonly Row<Tile>[], from: number, to: number): { start: number; end: number } {
  return {
    start: count(rows, ({ top, height }) => top + height <= from),
    end: count(rows, ({ top }) => top < to),
  };
}

/** How many rows satisfy a condition that holds for the first of them, and for none after those. */
function count(rows: readonly Row<Tile>[], holds: (row: Row<Tile>) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row && holds(row)) low = middle + 1;
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
  // The last row of a day keeps the usual height, unless it has a single picture that is too wide.
  const height = Math.floor(full ? free / ratios : Math.min(measures.rowHeight, free / ratios));
  const placed = tiles.map((tile) => ({ tile, width: Math.floor(bounded(tile.ratio) * height) }));
  const last = placed.at(-1);
  if (full && last) {
    // What rounding left over, so that rows end at the same edge.
    const rest = free - placed.reduce((sum, { width }) => sum + width, 0);
    placed[placed.length - 1] = { ...last, width: last.width + rest };
  }
  return { kind: 'pictures', tiles: placed, top, height: height + measures.gap };
}

function bounded(ratio: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, ratio));
}
