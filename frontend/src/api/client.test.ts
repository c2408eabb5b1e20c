import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { text } from '../text';
import { ApiClient } from './client';

const REQUEST = { fileName: 'cat.jpg', contentType: 'image/jpeg', size: 1, sha256: 'x' };
const TICKET = { imageId: 'a', upload: { method: 'PUT', url: 'http://127.0.0.1/a', headers: {} } };

const calls = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();
const { signal } = new AbortController();

beforeEach(() => {
  vi.useFakeTimers();
  calls.mockReset();
  vi.stubGlobal('fetch', calls);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('waits as long as a throttled API asks and then gets its ticket', async () => {
  calls.mockResolvedValueOnce(
    new Response('{"message":"Too Many Requests"}', { status: 429, headers: { 'retry-after': '7' } }),
  );
  calls.mockResolvedValueOnce(Response.json(TICKET, { status: 201 }));
  const ticket = new ApiClient('/api').createUpload(REQUEST, signal);
  await vi.advanceTimersByTimeAsync(6_900);
  expect(calls).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect((await ticket).imageId).toBe('a');
});

test('gives up on an API that is never available, with a sentence', async () => {
  calls.mockImplementation(async () => new Response('', { status: 503 }));
  const refused = expect(new ApiClient('/api').createUpload(REQUEST, signal)).rejects.toThrow(text.apiStatus(503));
  await vi.runAllTimersAsync();
  await refused;
});

test("does not repeat a request that is the caller's mistake", async () => {
  calls.mockResolvedValue(Response.json({ detail: 'size must be at least 1', field: 'size' }, { status: 400 }));
  await expect(new ApiClient('/api').createUpload(REQUEST, signal)).rejects.toThrow('size must be at least 1');
  expect(calls).toHaveBeenCalledTimes(1);
});

test('a page in place of JSON (a captive portal) is no crash', async () => {
  calls.mockResolvedValue(new Response('<html>Sign in to the hotel', { status: 200 }));
  await expect(new ApiClient('/api').getImage('a', signal)).rejects.toThrow(text.notUnderstood);
});

test('no network is a sentence; an abort is no error of the network', async () => {
  calls.mockRejectedValue(new TypeError('Failed to fetch'));
  await expect(new ApiClient('/api').getImage('a', signal)).rejects.toThrow(text.unreachable);
  await expect(new ApiClient('/api').getImage('a', AbortSignal.abort('removed'))).rejects.toBe('removed');
});

test('sends an access token where there is one, and an id as one segment of the path', async () => {
  calls.mockImplementation(async () => Response.json({ imageId: 'a', status: 'LABELED' }));
  await new ApiClient('/api', async () => 'token').getImage('../secrets', signal);
  const [url, init] = calls.mock.calls[0] ?? [];
  expect(url).toBe('/api/images/..%2Fsecrets');
  expect(new Headers(init?.headers).get('authorization')).toBe('Bearer token');
  await new ApiClient('/api').getImage('a', signal);
  expect(new Headers(calls.mock.calls[1]?.[1].headers).has('authorization')).toBe(false);
});
