// The names of the files in a ZIP. Every system can unpack them, and no two are the same.
import type { Summary } from '../api/types';

/** Most file systems limit a name to 255 bytes. The rest is for the number of a duplicate. */
const MAX_BYTES = 240;
/** A longer ending of a name is not a file extension. In UTF-16 code units, with the dot. */
const MAX_EXTENSION = 16;
/**
 * Characters that Windows does not accept in file names, control characters, and marks that change the direction of text.
 * Slashes would also make folders, or lead out of the folder into which the ZIP is unpacked.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it matches
const FORBIDDEN = /[<>:"/\\|?*\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Names of devices on Windows, with any extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** Gives names that are not taken yet. */
export class FileNames {
  private readonly taken = new Set<string>();

  /** A valid file name like `wanted`: a number is added if another file has this name. */
  add(wanted: string): string {
    const { stem, extension } = split(valid(wanted));
    for (let number = 1; ; number += 1) {
      const suffix = number === 1 ? extension : ` (${number})${extension}`;
      const name = `${cut(stem, MAX_BYTES - bytesOf(suffix))}${suffix}`;
      // Windows and macOS ignore case, and macOS how accents are encoded.
      const key = name.normalize('NFC').toLowerCase();
      if (this.taken.has(key)) continue;
      this.taken.add(key);
      return name;
    }
  }
}

/** The name of a picture's file: the original one, or its id with an extension if it has none. */
export function originalName({ fileName, imageId, format }: Pick<Summary, 'fileName' | 'imageId' | 'format'>): string {
  return fileName || (format ? `${imageId}.${format.toLowerCase()}` : imageId);
}

function valid(name: string): string {
  // Windows removes dots and spaces at the end, and `.` and `..` are folders.
  const clean = name
    .toWellFormed()
    .replaceAll(FORBIDDEN, '_')
    .trim()
    .replace(/[. ]+$/, '');
  return (clean || '_').replace(RESERVED, '_$1');
}

function split(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.');
  const isExtension = dot > 0 && name.length - dot <= MAX_EXTENSION;
  return isExtension ? { stem: name.slice(0, dot), extension: name.slice(dot) } : { stem: name, extension: '' };
}

/** The start of a text, up to a number of bytes. Does not cut a character in two. */
function cut(text: string, maxBytes: number): string {
  if (bytesOf(text) <= maxBytes) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOf(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
