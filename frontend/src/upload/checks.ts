// Checks of a file before it is uploaded. The limits are those of the API and of the conversion of pictures.
import { text } from '../shared/text';
import { type Kind, kindOf, readStart } from './kinds';

/** In bytes: 100 MB. Larger videos are uploaded in parts. */
export const MAX_FILE_SIZE = 100 * 1024 * 1024;
/** In bytes: 10 GB. */
export const MAX_VIDEO_SIZE = 10 * 1024 * 1024 * 1024;
/** Rekognition's minimum for each side of a picture, in pixels. */
export const MIN_SIDE = 80;
/** The maximum of width times height, in pixels. */
export const MAX_PIXELS = 150_000_000;

/** The content type of a supported file, or the message for an unsupported one. */
export type CheckResult = { readonly contentType: string } | { readonly rejection: string };

/**
 * Checks a file's size and first bytes. The bytes decide the format, so that a PNG file named .jpg is accepted. The type
 * that the system reports only makes the message more specific.
 */
export async function checkFile(file: File): Promise<CheckResult> {
  let start: Uint8Array;
  try {
    start = await readStart(file);
  } catch {
    // This is a folder, or the file was moved or changed after it was chosen.
    return { rejection: text.check.unreadable };
  }
  if (file.size === 0) return { rejection: text.check.empty };
  const kind = kindOf(start);
  if (!kind?.contentType) return { rejection: rejectionFor(kind, file) };
  const max = isVideo(kind.contentType) ? MAX_VIDEO_SIZE : MAX_FILE_SIZE;
  if (file.size > max) return { rejection: text.check.tooLarge(file.size, max) };
  return { contentType: kind.contentType };
}

/** Whether a content type is that of a video. */
export function isVideo(contentType: string): boolean {
  return contentType.startsWith('video/');
}

/** Whether a file is uploaded in parts: a large video. `size` is in bytes. */
export function isInParts(contentType: string, size: number): boolean {
  return isVideo(contentType) && size > MAX_FILE_SIZE;
}

/** The message for a picture whose dimensions, in pixels, are outside the limits; `undefined` if they are fine. */
export function checkDimensions(width: number, height: number): string | undefined {
  if (Math.min(width, height) < MIN_SIDE) return text.check.tooSmall(width, height, MIN_SIDE);
  if (width * height > MAX_PIXELS) return text.check.tooManyPixels(width, height, MAX_PIXELS);
  return undefined;
}

/** The API's limit for file names, in characters. */
const MAX_NAME_LENGTH = 255;
/** Characters that the API does not accept in file names: slashes, control characters, and text direction marks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it matches
const FORBIDDEN = /[/\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A file name that the API accepts: a picture is never rejected for its name. */
export function sanitizedName(name: string): string {
  return [...name.replaceAll(FORBIDDEN, '_').toWellFormed()].slice(0, MAX_NAME_LENGTH).join('') || text.unnamed;
}

function rejectionFor(kind: Kind | undefined, file: File): string {
  if (kind) return kind.isMedia ? text.check.otherVideoFormat(kind.name) : text.check.otherFormat(kind.name);
  const claimed = file.type === 'image/png' ? 'PNG' : file.type === 'image/jpeg' ? 'JPEG' : undefined;
  return claimed ? text.check.notWhatItClaims(claimed) : text.check.unsupported;
}
