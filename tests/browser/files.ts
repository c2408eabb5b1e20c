// The files that the tests upload: sample pictures, and files that are not what their names say.
import { readFileSync } from 'node:fs';

/** A file on the person's disk. */
export interface TestFile {
  readonly name: string;
  /** The type that the operating system reports for its name. */
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const samples = new URL('../../samples/', import.meta.url);

/**
 * A photograph from `samples/`. With another name, it is another file: the name follows the picture, where decoders
 * ignore it.
 */
export function sample(file: string, name: string = file): TestFile {
  const buffer = readFileSync(new URL(file, samples));
  return { name, mimeType: 'image/jpeg', buffer: name === file ? buffer : Buffer.concat([buffer, Buffer.from(name)]) };
}

/** A photograph with the time at which it was taken, by the camera's clock: `2015:07:13 18:20:00`. */
export function taken(photograph: TestFile, time: string): TestFile {
  const { buffer } = photograph;
  // Directories of one entry: type, format, count, and the value or where it is. The first points to the second one.
  const entry = (tag: number, format: number, count: number, value: number): Buffer => {
    const directory = Buffer.alloc(18);
    directory.writeUInt16BE(1, 0);
    directory.writeUInt16BE(tag, 2);
    directory.writeUInt16BE(format, 4);
    directory.writeUInt32BE(count, 6);
    directory.writeUInt32BE(value, 10);
    return directory;
  };
  const text = Buffer.from(`${time}\0`, 'latin1');
  const header = Buffer.from('MM\0*\0\0\0\x08', 'latin1');
  const exif = [Buffer.from('Exif\0\0', 'latin1'), header, entry(0x8769, 4, 1, 26), entry(0x9003, 2, text.length, 44), text];
  const content = Buffer.concat(exif);
  const segment = Buffer.from([0xff, 0xe1, 0, 0]);
  segment.writeUInt16BE(content.length + 2, 2);
  return { ...photograph, buffer: Buffer.concat([buffer.subarray(0, 2), segment, content, buffer.subarray(2)]) };
}

/** The same file with another name. */
export function renamed(file: TestFile, name: string): TestFile {
  return { ...file, name };
}

/** A text file with the name of a picture. */
export const textNamedJpg: TestFile = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Milk, bread, eggs') };

/** A HEIC file from `tests/pictures/`. */
export function heic(file: string, name: string = file): TestFile {
  return { name, mimeType: 'image/heic', buffer: readFileSync(new URL(`../pictures/${file}`, import.meta.url)) };
}

/** The first half of a JPEG photograph, which viewers show. */
export function truncated(): TestFile {
  return half(sample('cat.jpg', 'half-a-cat.jpg'));
}

/** The first half of a WebP picture. Its header is valid, so only decoding shows that it is damaged. */
export function damaged(): TestFile {
  const buffer = readFileSync(new URL('../pictures/cat.webp', import.meta.url));
  return half({ name: 'half-a-cat.webp', mimeType: 'image/webp', buffer });
}

function half(whole: TestFile): TestFile {
  return { ...whole, buffer: whole.buffer.subarray(0, Math.floor(whole.buffer.length / 2)) };
}

/** The start of a JPEG XL picture. */
export const jpegXl: TestFile = {
  name: 'photo.jxl',
  mimeType: 'image/jxl',
  buffer: Buffer.from('\0\0\0\x0cJXL \r\n\x87\n', 'latin1'),
};
