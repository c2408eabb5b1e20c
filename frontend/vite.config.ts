// The build of the page. The options follow from the strict content security policy (no inline scripts, styles or data
// URLs) and from long caching (hashed file names).
import { defineConfig } from 'vite';
import { stackProxy } from './stack-proxy.ts';

/** The licenses of the packages that the page contains. */
const LICENSES = 'licenses.txt';

export default defineConfig({
  plugins: [stackProxy()],
  build: {
    target: 'es2022',
    // The style sheets use light-dark() and nesting, which Vite would rewrite for older browsers.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: LICENSES },
  },
  server: {
    // The same address as the stack's page: `localhost` would be another origin.
    host: '127.0.0.1',
    // This folder, and the sample pictures.
    fs: { allow: ['.', '../samples'] },
  },
});
