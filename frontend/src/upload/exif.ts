// Puts a camera's metadata into a JPEG that a browser made, which has none.

/** A marker segment's length, which counts itself, has 16 bits. */
const LONGEST_SEGMENT = 0xffff;
const SIGNATURE = new TextEncoder().encode('Exif\0\0');
const ORIENTATION = 0x0112;

/**
 * The JPEG with this EXIF, a TIFF structure, whose orientation becomes 1: the pixels are upright already. Metadata that
 * does not fit or makes no sense is left out.
 */
export function withExif(jpeg: Blob, tiff: Uint8Array): Blob {
  const upright = uprighted(tiff);
  const length = 2 + SIGNATURE.length + tiff.length;
  if (!upright || length > LONGEST_SEGMENT) return jpeg;
  const start = new Uint8Array([0xff, 0xd8, 0xff, 0xe1, length >> 8, length & 0xff]);
  // JPEG's own start is 2 bytes long.
  return new Blob([start, SIGNATURE, upright, jpeg.slice(2)], { type: jpeg.type });
}

/** A copy with orientation 1, or `undefined` if it is no TIFF structure. */
function uprighted(tiff: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const copy = new Uint8Array(tiff);
  const view = new DataView(copy.buffer);
  try {
    const order = view.getUint16(0);
    const little = order === 0x4949;
    if (!little && order !== 0x4d4d) return undefined;
    const directory = view.getUint32(4, little);
    const count = view.getUint16(directory, little);
    for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
      if (view.getUint16(entry, little) === ORIENTATION) view.setUint16(entry + 8, 1, little);
    }
    return copy;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
