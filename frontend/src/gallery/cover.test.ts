import { expect, test } from 'vitest';
import { coverOf } from './cover';

test.each([
  ['the same ratio', 2, { width: 200, height: 100 }, { left: 0, top: 0, width: 200, height: 100 }],
  ['a wider picture', 4, { width: 200, height: 100 }, { left: -100, top: 0, width: 400, height: 100 }],
  ['a higher picture', 0.5, { width: 100, height: 100 }, { left: 0, top: -50, width: 100, height: 200 }],
])('%s fills the tile and is cropped on both sides alike', (_, ratio, tile, place) => {
  expect(coverOf(ratio, tile)).toEqual(place);
});
