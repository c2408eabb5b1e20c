import { expect, test } from 'vitest';
import cat from '../../../tests/pictures/cat.heic?inline';
import red from '../../../tests/pictures/red-p3.heic?inline';
import { readHeif } from './heif-boxes';

const bytesOf = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());

const latin1 = (bytes: Uint8Array | undefined) => String.fromCharCode(...(bytes ?? []));

test('finds the metadata of a picture in tiles, as phones take them', async () => {
  const { exif, colorSpace } = readHeif(await bytesOf(cat));
  expect(latin1(exif)).toMatch(/^MM\0\*/);
  expect(latin1(exif)).toContain('2026:05:04 10:20:30');
  expect(colorSpace).toBe('srgb');
});

test('finds the colors that phones use, by number and by profile', async () => {
  expect(readHeif(await bytesOf(red))).toEqual({ exif: undefined, colorSpace: 'display-p3' });
  const profile = [...'prof', ...'desc', ...[...'Display P3'].flatMap((character) => ['\0', character])].join('');
  expect(readHeif(colored(profile)).colorSpace).toBe('display-p3');
  expect(readHeif(colored('profdescsRGB')).colorSpace).toBe('srgb');
});

test('a file that is cut, or changed anywhere in its boxes, says less and never throws', async () => {
  const whole = await bytesOf(cat);
  for (let length = 0; length < 800; length += 1) readHeif(whole.subarray(0, length));
  for (let at = 0; at < 800; at += 1) {
    for (const value of [0, 1, 0x7f, 0xff]) readHeif(whole.with(at, value));
  }
  expect(readHeif(whole.subarray(0, 100))).toEqual({ exif: undefined, colorSpace: 'srgb' });
});

function box(name: string, content: string): string {
  return `\0\0\0${String.fromCharCode(8 + content.length)}${name}${content}`;
}

function colored(colr: string): Uint8Array {
  const file = box('meta', `\0\0\0\0${box('iprp', box('ipco', box('colr', colr)))}`);
  return Uint8Array.from(file, (character) => character.charCodeAt(0));
}
