// Recognizes the kind of a file by its first bytes, which decide and not its name. The kinds that are uploaded are those of
// the crates `picture-header` and `video-header`.

/** How many of a file's first bytes `kindOf` needs. */
export const SIGNATURE_LENGTH = 256;

/** A kind of file. */
export interface Kind {
  /** The name for messages, such as `WebP`. */
  readonly name: string;
  /** The content type for the upload. `undefined` if the kind is not supported and only known by name. */
  readonly contentType?: string;
  /** Whether an unsupported kind is one of videos or sound. */
  readonly isMedia?: true;
  /** The usual extensions of file names, in lower case, without the dot. */
  readonly extensions: readonly string[];
  /** Whether these are the first bytes of such a file, as Latin-1 text. */
  readonly matches: (start: string) => boolean;
}

const begins =
  (...signatures: readonly string[]) =>
  (start: string): boolean =>
    signatures.some((signature) => start.startsWith(signature));

/** The first box of the file has one of these brands: HEIF, MP4 and the formats that are based on them. */
const brand =
  (...names: readonly string[]) =>
  (start: string): boolean => {
    if (!start.startsWith('ftyp', 4)) return false;
    const size = Math.min(Math.max(number(start, 0, 'big'), 16), SIGNATURE_LENGTH);
    for (let offset = 8; offset + 4 <= Math.min(size, start.length); offset += 4) {
      if (names.includes(start.slice(offset, offset + 4))) return true;
    }
    return false;
  };

/** The first brand of the first box. */
const majorBrand =
  (...names: readonly string[]) =>
  (start: string): boolean =>
    start.startsWith('ftyp', 4) && names.includes(start.slice(8, 12));

/** A QuickTime file without a brand, from before 2001. */
function isOldMov(start: string): boolean {
  return ['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'].includes(start.slice(4, 8)) && number(start, 0, 'big') !== 0;
}

/** Matroska and the formats that are based on it. The document type is in the header. */
const ebml =
  (type: string) =>
  (start: string): boolean =>
    start.startsWith('\x1a\x45\xdf\xa3') && start.includes(type);

/** Two letters are too few to recognize a BMP file, so the size of its second header is checked, too. */
function isBmp(start: string): boolean {
  const size = number(start, 14, 'little');
  return (start.startsWith('BM') && (size === 12 || (size >= 16 && size < 0x10000))) || isDib(start);
}

/** A BMP file without its first header. It begins with the size of the second one, so that all fields must be plausible. */
function isDib(start: string): boolean {
  const size = number(start, 0, 'little');
  if (![12, 40, 52, 56, 64, 108, 124].includes(size)) return false;
  const sides =
    size === 12 ? [half(start, 4), half(start, 6)] : [number(start, 4, 'little'), number(start, 8, 'little')];
  // A negative height means that the first row is at the top.
  const plausible = sides.every((side) => side !== 0 && Math.abs(side | 0) < 0x100000);
  const depthAt = size === 12 ? 10 : 14;
  return plausible && half(start, depthAt - 2) === 1 && [1, 2, 4, 8, 16, 24, 32].includes(half(start, depthAt));
}

/** The unsigned 16-bit number at this offset, in little-endian order. */
function half(start: string, offset: number): number {
  return number(start, offset, 'little') & 0xffff;
}

/** The unsigned 32-bit number at this offset; bytes after the end count as 0. */
function number(start: string, offset: number, order: 'big' | 'little'): number {
  const bytes = [0, 1, 2, 3].map((index) => start.charCodeAt(offset + index) || 0);
  if (order === 'little') bytes.reverse();
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** The kinds, in the order in which they are tried. Raw files that are TIFFs with the usual signature count as TIFF. */
export const KINDS: readonly Kind[] = [
  {
    name: 'JPEG',
    contentType: 'image/jpeg',
    extensions: ['jpg', 'jpeg', 'jpe', 'jfif', 'mpo'],
    matches: begins('\xff\xd8\xff'),
  },
  { name: 'PNG', contentType: 'image/png', extensions: ['png', 'apng'], matches: begins('\x89PNG\r\n\x1a\n') },
  {
    name: 'WebP',
    contentType: 'image/webp',
    extensions: ['webp'],
    matches: (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8),
  },
  { name: 'GIF', contentType: 'image/gif', extensions: ['gif'], matches: begins('GIF87a', 'GIF89a') },
  { name: 'BMP', contentType: 'image/bmp', extensions: ['bmp', 'dib'], matches: isBmp },
  // AVIF and HEIC files can both have the brand mif1.
  { name: 'AVIF', contentType: 'image/avif', extensions: ['avif', 'avifs'], matches: brand('avif', 'avis') },
  {
    name: 'HEIC',
    contentType: 'image/heic',
    extensions: ['heic', 'heif', 'hif'],
    matches: brand('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'),
  },
  {
    name: 'CR3',
    contentType: 'image/x-canon-cr3',
    extensions: ['cr3'],
    matches: (start) => start.startsWith('ftypcrx ', 4),
  },
  {
    name: 'CR2',
    contentType: 'image/x-canon-cr2',
    extensions: ['cr2'],
    matches: (start) => start.startsWith('II*\0') && start.startsWith('CR', 8),
  },
  {
    name: 'TIFF',
    contentType: 'image/tiff',
    extensions: ['tif', 'tiff', 'nef', 'arw', 'dng', 'pef', 'srw'],
    // The last two are BigTIFF.
    matches: begins('II*\0', 'MM\0*', 'II+\0', 'MM\0+'),
  },
  { name: 'ORF', contentType: 'image/x-olympus-orf', extensions: ['orf'], matches: begins('IIRO', 'IIRS', 'MMOR') },
  { name: 'RW2', contentType: 'image/x-panasonic-rw2', extensions: ['rw2'], matches: begins('IIU\0') },
  { name: 'RAF', contentType: 'image/x-fuji-raf', extensions: ['raf'], matches: begins('FUJIFILMCCD-RAW') },
  { name: 'JPEG XL', extensions: [], matches: begins('\xff\x0a', '\0\0\0\x0cJXL \r\n\x87\n') },
  { name: 'PDF', extensions: [], matches: begins('%PDF') },
  { name: 'Photoshop', extensions: [], matches: begins('8BPS') },
  { name: 'JPEG 2000', extensions: [], matches: begins('\0\0\0\x0cjP', '\xff\x4f\xff\x51') },
  { name: 'SVG', extensions: [], matches: begins('<svg') },
  { name: 'M4A', isMedia: true, extensions: [], matches: majorBrand('M4A ', 'M4B ', 'M4P ') },
  {
    name: 'MOV',
    contentType: 'video/quicktime',
    extensions: ['mov', 'qt'],
    matches: (start) => majorBrand('qt  ')(start) || isOldMov(start),
  },
  {
    name: 'MP4',
    contentType: 'video/mp4',
    extensions: ['mp4', 'm4v', '3gp', '3g2'],
    matches: (start) => start.startsWith('ftyp', 4),
  },
  { name: 'WebM', contentType: 'video/webm', extensions: ['webm'], matches: ebml('webm') },
  { name: 'MKV', contentType: 'video/x-matroska', extensions: ['mkv'], matches: ebml('matroska') },
  {
    name: 'AVI',
    isMedia: true,
    extensions: [],
    matches: (start) => start.startsWith('RIFF') && start.startsWith('AVI ', 8),
  },
];

/** The extensions of supported pictures and videos, in lower case, without the dot. */
export const EXTENSIONS: readonly string[] = KINDS.flatMap(({ extensions }) => extensions);

/** The kind of a file by its first bytes; `undefined` if it is unknown. */
export function kindOf(start: Uint8Array): Kind | undefined {
  const text = String.fromCharCode(...start.subarray(0, SIGNATURE_LENGTH));
  return KINDS.find(({ matches }) => matches(text));
}

/** Reads a file's first bytes. Throws if it cannot be read. */
export async function readStart(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(0, SIGNATURE_LENGTH).arrayBuffer());
}
