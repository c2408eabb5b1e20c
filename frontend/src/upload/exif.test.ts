import { expect, test } from 'vitest';
import { withExif } from './exif';

const jpeg = new Blob([new Uint8Array([0xff, 0xd8, 0xff, 0xdb, 1, 2, 3])], { type: 'image/jpeg' });

/** A TIFF structure with one entry: orientation 6, "turn me clockwise". */
const TURNED = {
  big: [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0],
  little: [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0],
};

const bytesOf = async (blob: Blob) => [...new Uint8Array(await blob.arrayBuffer())];

test.each(Object.entries(TURNED))(
  'metadata stands first, and turns nothing that is upright already: %s-endian',
  async (_, tiff) => {
    const bytes = await bytesOf(withExif(jpeg, new Uint8Array(tiff)));
    const upright = tiff.map((byte) => (byte === 6 ? 1 : byte));
    const segment = [
      0xff,
      0xe1,
      0,
      2 + 6 + tiff.length,
      ...[...'Exif\0\0'].map((character) => character.charCodeAt(0)),
      ...upright,
    ];
    expect(bytes).toEqual([0xff, 0xd8, ...segment, 0xff, 0xdb, 1, 2, 3]);
  },
);

test('what makes no sense, or is longer than a segment, is left out', async () => {
  const beyond = TURNED.big.with(7, 200);
  const long = [...TURNED.big, ...Array<number>(0xffff).fill(0)];
  for (const tiff of [[], [1, 2, 3, 4], beyond, long]) {
    expect(await bytesOf(withExif(jpeg, new Uint8Array(tiff)))).toEqual(await bytesOf(jpeg));
  }
});
