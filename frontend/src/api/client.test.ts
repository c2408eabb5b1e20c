import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { text } from '../text';
import { ApiClient } from './client';

const REQUEST = { fileName: 'cat.jpg', contentType: 'image/jpeg', size: 1, sha256: 'x' };
const TICKET = { imageId: 'a', upload: { method: 'PUT', url: 'http://127.0.0.1/a', headers: {} } };

const calls = vi.fn<(request: Request) => Promise<Response>>();
const { signal } = new AbortController();

/** Renews once for each token that was refused, and counts. */
function credentials() {
  let version = 1;
  return {
    accessToken: async () => `token-${version}`,
    renew: vi.fn(async () => {
      version += 1;
      return `token-${version}`;
    }),
    end: vi.fn(),
  };
}

const client = (signedIn = credentials()) => new ApiClient('http://127.0.0.1/api', signedIn);

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
  const ticket = client().createUpload(REQUEST, signal);
  await vi.advanceTimersByTimeAsync(6_900);
  expect(calls).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect((await ticket).imageId).toBe('a');
});

test('gives up on an API that is never available, with a sentence', async () => {
  calls.mockImplementation(async () => new Response('', { status: 503 }));
  const refused = expect(client().createUpload(REQUEST, signal)).rejects.toThrow(text.apiStatus(503));
  await vi.runAllTimersAsync();
  await refused;
});

test("does not repeat a request that is the caller's mistake", async () => {
  calls.mockResolvedValue(Response.json({ detail: 'size must be at least 1', field: 'size' }, { status: 400 }));
  await expect(client().createUpload(REQUEST, signal)).rejects.toThrow('size must be at least 1');
  expect(calls).toHaveBeenCalledTimes(1);
});

test('a page in place of JSON (a captive portal) is no crash', async () => {
  calls.mockResolvedValue(new Response('<html>Sign in to the hotel', { status: 200 }));
  await expect(client().getImage('a', signal)).rejects.toThrow(text.notUnderstood);
});

test('no network is a sentence; an abort is no error of the network', async () => {
  calls.mockRejectedValue(new TypeError('Failed to fetch'));
  await expect(client().getImage('a', signal)).rejects.toThrow(text.unreachable);
  await expect(client().getImage('a', AbortSignal.abort('removed'))).rejects.toBe('removed');
});

test('sends the access token, and an id as one segment of the path', async () => {
  calls.mockImplementation(async () => Response.json({ imageId: 'a', status: 'LABELED' }));
  await client().getImage('../secrets', signal);
  const [request] = calls.mock.calls[0] ?? [];
  expect(request?.url).toBe('http://127.0.0.1/api/images/..%2Fsecrets');
  expect(request?.headers.get('authorization')).toBe('Bearer token-1');
});

test('a refused token is renewed once, and the request is sent again with its body', async () => {
  const bodies: string[] = [];
  calls.mockImplementation(async (request) => {
    bodies.push(await request.text());
    const fresh = request.headers.get('authorization') === 'Bearer token-2';
    return fresh ? Response.json(TICKET, { status: 201 }) : new Response('', { status: 401 });
  });
  await client().createUpload(REQUEST, signal);
  expect(bodies).toEqual([JSON.stringify(REQUEST), JSON.stringify(REQUEST)]);
});

test('when the new token is refused too, the person is asked to sign in again', async () => {
  calls.mockImplementation(async () => new Response('', { status: 401 }));
  const signedIn = credentials();
  await expect(client(signedIn).getImage('a', signal)).rejects.toThrow(text.signIn.ended);
  expect(signedIn.renew).toHaveBeenCalledTimes(1);
  expect(signedIn.end).toHaveBeenCalledTimes(1);
});
