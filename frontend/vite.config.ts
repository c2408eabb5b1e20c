// How the page is built. Everything here serves the strict content security policy (no inline script, style or data
// URL) and long caching (hashed names).
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    target: 'es2022',
    // The style sheets use light-dark() and nesting; older targets would make Vite rewrite both.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev` beside a running stack: the page from Vite, the API from the stack.
    proxy: process.env['ILG_WEB_URL'] ? { '/api': { target: process.env['ILG_WEB_URL'], changeOrigin: true } } : {},
  },
});
