// Where a whole picture is when a tile shows only its middle, as with `object-fit: cover`.

/** In pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** In pixels from the top left corner of the tile. `left` and `top` are negative if the picture is larger. */
export interface Place extends Size {
  readonly left: number;
  readonly top: number;
}

/** The place of a picture that fills a tile. `ratio` is the picture's width divided by its height. */
export function coverOf(ratio: number, tile: Size): Place {
  const width = Math.max(tile.width, tile.height * ratio);
  const height = Math.max(tile.height, tile.width / ratio);
  return { left: (tile.width - width) / 2, top: (tile.height - height) / 2, width, height };
}
