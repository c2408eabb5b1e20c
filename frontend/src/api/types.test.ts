import { describe, expect, test } from 'vitest';
import { readImage, readUploadTicket } from './types';

describe('readImage', () => {
  test('reads a labeled picture whole', () => {
    const box = { left: 0.1, top: 0.2, width: 0.3, height: 0.4 };
    const label = {
      name: 'Cat',
      confidence: 99.1,
      instances: [{ confidence: 98, boundingBox: box }],
      parents: ['Animal'],
      aliases: [],
      categories: ['Animals and Pets'],
    };
    const image = readImage({
      imageId: 'a',
      status: 'LABELED',
      fileName: 'cat.jpg',
      size: 9,
      width: 4,
      height: 3,
      labels: [label],
      modelVersion: '1',
    });
    expect(image).toMatchObject({ status: 'LABELED', fileName: 'cat.jpg', labels: [label], modelVersion: '1' });
  });

  test('does with what a record under way has not yet', () => {
    expect(readImage({ imageId: 'a', status: 'AWAITING_UPLOAD' })).toMatchObject({
      labels: [],
      width: undefined,
      error: undefined,
    });
    expect(readImage({ imageId: 'a', status: 'LABELED', labels: [{ name: 'Cat', confidence: 90 }] })?.labels).toEqual([
      { name: 'Cat', confidence: 90, instances: [], parents: [], aliases: [], categories: [] },
    ]);
  });

  test('drops a box without four sides instead of drawing it wrong', () => {
    const instances = [{ confidence: 90, boundingBox: { left: 0, top: 0, width: 1 } }, {}, null];
    expect(
      readImage({ imageId: 'a', status: 'LABELED', labels: [{ name: 'Cat', confidence: 90, instances }] })?.labels[0]
        ?.instances,
    ).toEqual([]);
  });

  test.each([undefined, null, 'text', {}, { imageId: 'a' }, { imageId: 'a', status: 'LATER' }])(
    '%j is no answer',
    (value) => {
      expect(readImage(value)).toBeUndefined();
    },
  );
});

describe('readUploadTicket', () => {
  const upload = { method: 'PUT', url: 'http://127.0.0.1/uploads/demo/a', headers: { 'content-type': 'image/png' } };

  test('keeps the headers to send', () => {
    expect(readUploadTicket({ imageId: 'a', upload })).toEqual({
      imageId: 'a',
      url: upload.url,
      headers: upload.headers,
    });
  });

  test.each([{}, { imageId: 'a' }, { imageId: 'a', upload: { ...upload, method: 'POST' } }])(
    '%j is no ticket',
    (value) => {
      expect(readUploadTicket(value)).toBeUndefined();
    },
  );
});
