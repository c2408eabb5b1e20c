// Makes a JPEG of a HEIC picture, away from the page. One worker converts one picture: what WebAssembly has taken of the
// memory is given back only with its worker.
import { MOST_PIXELS } from './checks';
import { withExif } from './exif';
import { readHeif } from './heif-boxes';

/** What the worker answers. */
export type Answer =
  | { readonly jpeg: Blob }
  /** In pixels: more than may be uploaded. */
  | { readonly tooLarge: { readonly width: number; readonly height: number } }
  /** Nothing here can decode it. */
  | { readonly undecodable: true }
  /** The decoder could not be loaded. */
  | { readonly unreachable: true };

/** Of JPEG, 0 to 1: no loss to the eye. */
const QUALITY = 0.92;

self.addEventListener('message', async ({ data: file }: MessageEvent<Blob>) => {
  const answer = await convert(file).catch((error): Answer => {
    // Out of memory, a canvas larger than this browser's, a defect of the decoder.
    console.warn(error);
    return { undecodable: true };
  });
  self.postMessage(answer);
});

async function convert(file: Blob): Promise<Answer> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { exif, colorSpace } = readHeif(bytes);
  const drawn = (await decodeNatively(file)) ?? (await decode(bytes, colorSpace));
  if (!(drawn instanceof OffscreenCanvas)) return drawn;
  // JPEG has no transparency: white shows through, as it does wherever this product makes a JPEG.
  const drawing = context(drawn);
  drawing.globalCompositeOperation = 'destination-over';
  drawing.fillStyle = 'white';
  drawing.fillRect(0, 0, drawn.width, drawn.height);
  const jpeg = await drawn.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  return { jpeg: exif ? withExif(jpeg, exif) : jpeg };
}

/** Some systems' browsers read HEIC themselves. */
async function decodeNatively(file: Blob): Promise<OffscreenCanvas | undefined> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) return undefined;
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  context(canvas).drawImage(bitmap, 0, 0);
  return canvas;
}

async function decode(file: Uint8Array, colorSpace: PredefinedColorSpace): Promise<OffscreenCanvas | Answer> {
  const libheif = await loadLibheif();
  if (!libheif) return { unreachable: true };
  const picture = libheif.open(file);
  if (!picture) return { undecodable: true };
  const { width, height } = picture.sides;
  if (width * height > MOST_PIXELS) return { tooLarge: { width, height } };
  const pixels = await picture.pixels(colorSpace);
  if (!pixels) return { undecodable: true };
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  context(canvas).putImageData(pixels, 0, 0);
  return canvas;
}

async function loadLibheif() {
  try {
    const { Libheif } = await import('./libheif');
    return await Libheif.load();
  } catch (error) {
    console.warn(error);
    return undefined;
  }
}

function context(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const drawing = canvas.getContext('2d');
  if (!drawing) throw new Error('no canvas of that size');
  return drawing;
}
