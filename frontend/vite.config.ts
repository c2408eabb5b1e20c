// The build of the page. The options follow from the strict content security policy (no inline scripts, styles or data
// URLs) and from long caching (hashed file names).
import { createHash } from 'node:crypto';
import { defineConfig, type Plugin } from 'vite';
import { stackProxy } from './stack-proxy.ts';

/** The licenses of the packages that the page contains. */
const LICENSES = 'licenses.txt';

/** The entry of the service worker. Its name must not change, so that browsers find new versions. */
const SERVICE_WORKER = 'service-worker';
const OFFLINE_PAGE = 'offline.html';

/** Writes the files of the offline page into the service worker, which stores them. */
function offlinePage(): Plugin {
  return {
    name: 'offline-page',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const page = bundle[OFFLINE_PAGE];
        const worker = bundle[`${SERVICE_WORKER}.js`];
        if (page?.type !== 'asset' || worker?.type !== 'chunk') throw new Error('the offline page is incomplete');
        const html = String(page.source);
        const assets = [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, file]) => file);
        // The page contains the hashes of the other files.
        const version = createHash('sha256').update(html).digest('hex').slice(0, 16);
        worker.code = worker.code.replaceAll(
          'OFFLINE_PAGE',
          JSON.stringify({ version, files: [`/${OFFLINE_PAGE}`, ...assets] }),
        );
      },
    },
  };
}

export default defineConfig({
  plugins: [stackProxy(), offlinePage()],
  build: {
    target: 'es2022',
    // The style sheets use light-dark() and nesting, which Vite would rewrite for older browsers.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: LICENSES },
    rolldownOptions: {
      input: ['index.html', OFFLINE_PAGE, `src/offline/${SERVICE_WORKER}.ts`],
      output: {
        entryFileNames: ({ name }) => (name === SERVICE_WORKER ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    // The same address as the stack's page: `localhost` would be another origin.
    host: '127.0.0.1',
    // This folder, and the sample pictures.
    fs: { allow: ['.', '../samples'] },
  },
});
