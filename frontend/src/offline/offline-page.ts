// What the service worker does: when a page can't be loaded, it shows another one that says so. It keeps only the files of
// that page. Everything else comes from the network, as without a service worker, so that an old page never meets a new API.

/** The page without a connection, and how long its files are kept: until another version has others. */
export interface OfflinePage {
  /** Changes with each file. */
  readonly version: string;
  /** The paths of the page, which comes first, and of all its files. */
  readonly files: readonly string[];
}

type Requested = Pick<Request, 'mode' | 'url'>;

const PREFIX = 'offline-';

/** Stores the files of the page. Throws if one of them can't be loaded. */
export async function install({ version, files }: OfflinePage, caches: CacheStorage): Promise<void> {
  const cache = await caches.open(PREFIX + version);
  // Not from the browser's HTTP cache, which can have an older page.
  await cache.addAll(files.map((file) => new Request(file, { cache: 'reload' })));
}

/** Removes the files of other versions. */
export async function removeOthers({ version }: OfflinePage, caches: CacheStorage): Promise<void> {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== PREFIX + version);
  await Promise.all(others.map((name) => caches.delete(name)));
}

/** Which requests the service worker answers: for pages of this origin, and for the hashed files of the offline page. */
export function kindOf({ mode, url }: Requested, { files }: OfflinePage, origin: string): 'page' | 'file' | undefined {
  const { origin: target, pathname } = new URL(url);
  if (target !== origin) return undefined;
  if (mode === 'navigate') return pathname.startsWith('/api/') ? undefined : 'page';
  return files.slice(1).includes(pathname) ? 'file' : undefined;
}

/** What the network answers, whatever it is, or the offline page if it does not answer. */
export async function loadPage(
  fromNetwork: () => Promise<Response>,
  { version, files: [page = ''] }: OfflinePage,
  caches: CacheStorage,
): Promise<Response> {
  try {
    return await fromNetwork();
  } catch (error) {
    const cache = await caches.open(PREFIX + version);
    const stored = await cache.match(page, { ignoreVary: true });
    if (!stored) throw error;
    return stored;
  }
}

/** A stored file of the offline page, or what the network answers. */
export async function loadFile(
  { url }: Pick<Requested, 'url'>,
  fromNetwork: () => Promise<Response>,
  { version }: OfflinePage,
  caches: CacheStorage,
): Promise<Response> {
  const cache = await caches.open(PREFIX + version);
  return (await cache.match(url, { ignoreVary: true })) ?? fromNetwork();
}
