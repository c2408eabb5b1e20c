import { expect, test, vi } from 'vitest';
import { NO_FILTER } from './filter';
import { previewCorrection, previewDeletion, previewRelabel } from './preview';

const { signal } = new AbortController();

test('counts all parts of a library, and says how many are counted so far', async () => {
  const api = {
    previewRelabel: vi
      .fn()
      .mockResolvedValueOnce({
        images: 3,
        dollars: 0.032,
        imagesLeftToday: 10,
        videoMinutes: 1,
        skippedVideos: 1,
        videoMinutesLeftToday: 9,
        nextCursor: 'a',
      })
      .mockResolvedValueOnce({
        images: 0,
        dollars: 0,
        imagesLeftToday: 9,
        videoMinutes: 0,
        skippedVideos: 0,
        videoMinutesLeftToday: 9,
        nextCursor: 'b',
      })
      .mockResolvedValueOnce({
        images: 2,
        dollars: 0.061,
        imagesLeftToday: 8,
        videoMinutes: 2,
        skippedVideos: 1,
        videoMinutesLeftToday: 8,
        nextCursor: null,
      }),
  };
  const progress: number[] = [];
  const preview = await previewRelabel(api, NO_FILTER, true, signal, ({ images }) => progress.push(images));
  expect(preview.images).toBe(5);
  expect(preview.videoMinutes).toBe(3);
  expect(preview.skippedVideos).toBe(2);
  expect(preview.dollars).toBeCloseTo(0.093);
  expect(preview.leftToday).toBe(8);
  expect(preview.minutesLeftToday).toBe(8);
  expect(progress).toEqual([3, 3]);
  expect(api.previewRelabel.mock.calls.map(([, olderModel, cursor]) => [olderModel, cursor])).toEqual([
    [true, undefined],
    [true, 'a'],
    [true, 'b'],
  ]);
});

test('asks about more pictures than a request can have', async () => {
  const api = {
    previewRelabel: vi.fn((pictures: unknown) =>
      Promise.resolve({
        images: (pictures as string[]).length,
        dollars: 0,
        imagesLeftToday: 1000,
        videoMinutes: 0,
        skippedVideos: 0,
        videoMinutesLeftToday: 60,
        examinedAt: '2026-11-30T12:00:00.000Z',
        nextCursor: null,
      }),
    ),
  };
  const ids = Array.from({ length: 250 }, (_, index) => String(index));
  expect((await previewRelabel(api, ids, false, signal)).images).toBe(250);
  expect(api.previewRelabel.mock.calls.map(([part]) => (part as string[]).length)).toEqual([100, 100, 50]);
});

test('counts the pictures of all parts that a change of labels would change', async () => {
  const answer = (images: number, nextCursor: string | null) => ({
    images,
    dollars: 0,
    imagesLeftToday: 9,
    videoMinutes: 0,
    videoMinutesLeftToday: 60,
    nextCursor,
  });
  const api = {
    previewCorrection: vi.fn().mockResolvedValueOnce(answer(3, 'a')).mockResolvedValueOnce(answer(4, null)),
  };
  expect(await previewCorrection(api, NO_FILTER, { add: ['Cat'] }, signal)).toBe(7);
  expect(api.previewCorrection.mock.calls.map(([, , cursor]) => cursor)).toEqual([undefined, 'a']);
});

test('pictures that are added while others are counted are not deleted', async () => {
  const answer = (images: number, examinedAt: string, nextCursor: string | null) => ({
    images,
    dollars: 0,
    imagesLeftToday: 9,
    examinedAt,
    nextCursor,
  });
  const api = {
    previewDeletion: vi
      .fn()
      .mockResolvedValueOnce(answer(3, 'first', 'a'))
      .mockResolvedValueOnce(answer(4, 'second', null)),
  };
  const progress: number[] = [];
  const preview = await previewDeletion(api, NO_FILTER, signal, (images) => progress.push(images));
  expect(preview).toEqual({ images: 7, countedAt: 'first' });
  expect(progress).toEqual([3, 7]);
});
