import { expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/problem';
import type { Summary } from '../api/types';
import { relabelAll } from './relabeling';

const images = Array.from(
  { length: 12 },
  (_, index) => ({ imageId: String(index), updatedAt: `version ${index}` }) as Summary,
);
const library = { isRemoved: () => false };
const open = new AbortController().signal;
const limit = new ApiError(429, 'No more today', undefined, 'urn:image-label-generator:problem:too-many-images');

test('starts all pictures, at most four at a time, and watches for results that replace the current ones', async () => {
  let running = 0;
  let max = 0;
  const relabel = async () => {
    running += 1;
    max = Math.max(max, running);
    await new Promise((resolve) => setTimeout(resolve));
    running -= 1;
  };
  const watch = vi.fn();
  expect(await relabelAll(images, { relabel }, { watch }, library, open)).toEqual({ started: 12, causes: [] });
  expect(max).toBe(4);
  expect(watch.mock.calls).toEqual(images.map(({ imageId, updatedAt }) => [imageId, updatedAt]));
});

test('sends no more requests after the daily limit', async () => {
  const relabel = vi.fn().mockResolvedValueOnce(undefined).mockResolvedValueOnce(undefined).mockRejectedValue(limit);
  const { started, causes } = await relabelAll(images, { relabel }, { watch: vi.fn() }, library, open);
  expect(started).toBe(2);
  expect(causes).toContain(limit);
  expect(relabel.mock.calls.length).toBeLessThanOrEqual(7);
});

test('continues after other failures', async () => {
  const lost = new NetworkError('lost');
  const relabel = vi.fn().mockResolvedValue(undefined).mockRejectedValueOnce(lost);
  expect(await relabelAll(images, { relabel }, { watch: vi.fn() }, library, open)).toEqual({
    started: 11,
    causes: [lost],
  });
});

test('watches a picture that is already being labeled, but does not count it as started', async () => {
  const running = new ApiError(409, 'It is being labeled');
  const relabel = vi.fn().mockResolvedValue(undefined).mockRejectedValueOnce(running);
  const watch = vi.fn();
  expect(await relabelAll(images, { relabel }, { watch }, library, open)).toEqual({ started: 11, causes: [running] });
  expect(watch).toHaveBeenCalledTimes(12);
  expect(watch).toHaveBeenCalledWith('0', 'version 0');
});

test('does not watch a picture after another failure', async () => {
  const relabel = vi.fn().mockResolvedValue(undefined).mockRejectedValueOnce(new NetworkError('lost'));
  const watch = vi.fn();
  await relabelAll(images, { relabel }, { watch }, library, open);
  expect(watch).toHaveBeenCalledTimes(11);
});

test('sends nothing after the signal is aborted', async () => {
  const relabel = vi.fn();
  await relabelAll(images, { relabel }, { watch: vi.fn() }, library, AbortSignal.abort());
  expect(relabel).not.toHaveBeenCalled();
});

test('skips pictures that are removed while their requests wait', async () => {
  const removed = new Set<string>();
  const isRemoved = (imageId: string) => removed.has(imageId);
  const relabel = vi.fn(async () => {
    for (const { imageId } of images.slice(4)) removed.add(imageId);
  });
  const result = await relabelAll(images, { relabel }, { watch: vi.fn() }, { isRemoved }, open);
  expect(result).toEqual({ started: 4, causes: [] });
  expect(relabel).toHaveBeenCalledTimes(4);
});
