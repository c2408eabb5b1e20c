import { afterEach, expect, test, vi } from 'vitest';
import { fetchSamples, SamplesError } from './sample-pictures';

const { signal } = new AbortController();

/** Answers requests for assets with their URLs, except those for the file with this name. */
function stubFetch(missing?: string): void {
  vi.stubGlobal('fetch', async (url: string) =>
    missing && url.includes(missing) ? new Response('', { status: 404 }) : new Response(url),
  );
}

afterEach(() => vi.unstubAllGlobals());

test('returns three JPEG files with the names that they have in samples/', async () => {
  stubFetch();
  const files = await fetchSamples(signal);
  expect(files.map(({ name }) => name)).toEqual(['astronaut.jpg', 'cat.jpg', 'coffee.jpg']);
  for (const file of files) {
    expect(file.type).toBe('image/jpeg');
    expect(await file.text()).toContain(`samples/${file.name}`);
  }
});

test('returns none of the files if one is missing', async () => {
  stubFetch('cat.jpg');
  await expect(fetchSamples(signal)).rejects.toThrow(SamplesError);
});

test('throws the reason of the signal if the request is aborted', async () => {
  stubFetch('cat.jpg');
  await expect(fetchSamples(AbortSignal.abort(new Error('left the page')))).rejects.toThrow('left the page');
});
