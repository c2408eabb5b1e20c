// What can be known about a file before it is uploaded. The limits are the API's, and those of what converts pictures.
import { text } from '../text';

/** 100 MB, in bytes. */
export const LARGEST_FILE = 100 * 1024 * 1024;
/** Rekognition's smallest side of a picture, in pixels. */
export const SHORTEST_SIDE = 80;
/** Most pixels of a picture, width times height. */
export const MOST_PIXELS = 150_000_000;

/** What the first bytes of a file say it is. Those that cannot be labeled are told apart for the sentence's sake. */
export type Kind = 'JPEG' | 'PNG' | 'GIF' | 'WebP' | 'HEIC' | 'AVIF' | 'TIFF' | 'BMP' | 'PDF' | 'unknown';

/** How many of a file's first bytes `detectKind` wants. */
const SIGNATURE_LENGTH = 64;

/** Announced for nothing: what has it is converted first. */
export const HEIC = 'image/heic';

const CONTENT_TYPES: Partial<Record<Kind, string>> = {
  JPEG: 'image/jpeg',
  PNG: 'image/png',
  WebP: 'image/webp',
  HEIC,
  AVIF: 'image/avif',
  GIF: 'image/gif',
  BMP: 'image/bmp',
  TIFF: 'image/tiff',
};

/** A file that may go on, with its content type; or a sentence that says why not and what would be right. */
export type Finding = { readonly contentType: string } | { readonly refusal: string };

/**
 * Looks at a file's size, type and first bytes. The bytes decide, so that a PNG named .jpg, or one whose type the
 * system does not know, is welcome; what they contradict is the reason in the sentence.
 */
export async function checkFile(file: File): Promise<Finding> {
  let start: Uint8Array;
  try {
    start = new Uint8Array(await file.slice(0, SIGNATURE_LENGTH).arrayBuffer());
  } catch {
    // A dropped folder, or a file that was moved or changed since it was chosen.
    return { refusal: text.check.unreadable };
  }
  if (file.size === 0) return { refusal: text.check.empty };
  const kind = detectKind(start);
  const contentType = CONTENT_TYPES[kind];
  if (!contentType) return { refusal: refusalOf(kind, file) };
  if (file.size > LARGEST_FILE) return { refusal: text.check.tooLarge(file.size, LARGEST_FILE) };
  return { contentType };
}

/** Holds a picture's sides, in pixels, against the limits: a sentence if they do not keep them. */
export function checkDimensions(width: number, height: number): string | undefined {
  if (Math.min(width, height) < SHORTEST_SIDE) return text.check.tooSmall(width, height, SHORTEST_SIDE);
  if (width * height > MOST_PIXELS) return text.check.tooManyPixels(width, height, MOST_PIXELS);
  return undefined;
}

/** The longest file name that the API takes, in characters. */
const LONGEST_NAME = 255;
/** What the API takes in no file name: slashes, control characters, and what turns the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
const FORBIDDEN = /[/\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A file's name as it may be announced: a picture is not refused for its name. */
export function announcedName(name: string): string {
  return [...name.replaceAll(FORBIDDEN, '_').toWellFormed()].slice(0, LONGEST_NAME).join('') || text.unnamed;
}

/** Tells the kind of a file by its first bytes. */
export function detectKind(start: Uint8Array): Kind {
  const ascii = String.fromCharCode(...start);
  if (ascii.startsWith('\xff\xd8\xff')) return 'JPEG';
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
  if (ascii.startsWith('GIF8')) return 'GIF';
  if (ascii.startsWith('RIFF') && ascii.startsWith('WEBP', 8)) return 'WebP';
  // Both can begin with the brand of the family, mif1.
  if (/^ftyp(.{4})*?avi[fs]/s.test(ascii.slice(4))) return 'AVIF';
  if (/^ftyp(heic|heix|hevc|heim|heis|mif1|msf1)/.test(ascii.slice(4))) return 'HEIC';
  if (ascii.startsWith('II*\0') || ascii.startsWith('MM\0*')) return 'TIFF';
  if (ascii.startsWith('BM')) return 'BMP';
  if (ascii.startsWith('%PDF')) return 'PDF';
  return 'unknown';
}

function refusalOf(kind: Kind, file: File): string {
  if (kind !== 'unknown') return text.check.otherFormat(kind);
  const claims = file.type === 'image/png' ? 'PNG' : file.type === 'image/jpeg' ? 'JPEG' : undefined;
  return claims ? text.check.notWhatItClaims(claims) : text.check.noPicture;
}
