import { describe, expect, test } from 'vitest';
import { fromFolder } from './folders';

const JPEG = new Uint8Array([0xff, 0xd8, 0xff, 0xe0]);
const named = (name: string, content: BlobPart = 'text') => new File([content], name);

describe('fromFolder', () => {
  test.each([
    ...[
      'a.jpg',
      'a.JPG',
      'a.jpeg',
      'a.jpe',
      'a.jfif',
      'a.mpo',
      'a.png',
      'a.gif',
      'a.webp',
      'a.bmp',
      'a.dib',
      'a.tif',
      'a.tiff',
    ],
    ...['a.avif', 'a.avifs', 'a.heic', 'a.heif', 'a.hif'],
    ...['a.nef', 'a.cr2', 'a.cr3', 'a.arw', 'a.dng', 'a.orf', 'a.rw2', 'a.raf', 'a.pef', 'a.srw'],
  ])('includes %s by its name', async (name) => {
    const file = named(name);
    expect(await fromFolder([file])).toEqual({ files: [file], skipped: 0 });
  });

  test('includes a picture with any name, and keeps the order', async () => {
    const files = [
      named('IMG_0001', JPEG),
      named('b.png'),
      named('photo.jpg.download', JPEG),
      named('clip', '\0\0\0\x14ftypqt  \0\0\0\0qt  '),
      named('a.mp4'),
    ];
    const skipped = [named('notes.txt'), named('song.m4a', '\0\0\0\x1cftypM4A '), named('a.pdf', '%PDF-1.7')];
    expect(await fromFolder([...files, ...skipped])).toEqual({ files, skipped: 3 });
  });

  test('ignores files of the system', async () => {
    expect(
      await fromFolder([named('.DS_Store'), named('._a.jpg', JPEG), named('Thumbs.db'), named('desktop.ini')]),
    ).toEqual({
      files: [],
      skipped: 0,
    });
  });

  test('finds every picture of a large folder, and skips a file that cannot be read', async () => {
    const files = Array.from({ length: 1_000 }, (_, index) => named(`${index}`, index % 2 === 0 ? JPEG : 'text'));
    const unreadable = named('gone', JPEG);
    unreadable.slice = () => {
      throw new DOMException('A requested file could not be found', 'NotFoundError');
    };
    const found = await fromFolder([unreadable, ...files]);
    expect(found.files).toEqual(files.filter((_, index) => index % 2 === 0));
    expect(found.skipped).toBe(501);
  });
});
