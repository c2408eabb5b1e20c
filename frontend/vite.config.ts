// How the page is built. Everything here serves the strict content security policy (no inline script, style or data
// URL) and long caching (hashed names).
import { appendFileSync, readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

/** For those who are given the page, and with it other people's code. */
const LICENSES = 'licenses.txt';

/** Vite knows the licenses of what the page links; libheif is in a worker. */
const libheifLicense: Plugin = {
  name: 'libheif-license',
  writeBundle({ dir = 'dist' }) {
    const { version } = JSON.parse(readFileSync('node_modules/libheif-js/package.json', 'utf8'));
    const license = readFileSync('node_modules/libheif-js/libheif-wasm/LICENSE', 'utf8');
    appendFileSync(`${dir}/${LICENSES}`, `\n## libheif-js - ${version} (LGPL-3.0)\n\n${license}`);
  },
};

export default defineConfig({
  plugins: [libheifLicense],
  // Of the tests alone.
  assetsInclude: ['**/*.heic'],
  build: {
    target: 'es2022',
    // The style sheets use light-dark() and nesting; older targets would make Vite rewrite both.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: LICENSES },
  },
  // A worker that loads the decoder of HEIC pictures only where the browser has none.
  worker: { format: 'es' },
  server: {
    // `npm run dev` beside a running stack: the page from Vite, the API from the stack.
    proxy: process.env['ILG_WEB_URL'] ? { '/api': { target: process.env['ILG_WEB_URL'], changeOrigin: true } } : {},
  },
});
