import { beforeEach, expect, test, vi } from 'vitest';
import { install, kindOf, loadFile, loadPage, type OfflinePage, removeOthers } from './offline-page';

const ORIGIN = 'https://page.example';
const PAGE: OfflinePage = { version: 'new', files: ['/offline.html', '/assets/offline-1.js', '/assets/page-1.css'] };

/** Caches by name. Each has responses by path. */
let stored: Map<string, Map<string, Response>>;
const fetched = vi.fn<(path: string) => Response>();

const path = (request: RequestInfo | URL) =>
  request instanceof Request ? new URL(request.url).pathname : pathOf(String(request));
const pathOf = (url: string) => new URL(url, ORIGIN).pathname;

const caches = {
  async open(name: string) {
    const entries = stored.get(name) ?? new Map<string, Response>();
    stored.set(name, entries);
    return {
      async addAll(requests: Request[]) {
        for (const request of requests) entries.set(path(request), fetched(path(request)));
      },
      match: async (request: RequestInfo) => entries.get(path(request)),
    };
  },
  keys: async () => [...stored.keys()],
  delete: async (name: string) => stored.delete(name),
} as unknown as CacheStorage;

beforeEach(async () => {
  vi.stubGlobal(
    'Request',
    class extends Request {
      constructor(url: string, init?: RequestInit) {
        super(new URL(url, ORIGIN), init);
      }
    },
  );
  stored = new Map();
  fetched.mockReset().mockImplementation((file) => new Response(`stored ${file}`));
});

test('stores the files of the offline page, and nothing else', async () => {
  await install(PAGE, caches);
  expect([...stored.keys()]).toEqual(['offline-new']);
  expect([...(stored.get('offline-new')?.keys() ?? [])]).toEqual(PAGE.files);
});

test('a new version removes the files of the old one, but no caches of others', async () => {
  await install({ ...PAGE, version: 'old' }, caches);
  stored.set('of something else', new Map());
  await install(PAGE, caches);
  await removeOthers(PAGE, caches);
  expect([...stored.keys()]).toEqual(['of something else', 'offline-new']);
});

test.each([
  ['navigate', '/', 'page'],
  ['navigate', '/images/0192?label=Cat', 'page'],
  ['navigate', '/?code=a&state=b', 'page'],
  ['navigate', '/api/images', undefined],
  ['cors', '/api/images', undefined],
  ['cors', '/config.json', undefined],
  ['cors', '/', undefined],
  ['cors', '/assets/index-1.js', undefined],
  ['cors', '/assets/offline-1.js', 'file'],
  ['cors', '/assets/page-1.css', 'file'],
  ['cors', 'https://bucket.example/assets/page-1.css', undefined],
  ['navigate', 'https://sign-in.example/oauth2/authorize', undefined],
] as const)('answers the right requests: %s %s', (mode, url, kind) => {
  expect(kindOf({ mode, url: new URL(url, ORIGIN).href }, PAGE, ORIGIN)).toBe(kind);
});

test('a page always comes from the network, whatever it answers', async () => {
  await install(PAGE, caches);
  for (const status of [200, 404, 503]) {
    const page = await loadPage(async () => new Response('new page', { status }), PAGE, caches);
    expect(page.status).toBe(status);
    expect(await page.text()).toBe('new page');
  }
  expect([...(stored.get('offline-new')?.keys() ?? [])]).toEqual(PAGE.files);
});

test('without a connection, the offline page is shown', async () => {
  const lost = () => Promise.reject(new TypeError('Failed to fetch'));
  await expect(loadPage(lost, PAGE, caches)).rejects.toThrow('Failed to fetch');
  await install(PAGE, caches);
  expect(await (await loadPage(lost, PAGE, caches)).text()).toBe('stored /offline.html');
});

test('the files of the offline page need no connection', async () => {
  const url = `${ORIGIN}/assets/page-1.css`;
  const network = vi.fn(async () => new Response('from the network'));
  expect(await (await loadFile({ url }, network, PAGE, caches)).text()).toBe('from the network');
  await install(PAGE, caches);
  expect(await (await loadFile({ url }, network, PAGE, caches)).text()).toBe('stored /assets/page-1.css');
  expect(network).toHaveBeenCalledTimes(1);
});
