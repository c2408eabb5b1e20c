import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { text } from '../shared/text';
import { ApiClient } from './client';
import { NO_FILTER } from './filter';

const REQUEST = { fileName: 'cat.jpg', contentType: 'image/jpeg', size: 1, sha256: 'x' };
const UPLOAD = { imageId: 'a', upload: { method: 'PUT', url: 'http://127.0.0.1/a', headers: {} } };

const calls = vi.fn<(request: Request) => Promise<Response>>();
const { signal } = new AbortController();

/** Provides a new token each time one is rejected. */
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

test('a throttled request is sent again after Retry-After', async () => {
  calls.mockResolvedValueOnce(
    new Response('{"message":"Too Many Requests"}', { status: 429, headers: { 'retry-after': '7' } }),
  );
  calls.mockResolvedValueOnce(Response.json(UPLOAD, { status: 201 }));
  const upload = client().createUpload(REQUEST, signal);
  await vi.advanceTimersByTimeAsync(6_900);
  expect(calls).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect((await upload).imageId).toBe('a');
});

test('a used-up daily quota is reported immediately, with its reset time', async () => {
  const detail = 'You have used your quota of 5000 images a day. It resets at 2026-11-29T00:00:00Z.';
  calls.mockImplementation(async () => Response.json({ detail }, { status: 429, headers: { 'retry-after': '3600' } }));
  await expect(client().createUpload(REQUEST, signal)).rejects.toThrow(detail);
  expect(calls).toHaveBeenCalledTimes(1);
});

test('an API that stays unavailable is reported with a message', async () => {
  calls.mockImplementation(async () => new Response('', { status: 503 }));
  const rejected = expect(client().createUpload(REQUEST, signal)).rejects.toThrow(text.apiStatus(503));
  await vi.runAllTimersAsync();
  await rejected;
});

test('a 400 response is not retried', async () => {
  calls.mockResolvedValue(Response.json({ detail: 'size must be at least 1', field: 'size' }, { status: 400 }));
  await expect(client().createUpload(REQUEST, signal)).rejects.toThrow('size must be at least 1');
  expect(calls).toHaveBeenCalledTimes(1);
});

test('HTML instead of JSON (a captive portal) is reported with a message', async () => {
  calls.mockResolvedValue(new Response('<html>Sign in to the hotel', { status: 200 }));
  await expect(client().getImage('a', signal)).rejects.toThrow(text.notUnderstood);
});

test('a network failure is reported with a message; an abort keeps its reason', async () => {
  calls.mockRejectedValue(new TypeError('Failed to fetch'));
  await expect(client().getImage('a', signal)).rejects.toThrow(text.unreachable);
  await expect(client().getImage('a', AbortSignal.abort('removed'))).rejects.toBe('removed');
});

test('sends the access token, and encodes an id as one path segment', async () => {
  calls.mockImplementation(async () => Response.json({ imageId: 'a', status: 'LABELED' }));
  await client().getImage('../secrets', signal);
  const [request] = calls.mock.calls[0] ?? [];
  expect(request?.url).toBe('http://127.0.0.1/api/images/..%2Fsecrets');
  expect(request?.headers.get('authorization')).toBe('Bearer token-1');
});

test('a rejected token is renewed once, and the request is sent again with its body', async () => {
  const bodies: string[] = [];
  calls.mockImplementation(async (request) => {
    bodies.push(await request.text());
    const fresh = request.headers.get('authorization') === 'Bearer token-2';
    return fresh ? Response.json(UPLOAD, { status: 201 }) : new Response('', { status: 401 });
  });
  await client().createUpload(REQUEST, signal);
  expect(bodies).toEqual([JSON.stringify(REQUEST), JSON.stringify(REQUEST)]);
});

test('if the new token is rejected too, the session ends', async () => {
  calls.mockImplementation(async () => new Response('', { status: 401 }));
  const signedIn = credentials();
  await expect(client(signedIn).getImage('a', signal)).rejects.toThrow(text.signIn.ended);
  expect(signedIn.renew).toHaveBeenCalledTimes(1);
  expect(signedIn.end).toHaveBeenCalledTimes(1);
});

/** The query of the last request. */
const lastQuery = () => new URL(calls.mock.lastCall?.[0].url ?? '').searchParams;

test('lists images with the parameters of a filter, and the day after its end', async () => {
  calls.mockImplementation(async () => Response.json({ images: [] }));
  const labels = [
    [
      { name: 'Cat', minConfidence: 90 },
      { name: 'Dog', minConfidence: undefined },
    ],
  ];
  const filter = {
    ...NO_FILTER,
    labels,
    without: ['Car', 'Bus'],
    taken: '2015-07',
    from: '2026-01-31',
    to: '2026-01-31',
  };
  await client().listImages({ filter, order: 'time', boxes: false }, 'next', signal);
  const searchParams = lastQuery();
  expect(searchParams.getAll('label')).toEqual(['Cat>90|Dog']);
  expect(searchParams.getAll('without')).toEqual(['Car', 'Bus']);
  expect(searchParams.get('taken')).toBe('2015-07');
  expect(searchParams.get('from')).toBe('2026-01-31');
  expect(searchParams.get('to')).toBe('2026-02-01');
  expect(searchParams.get('cursor')).toBe('next');
  for (const absent of ['untagged', 'order', 'boxes']) expect(searchParams.has(absent), absent).toBe(false);
});

test('lists images in an order, and with boxes only if labels can match', async () => {
  calls.mockImplementation(async () => Response.json({ images: [] }));
  const cats = { ...NO_FILTER, labels: [[{ name: 'Cat', minConfidence: undefined }]] };
  await client().listImages({ filter: cats, order: 'confidence', boxes: true }, undefined, signal);
  expect(lastQuery().get('order')).toBe('confidence');
  expect(lastQuery().get('boxes')).toBe('true');
  await client().listImages(
    { filter: { ...NO_FILTER, without: ['Cat'] }, order: 'added', boxes: true },
    undefined,
    signal,
  );
  expect(lastQuery().get('order')).toBe('added');
  expect(lastQuery().has('boxes')).toBe(false);
});

test('corrects labels with only the lists that have names', async () => {
  calls.mockImplementation(async (request) =>
    Response.json(request.method === 'POST' ? { results: [{ imageId: 'a', outcome: 'CORRECTED' }] } : { imageId: 'a' }),
  );
  await client().correctLabels('a', { add: ['Maine Coon'], remove: [] });
  const results = await client().correctLabelsOfImages(['a'], { reset: ['Cat'] }, signal);
  expect(results).toEqual([{ imageId: 'a', outcome: 'CORRECTED' }]);
  const bodies = await Promise.all(calls.mock.calls.map(([request]) => request.clone().json()));
  expect(bodies).toEqual([{ add: ['Maine Coon'] }, { ids: ['a'], reset: ['Cat'] }]);
});

test('an export has the search of the gallery, or the selected pictures', async () => {
  calls.mockImplementation(async () => Response.json({ jobId: 'a' }, { status: 202 }));
  const labels = [[{ name: 'Cat & dog', minConfidence: 90 }], [{ name: 'Home', minConfidence: undefined }]];
  await client().startExport('CSV', { ...NO_FILTER, labels, from: '2015-07-01', to: '2015-07-31' });
  await client().startExport('XMP', NO_FILTER);
  await client().startExport('JSON', ['b', 'c']);
  const bodies = await Promise.all(calls.mock.calls.map(([request]) => request.json()));
  const search = 'label=Cat+%26+dog%3E90&label=Home&from=2015-07-01&to=2015-08-01';
  expect(bodies).toEqual([
    { kind: 'EXPORT', format: 'CSV', search },
    { kind: 'EXPORT', format: 'XMP', search: '' },
    { kind: 'EXPORT', format: 'JSON', ids: ['b', 'c'] },
  ]);
});
