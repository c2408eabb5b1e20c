import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../api/problem';
import type { Image, Summary } from '../api/types';
import { text } from '../shared/text';
import { type DownloadState, Downloads } from './downloads';
import { type Target, TooLargeError } from './target';

const fetchMock = vi.fn<typeof fetch>();

beforeEach(() => {
  vi.stubGlobal('fetch', fetchMock);
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('window', new EventTarget());
  fetchMock.mockReset().mockImplementation(async (url) => new Response(`contents of ${url}`));
});

afterEach(() => vi.unstubAllGlobals());

function summaries(...names: string[]): Summary[] {
  return names.map((fileName, index) => ({ imageId: String(index), fileName, size: 13 }) as Summary);
}

/** An API that knows these pictures. The URL of a picture is its id. */
function apiFor(images: readonly Summary[], missing: readonly string[] = []) {
  return {
    getImage: vi.fn(async (imageId: string) => {
      if (missing.includes(imageId)) throw new ApiError(404, 'not found');
      const summary = images.find((image) => image.imageId === imageId);
      const createdAt = '2026-11-22T12:00:00.000Z';
      return { ...summary, createdAt, view: { url: imageId, expiresAt: createdAt } } as Image;
    }),
  };
}

/** Keeps the bytes of the ZIP. */
class Memory implements Target {
  zip = '';

  async save(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    this.zip = await new Response(stream).text();
  }

  /** The names of its files, from the central directory. */
  get names(): string[] {
    return this.zip
      .split('PK\u0001\u0002')
      .slice(1)
      .map((header) => header.match(/[\w. ()]+\.(jpg|txt)/)?.[0] ?? '');
  }
}

function statesOf(downloads: Downloads): (DownloadState | undefined)[] {
  const states: (DownloadState | undefined)[] = [];
  downloads.addEventListener('change', () => states.push(downloads.state));
  return states;
}

test('saves all pictures in their order, with their names', async () => {
  const images = summaries('b.jpg', 'a.jpg', 'b.jpg');
  const memory = new Memory();
  const downloads = new Downloads(apiFor(images), async () => memory);
  const states = statesOf(downloads);
  await downloads.start(images, 'pictures.zip');
  expect(memory.names).toEqual(['b.jpg', 'a.jpg', 'b (2).jpg']);
  expect(memory.zip).toContain('contents of 2');
  expect(states[0]).toEqual({ name: 'running', finished: 0, total: 3, fraction: 0 });
  expect(states.filter((state) => state?.name === 'running').at(-1)).toMatchObject({ finished: 3, fraction: 1 });
  expect(downloads.state).toEqual({ name: 'saved', saved: 3, missing: [] });
  expect(downloads.isRunning).toBe(false);
  downloads.dismiss();
  expect(downloads.state).toBeUndefined();
});

test('saves the other pictures if some cannot be fetched, and lists the missing ones in the ZIP', async () => {
  const images = summaries('a.jpg', 'gone.jpg', 'c.jpg');
  const memory = new Memory();
  const downloads = new Downloads(apiFor(images, ['1']), async () => memory);
  await downloads.start(images, 'pictures.zip');
  expect(memory.names).toEqual(['a.jpg', 'c.jpg', 'Missing pictures.txt']);
  expect(memory.zip).toContain(`gone.jpg: ${text.notFound}`);
  expect(downloads.state).toEqual({ name: 'saved', saved: 2, missing: ['gone.jpg'] });
});

test('saves nothing if no picture can be fetched, and says why', async () => {
  const images = summaries('a.jpg', 'b.jpg');
  // Like a browser that reads the ZIP into a Blob.
  const save: Target['save'] = (stream) =>
    new Response(stream).blob().then(
      () => {},
      () => Promise.reject(new TypeError('Failed to fetch')),
    );
  const downloads = new Downloads(apiFor(images, ['0', '1']), async () => ({ save }));
  await downloads.start(images, 'pictures.zip');
  expect(downloads.state).toEqual({ name: 'failed', reason: text.notFound });
});

test('fetches pictures only shortly before they are written, so that few are in memory', async () => {
  const images = summaries(...Array.from({ length: 50 }, (_, index) => `${index}.jpg`));
  const api = apiFor(images);
  let ahead = 0;
  const slow: Target = {
    async save(stream) {
      let written = 0;
      for await (const chunk of stream) {
        written += new TextDecoder('latin1').decode(chunk).split('contents of').length - 1;
        // Lets requests that are not limited start.
        await new Promise((resolve) => setTimeout(resolve));
        ahead = Math.max(ahead, api.getImage.mock.calls.length - written);
      }
    },
  };
  const downloads = new Downloads(api, async () => slow);
  await downloads.start(images, 'pictures.zip');
  expect(downloads.state).toMatchObject({ name: 'saved', saved: 50 });
  expect(ahead).toBeGreaterThan(0);
  expect(ahead).toBeLessThanOrEqual(6);
});

test('cancel stops the download and its requests', async () => {
  const images = summaries('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg');
  const signals: (AbortSignal | null | undefined)[] = [];
  fetchMock.mockImplementation((_, init) => {
    signals.push(init?.signal);
    return new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
    );
  });
  const api = apiFor(images);
  const downloads = new Downloads(api, async () => new Memory());
  const ended = downloads.start(images, 'pictures.zip');
  await vi.waitFor(() => expect(signals).toHaveLength(3), { timeout: 30_000 });
  downloads.cancel();
  expect(downloads.state).toBeUndefined();
  await ended;
  expect(signals.every((signal) => signal?.aborted)).toBe(true);
  expect(api.getImage).toHaveBeenCalledTimes(3);
  expect(downloads.state).toBeUndefined();
  expect(downloads.isRunning).toBe(false);
});

test('says what went wrong if the ZIP cannot be written', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const full: Target = { save: async () => Promise.reject(new DOMException('full', 'QuotaExceededError')) };
  const images = summaries('a.jpg');
  const downloads = new Downloads(apiFor(images), async () => full);
  await downloads.start(images, 'pictures.zip');
  expect(downloads.state).toEqual({ name: 'failed', reason: text.download.notSaved });
});

test('requests nothing if no place is chosen, or the selection is too large', async () => {
  const images = summaries('a.jpg');
  const api = apiFor(images);
  const canceled = new Downloads(api, async () => undefined);
  await canceled.start(images, 'pictures.zip');
  expect(canceled.state).toBeUndefined();
  const tooLarge = new Downloads(api, () => Promise.reject(new TooLargeError('too large')));
  await tooLarge.start(images, 'pictures.zip');
  expect(tooLarge.state).toEqual({ name: 'failed', reason: 'too large' });
  expect(api.getImage).not.toHaveBeenCalled();
});

test('a second download does not start while one is running', async () => {
  const images = summaries('a.jpg');
  const choose = vi.fn(async () => new Memory());
  const downloads = new Downloads(apiFor(images), choose);
  await Promise.all([downloads.start(images, 'pictures.zip'), downloads.start(images, 'pictures.zip')]);
  expect(choose).toHaveBeenCalledTimes(1);
});
