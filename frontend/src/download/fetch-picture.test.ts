import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError } from '../api/problem';
import type { Image } from '../api/types';
import { text } from '../shared/text';
import { fetchPicture, STALL_TIMEOUT } from './fetch-picture';

const fetchMock = vi.fn<typeof fetch>();
const open = new AbortController().signal;
const image = (url: string | undefined) => ({ imageId: 'id', view: url ? { url, expiresAt: '' } : null }) as Image;
/** Each request gets another URL. */
const getImage = vi.fn(async () => image(`https://s3.example/${getImage.mock.calls.length}`));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', fetchMock);
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('window', new EventTarget());
  fetchMock.mockReset();
  getImage.mockClear();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Fetches a picture, and lets time pass. */
async function fetched(api = { getImage }, signal = open) {
  const bytes: number[] = [];
  const result = fetchPicture(api, 'id', (received) => bytes.push(received), signal);
  result.catch(() => {});
  await vi.runAllTimersAsync();
  return { bytes, file: await (await result).file.text() };
}

test('fetches the file, and says how many bytes arrived', async () => {
  fetchMock.mockResolvedValue(new Response('a picture'));
  expect(await fetched()).toEqual({ bytes: [9], file: 'a picture' });
  expect(fetchMock).toHaveBeenCalledWith('https://s3.example/1', expect.objectContaining({ cache: 'no-store' }));
});

test.each([
  ['the URL has expired', () => Promise.resolve(new Response('', { status: 403 }))],
  ['storage is busy', () => Promise.resolve(new Response('', { status: 503 }))],
  ['the connection is lost', () => Promise.reject(new TypeError('Failed to fetch'))],
])('tries again with another URL if %s', async (_, failed) => {
  fetchMock.mockImplementationOnce(failed).mockResolvedValueOnce(new Response('a picture'));
  expect((await fetched()).file).toBe('a picture');
  expect(fetchMock.mock.calls.map(([url]) => url)).toEqual(['https://s3.example/1', 'https://s3.example/2']);
});

test('says that a file is gone if S3 refuses a new URL, too', async () => {
  fetchMock.mockImplementation(async () => new Response('', { status: 403 }));
  await expect(fetched()).rejects.toThrow(text.download.gone);
  expect(fetchMock).toHaveBeenCalledTimes(2);
});

test('starts again if the connection is lost in the middle of a file', async () => {
  const half = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode('a pic'));
      controller.error(new TypeError('network error'));
    },
  });
  fetchMock.mockResolvedValueOnce(new Response(half)).mockResolvedValueOnce(new Response('a picture'));
  const { file, bytes } = await fetched();
  expect(file).toBe('a picture');
  expect(bytes.at(-2)).toBe(0);
});

test('gives up after three attempts', async () => {
  fetchMock.mockImplementation(async () => new Response('', { status: 500 }));
  await expect(fetched()).rejects.toThrow(text.download.storage(500));
  expect(fetchMock).toHaveBeenCalledTimes(3);
});

test('aborts a request that stalls', async () => {
  fetchMock.mockImplementation(
    (_, init) => new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error()))),
  );
  const start = Date.now();
  await expect(fetched()).rejects.toThrow(text.upload.transient);
  expect(Date.now() - start).toBeGreaterThanOrEqual(3 * STALL_TIMEOUT);
});

test.each([
  ['deleted pictures', vi.fn().mockRejectedValue(new ApiError(404, 'gone')), text.notFound],
  ['rejected files, which have no URL', vi.fn().mockResolvedValue(image(undefined)), text.download.noFile],
])('does not repeat requests for %s', async (_, failing, reason) => {
  await expect(fetched({ getImage: failing })).rejects.toThrow(reason);
  expect(failing).toHaveBeenCalledTimes(1);
});

test('does not repeat requests for a file that is no longer stored', async () => {
  fetchMock.mockResolvedValue(new Response('', { status: 404 }));
  await expect(fetched()).rejects.toThrow(text.download.gone);
  expect(fetchMock).toHaveBeenCalledTimes(1);
});

test('repeats requests to the API after a lost connection', async () => {
  fetchMock.mockResolvedValue(new Response('a picture'));
  getImage.mockRejectedValueOnce(new NetworkError('lost'));
  expect((await fetched()).file).toBe('a picture');
});

test('throws the reason of the signal when it is canceled', async () => {
  const controller = new AbortController();
  fetchMock.mockImplementation(async () => {
    controller.abort(new Error('canceled'));
    throw new Error('aborted');
  });
  await expect(fetched({ getImage }, controller.signal)).rejects.toThrow('canceled');
  expect(fetchMock).toHaveBeenCalledTimes(1);
});
