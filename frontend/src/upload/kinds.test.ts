import { describe, expect, test } from 'vitest';
import { EXTENSIONS, KINDS, kindOf, SIGNATURE_LENGTH } from './kinds';

const bytes = (start: string) => Uint8Array.from(start, (character) => character.charCodeAt(0));
const bmp = (headerSize: number) =>
  `BM\x36\0\x01\0\0\0\0\0\x36\0\0\0${String.fromCharCode(headerSize)}\0\0\0\x64\0\0\0`;

describe('kindOf', () => {
  test.each([
    ['\xff\xd8\xff\xe0', 'JPEG'],
    ['\x89PNG\r\n\x1a\n', 'PNG'],
    ['GIF87a', 'GIF'],
    ['GIF89a', 'GIF'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'WebP'],
    [bmp(12), 'BMP'],
    [bmp(40), 'BMP'],
    [bmp(64), 'BMP'],
    // Without the first header (DIB), also with the first row at the top.
    ['\x28\0\0\0\x78\0\0\0\x5a\0\0\0\x01\0\x18\0\0\0\0\0', 'BMP'],
    ['\x28\0\0\0\x78\0\0\0\xa6\xff\xff\xff\x01\0\x18\0\0\0\0\0', 'BMP'],
    ['\x0c\0\0\0\x78\0\x5a\0\x01\0\x18\0', 'BMP'],
    ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'HEIC'],
    ['\0\0\0\x18ftypmif1\0\0\0\0miafheix', 'HEIC'],
    ['\0\0\0\x14ftypmsf1\0\0\0\0hevc', 'HEIC'],
    ['\0\0\0\x1cftypavif\0\0\0\0mif1miaf', 'AVIF'],
    ['\0\0\0\x1cftypmif1\0\0\0\0avifmiaf', 'AVIF'],
    [`\0\0\0\x50ftypmif1\0\0\0\0${'miaf'.repeat(15)}avis`, 'AVIF'],
    ['\0\0\0\x18ftypcrx \0\0\0\x01crx isom', 'CR3'],
    ['II*\0\x08\0\0\0', 'TIFF'],
    ['MM\0*\0\0\0\x08', 'TIFF'],
    ['II+\0\x08\0\0\0', 'TIFF'],
    ['MM\0+\0\x08\0\0', 'TIFF'],
    ['II*\0\x10\0\0\0CR\x02\0', 'CR2'],
    ['IIRO\x08\0\0\0', 'ORF'],
    ['IIRS\x08\0\0\0', 'ORF'],
    ['MMOR\0\0\0\x08', 'ORF'],
    ['IIU\0\x18\0\0\0', 'RW2'],
    ['FUJIFILMCCD-RAW 0201', 'RAF'],
  ])('%j is uploaded as %s', (start, name) => {
    const kind = kindOf(bytes(start));
    expect(kind?.name).toBe(name);
    expect(kind?.contentType).toMatch(/^image\//);
  });

  test.each([
    ['\0\0\0\x18ftypmp42\0\0\0\0isommp42', 'MP4', 'video/mp4'],
    ['\0\0\0\x14ftyp3gp5\0\0\0\0isom', 'MP4', 'video/mp4'],
    // The brand of a picture is outside the first box.
    ['\0\0\0\x10ftypmp42\0\0\0\0avif', 'MP4', 'video/mp4'],
    ['\0\0\0\x14ftypqt  \0\0\0\0qt  ', 'MOV', 'video/quicktime'],
    ['\0\0\x10\0moov\0\0\0\x6cmvhd', 'MOV', 'video/quicktime'],
    ['\0\0\0\x08wide\0\0\x10\0mdat', 'MOV', 'video/quicktime'],
    ['\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm', 'WebM', 'video/webm'],
    ['\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska', 'MKV', 'video/x-matroska'],
  ])('%j is uploaded as the video %s', (start, name, contentType) => {
    expect(kindOf(bytes(start))).toMatchObject({ name, contentType });
  });

  test.each([
    ['\xff\x0a\xfa\x1f', 'JPEG XL'],
    ['\0\0\0\x0cJXL \r\n\x87\n', 'JPEG XL'],
    ['%PDF-1.7', 'PDF'],
    ['8BPS\0\x01', 'Photoshop'],
    ['\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
    ['<svg xmlns=', 'SVG'],
    ['\0\0\0\x1cftypM4A \0\0\0\0M4A mp42', 'M4A'],
    ['RIFF\x10\0\0\0AVI LIST', 'AVI'],
  ])('%j is rejected as %s', (start, name) => {
    const kind = kindOf(bytes(start));
    expect(kind?.name).toBe(name);
    expect(kind?.contentType).toBeUndefined();
  });

  test.each([
    '',
    '\xff\xd8',
    'RIFF\x10\0\0\0WAVEfmt ',
    'BMW: 2 invoices, paid',
    'II',
    '\xff\xfeM\0i\0l\0k\0',
    'My notes',
  ])('%j is unknown', (start) => {
    expect(kindOf(bytes(start))).toBeUndefined();
  });

  test('ignores bytes after those that it needs', () => {
    const start = new Uint8Array(1_000_000);
    start.set(bytes('\0\0\xff\xffftypmif1'));
    start.set(bytes('avif'), SIGNATURE_LENGTH);
    expect(kindOf(start)?.name).toBe('HEIC');
  });
});

test('every supported kind has extensions, and no extension belongs to two kinds', () => {
  expect(KINDS.filter(({ contentType, extensions }) => (contentType !== undefined) !== extensions.length > 0)).toEqual(
    [],
  );
  expect(new Set(EXTENSIONS).size).toBe(EXTENSIONS.length);
});
