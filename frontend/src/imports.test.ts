// Enforces how the folders of the page depend on each other: only `app` knows every feature, and no modules import each
// other in a circle.
import { expect, test } from 'vitest';

const SOURCES = import.meta.glob<string>('./**/*.ts', { query: '?raw', import: 'default', eager: true });

/** The folders that each folder may import besides itself. Change this only on purpose. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  app: [
    'api',
    'download',
    'duplicates',
    'export',
    'gallery',
    'jobs',
    'labels',
    'picture',
    'settings',
    'shared',
    'sign-in',
    'upload',
    'video',
  ],
  download: ['api', 'shared'],
  duplicates: ['api', 'gallery', 'shared'],
  export: ['api', 'shared'],
  gallery: ['api', 'labels', 'shared'],
  jobs: ['api', 'shared'],
  // Not `text`: the service worker and its page must stay small.
  offline: [],
  picture: ['api', 'labels', 'shared', 'video'],
  video: ['api', 'labels', 'shared'],
  labels: ['api', 'shared'],
  upload: ['api', 'gallery', 'labels', 'shared'],
  settings: ['api', 'labels', 'shared'],
  'sign-in': ['api', 'shared'],
  api: ['shared'],
  shared: [],
};

/** The files of this folder that a module imports, as paths from `src/`. */
function importsOf(path: string, source: string): string[] {
  const specifiers = source.matchAll(/(?:from|import|import\(|new URL\()\s*'(\.[^'?]+)/g);
  return [...specifiers].flatMap(([, specifier = '']) => {
    const { pathname } = new URL(specifier, `http://page/src/${path}`);
    if (!pathname.startsWith('/src/')) return [];
    const file = pathname.slice('/src/'.length);
    return [/\.(ts|css|svg)$/.test(file) ? file : `${file}.ts`];
  });
}

const folderOf = (path: string) => path.split('/', 1)[0] ?? '';

/** What breaks the rules, given each module's source by its path from `src/`. */
function violations(sources: Readonly<Record<string, string>>): string[] {
  const imports = new Map(Object.entries(sources).map(([path, source]) => [path, importsOf(path, source)]));
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) found.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
    if (trail.includes(path) || finished.has(path)) return;
    for (const imported of imports.get(path) ?? []) visit(imported, [...trail, path]);
    finished.add(path);
  };
  for (const [path, imported] of imports) {
    visit(path, []);
    const folder = folderOf(path);
    for (const other of imported) {
      const allowed = folderOf(other) === folder || ALLOWED[folder]?.includes(folderOf(other));
      if (!allowed) found.push(`${path} must not import ${other}`);
    }
  }
  return found;
}

const modules = Object.fromEntries(
  Object.entries(SOURCES)
    .map(([path, source]) => [path.slice('./'.length), source] as const)
    .filter(([path]) => path.includes('/')),
);

test('the folders import only what they may, and there are no cycles', () => {
  expect(Object.keys(modules).length).toBeGreaterThan(70);
  expect(new Set(Object.keys(modules).map(folderOf))).toEqual(new Set(Object.keys(ALLOWED)));
  expect(violations(modules)).toEqual([]);
});

test.each([
  [
    'a feature in shared code',
    'shared/concurrency-limiter.ts',
    "import { text } from '../upload/queue';",
    'must not import upload/',
  ],
  ['a feature in the API client', 'api/client.ts', "import '../gallery/gallery';", 'must not import gallery/'],
  [
    'another feature',
    'settings/policy.ts',
    "const a = await import('../picture/picture-view');",
    'must not import picture/',
  ],
  ['the application', 'upload/queue.ts', "export type { Toast } from '../app/toasts';", 'must not import app/'],
  [
    'a style sheet of another feature',
    'labels/label-list.ts',
    "import css from '../upload/upload-panel.css?inline';",
    'must not',
  ],
  ['a cycle of two', 'shared/backoff.ts', "import './concurrency-limiter';\nexport * from './backoff';", 'cycle: '],
  ['a cycle through a worker', 'upload/checksum.worker.ts', "import './checksum';", 'cycle: '],
])('finds %s', (_, path, planted, message) => {
  expect(modules[path]).toBeDefined();
  const broken = violations({ ...modules, [path]: `${modules[path]}\n${planted}\n` });
  expect(broken.length).toBeGreaterThan(0);
  expect(broken.join('\n')).toContain(message);
});
