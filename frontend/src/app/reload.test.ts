import { beforeEach, expect, test, vi } from 'vitest';
import { type ReloadContext, reloadIfOutdated } from './reload';

const OLD = '<script type="module" src="/assets/index-old.js"></script>';
const NEW = '<script type="module" src="/assets/index-new.js"></script>';

let stored: Map<string, string>;
const reload = vi.fn();

beforeEach(() => {
  stored = new Map();
  reload.mockReset();
});

function context(change: Partial<ReloadContext> = {}): ReloadContext {
  return {
    entry: 'https://page.example/assets/index-old.js',
    storage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
    },
    fetchPage: async () => NEW,
    isUploading: () => false,
    reload,
    ...change,
  };
}

test('reloads once when another version is deployed', async () => {
  await reloadIfOutdated(context());
  expect(reload).toHaveBeenCalledTimes(1);
});

test('does not reload again if the old version is still served', async () => {
  await reloadIfOutdated(context());
  await reloadIfOutdated(context());
  expect(reload).toHaveBeenCalledTimes(1);
});

test('reloads again for the next deployment', async () => {
  await reloadIfOutdated(context());
  await reloadIfOutdated(context({ entry: 'https://page.example/assets/index-new.js', fetchPage: async () => OLD }));
  expect(reload).toHaveBeenCalledTimes(2);
});

test.each([
  ['the running version is the deployed one', { fetchPage: async () => OLD }],
  ['there is no connection', { fetchPage: () => Promise.reject(new TypeError('Failed to fetch')) }],
  ['files are being uploaded', { isUploading: () => true }],
])('does not reload if %s', async (_, change) => {
  await reloadIfOutdated(context(change));
  expect(reload).not.toHaveBeenCalled();
});
