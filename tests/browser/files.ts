// The files that the tests give to the page: samples, and things that are not what they claim.
import { readFileSync } from 'node:fs';

/** A file as a person would have it on disk. */
export interface TestFile {
  readonly name: string;
  /** What the system says it is, by its name. */
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const samples = new URL('../../samples/', import.meta.url);

/** A photograph of `samples/`, perhaps under another name. */
export function sample(file: string, name: string = file): TestFile {
  return { name, mimeType: 'image/jpeg', buffer: readFileSync(new URL(file, samples)) };
}

/** Text under a picture's name. */
export const textNamedJpg: TestFile = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Milk, bread, eggs') };

/** A file of `tests/pictures/`, as a phone names it. */
export function heic(file: string, name: string = file): TestFile {
  return { name, mimeType: 'image/heic', buffer: readFileSync(new URL(`../pictures/${file}`, import.meta.url)) };
}

/** The start of a picture as iPhones take them. */
export const brokenHeic: TestFile = {
  name: 'holiday.heic',
  mimeType: 'image/heic',
  buffer: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
};

/** A photograph whose second half was lost: its header is fine, so only decoding it shows. */
export function truncated(): TestFile {
  const whole = sample('cat.jpg', 'half-a-cat.jpg');
  return { ...whole, buffer: whole.buffer.subarray(0, Math.floor(whole.buffer.length / 2)) };
}
