import { describe, expect, test } from 'vitest';
import { text } from '../text';
import { announcedName, checkDimensions, checkFile, detectKind, LARGEST_FILE } from './checks';

const JPEG = [0xff, 0xd8, 0xff, 0xe0];
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function file(bytes: number[] | string, type: string, size?: number): File {
  const start = typeof bytes === 'string' ? bytes : new Uint8Array(bytes);
  const rest = new Uint8Array(Math.max(0, (size ?? 0) - (typeof bytes === 'string' ? bytes.length : bytes.length)));
  return new File([start, rest], 'holiday.jpg', { type });
}

describe('checkFile', () => {
  test('takes JPEG and PNG', async () => {
    expect(await checkFile(file(JPEG, 'image/jpeg'))).toEqual({ contentType: 'image/jpeg' });
    expect(await checkFile(file(PNG, 'image/png'))).toEqual({ contentType: 'image/png' });
  });

  test('announces what the bytes say where name or system say something else', async () => {
    expect(await checkFile(file(PNG, 'image/jpeg'))).toEqual({ contentType: 'image/png' });
    expect(await checkFile(file(JPEG, ''))).toEqual({ contentType: 'image/jpeg' });
  });

  test('takes the other kinds that people have', async () => {
    expect(await checkFile(file('GIF89a', 'image/gif'))).toEqual({ contentType: 'image/gif' });
    expect(await checkFile(file('RIFF\x10\x00\x00\x00WEBPVP8 ', ''))).toEqual({ contentType: 'image/webp' });
    expect(await checkFile(file('BM', 'image/x-ms-bmp'))).toEqual({ contentType: 'image/bmp' });
    expect(await checkFile(file('\x00\x00\x00\x18ftypheic', ''))).toEqual({ contentType: 'image/heic' });
  });

  test('takes 100 MB to the byte and not one more', async () => {
    expect(await checkFile(file(JPEG, 'image/jpeg', LARGEST_FILE))).toEqual({ contentType: 'image/jpeg' });
    expect(await checkFile(file(JPEG, 'image/jpeg', LARGEST_FILE + 1))).toEqual({
      refusal: text.check.tooLarge(LARGEST_FILE + 1, LARGEST_FILE),
    });
  });

  test('says what is wrong with a file that is none', async () => {
    expect(await checkFile(file([], 'image/jpeg'))).toEqual({ refusal: text.check.empty });
    expect(await checkFile(file('My notes', 'image/jpeg'))).toEqual({ refusal: text.check.notWhatItClaims('JPEG') });
    expect(await checkFile(file('My notes', 'image/png'))).toEqual({ refusal: text.check.notWhatItClaims('PNG') });
    expect(await checkFile(file('My notes', 'text/plain'))).toEqual({ refusal: text.check.noPicture });
    expect(await checkFile(file('%PDF-1.7', 'image/jpeg'))).toEqual({ refusal: text.check.otherFormat('PDF') });
  });

  test('has a sentence for a folder, which cannot be read', async () => {
    const folder = file(JPEG, '');
    folder.slice = () => {
      throw new DOMException('A requested file could not be read', 'NotFoundError');
    };
    expect(await checkFile(folder)).toEqual({ refusal: text.check.unreadable });
  });
});

describe('detectKind', () => {
  test.each([
    ['GIF87a', 'GIF'],
    ['RIFF\x10\x00\x00\x00WEBPVP8 ', 'WebP'],
    ['RIFF\x10\x00\x00\x00WAVEfmt ', 'unknown'],
    ['\x00\x00\x00\x18ftypheic', 'HEIC'],
    ['\x00\x00\x00\x1cftypavif', 'AVIF'],
    ['\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avifmiaf', 'AVIF'],
    ['II*\x00', 'TIFF'],
    ['MM\x00*', 'TIFF'],
    ['%PDF-1.7', 'PDF'],
    ['\xff\xd8', 'unknown'],
    ['', 'unknown'],
  ])('%j is %s', (start, kind) => {
    expect(detectKind(Uint8Array.from(start, (character) => character.charCodeAt(0)))).toBe(kind);
  });
});

describe('checkDimensions', () => {
  test.each([
    [80, 80],
    [10_000, 80],
    [15_000, 10_000],
  ])('takes %i × %i', (width, height) => {
    expect(checkDimensions(width, height)).toBeUndefined();
  });

  test('refuses a side too short and too many pixels, and says what it found', () => {
    expect(checkDimensions(79, 200)).toContain('79 × 200');
    expect(checkDimensions(200, 79)).toContain('at least 80');
    expect(checkDimensions(15_001, 10_000)).toContain('at most 150 million');
  });
});

test('a name that the API would refuse is announced without what is wrong with it', () => {
  expect(announcedName('Ça va? 🐈 "<b>.jpg')).toBe('Ça va? 🐈 "<b>.jpg');
  expect(announcedName('../a\nb\\c\u202egpj.exe')).toBe('.._a_b_c_gpj.exe');
  expect([...announcedName('🐈'.repeat(1000))]).toHaveLength(255);
  expect(announcedName('')).toBe(text.unnamed);
});
