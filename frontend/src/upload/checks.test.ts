import { describe, expect, test } from 'vitest';
import { text } from '../shared/text';
import { checkDimensions, checkFile, isInParts, MAX_FILE_SIZE, MAX_VIDEO_SIZE, sanitizedName } from './checks';

const JPEG = [0xff, 0xd8, 0xff, 0xe0];
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function file(bytes: number[] | string, type: string, size?: number): File {
  const start = typeof bytes === 'string' ? bytes : new Uint8Array(bytes);
  const rest = new Uint8Array(Math.max(0, (size ?? 0) - (typeof bytes === 'string' ? bytes.length : bytes.length)));
  return new File([start, rest], 'holiday.jpg', { type });
}

describe('checkFile', () => {
  test('returns the content type of JPEG and PNG files', async () => {
    expect(await checkFile(file(JPEG, 'image/jpeg'))).toEqual({ contentType: 'image/jpeg' });
    expect(await checkFile(file(PNG, 'image/png'))).toEqual({ contentType: 'image/png' });
  });

  test('trusts the bytes more than the name and the reported type', async () => {
    expect(await checkFile(file(PNG, 'image/jpeg'))).toEqual({ contentType: 'image/png' });
    expect(await checkFile(file(JPEG, ''))).toEqual({ contentType: 'image/jpeg' });
  });

  test('accepts other formats', async () => {
    expect(await checkFile(file('GIF89a', 'image/gif'))).toEqual({ contentType: 'image/gif' });
    expect(await checkFile(file('RIFF\x10\x00\x00\x00WEBPVP8 ', ''))).toEqual({ contentType: 'image/webp' });
    expect(await checkFile(file('MM\0+\0\x08\0\0', 'image/x-unknown'))).toEqual({ contentType: 'image/tiff' });
    expect(await checkFile(file('FUJIFILMCCD-RAW 0201', ''))).toEqual({ contentType: 'image/x-fuji-raf' });
    expect(await checkFile(file('\x00\x00\x00\x18ftypheic', ''))).toEqual({ contentType: 'image/heic' });
  });

  test('accepts exactly 100 MB and not one byte more', async () => {
    expect(await checkFile(file(JPEG, 'image/jpeg', MAX_FILE_SIZE))).toEqual({ contentType: 'image/jpeg' });
    expect(await checkFile(file(JPEG, 'image/jpeg', MAX_FILE_SIZE + 1))).toEqual({
      rejection: text.check.tooLarge(MAX_FILE_SIZE + 1, MAX_FILE_SIZE),
    });
  });

  test('accepts videos of exactly 10 GB and not one byte more', async () => {
    const video = (size: number) => {
      const start = file('\0\0\0\x18ftypmp42\0\0\0\0isom', 'video/mp4');
      return Object.defineProperty(start, 'size', { value: size });
    };
    expect(await checkFile(video(MAX_VIDEO_SIZE))).toEqual({ contentType: 'video/mp4' });
    const { rejection = '' } = (await checkFile(video(MAX_VIDEO_SIZE + 1))) as { rejection?: string };
    expect(rejection).toContain('The limit is 10 GB.');
    expect(isInParts('video/mp4', MAX_FILE_SIZE + 1)).toBe(true);
    expect(isInParts('video/mp4', MAX_FILE_SIZE)).toBe(false);
  });

  test('rejects files that are not pictures, with a specific message', async () => {
    expect(await checkFile(file([], 'image/jpeg'))).toEqual({ rejection: text.check.empty });
    expect(await checkFile(file('My notes', 'image/jpeg'))).toEqual({ rejection: text.check.notWhatItClaims('JPEG') });
    expect(await checkFile(file('My notes', 'image/png'))).toEqual({ rejection: text.check.notWhatItClaims('PNG') });
    expect(await checkFile(file('My notes', 'text/plain'))).toEqual({ rejection: text.check.unsupported });
    expect(await checkFile(file('%PDF-1.7', 'image/jpeg'))).toEqual({ rejection: text.check.otherFormat('PDF') });
    // Otherwise the page would advise to save a video as JPEG.
    const avi = await checkFile(file('RIFF\x10\x00\x00\x00AVI LIST', 'video/x-msvideo'));
    expect(avi).toEqual({ rejection: text.check.otherVideoFormat('AVI') });
  });

  test('rejects a folder, which cannot be read', async () => {
    const folder = file(JPEG, '');
    folder.slice = () => {
      throw new DOMException('A requested file could not be read', 'NotFoundError');
    };
    expect(await checkFile(folder)).toEqual({ rejection: text.check.unreadable });
  });
});

describe('checkDimensions', () => {
  test.each([
    [80, 80],
    [10_000, 80],
    [15_000, 10_000],
  ])('accepts %i × %i', (width, height) => {
    expect(checkDimensions(width, height)).toBeUndefined();
  });

  test('rejects a short side and too many pixels, and names the dimensions', () => {
    expect(checkDimensions(79, 200)).toContain('79 × 200');
    expect(checkDimensions(200, 79)).toContain('at least 80');
    expect(checkDimensions(15_001, 10_000)).toContain('150 megapixels');
  });
});

test('sanitizedName replaces characters that the API does not accept, and shortens long names', () => {
  expect(sanitizedName('Ça va? 🐈 "<b>.jpg')).toBe('Ça va? 🐈 "<b>.jpg');
  expect(sanitizedName('../a\nb\\c\u202egpj.exe')).toBe('.._a_b_c_gpj.exe');
  expect([...sanitizedName('🐈'.repeat(1000))]).toHaveLength(255);
  expect(sanitizedName('')).toBe(text.unnamed);
});
