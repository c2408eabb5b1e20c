// The browser tests run in the Chromium of this machine, against a running stack. `cargo xtask test` starts the stack and
// sets ILG_STACK to its stack.json.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { stack } from './browser/stack.ts';

const chromium = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
if (!chromium) {
  throw new Error('Chromium not found. Install it (Debian: apt-get install chromium), or set CHROMIUM to its path.');
}

export default defineConfig({
  testDir: './browser',
  // `npm run benchmark` runs the measurements.
  testMatch: process.env['ILG_BENCHMARK'] ? '*.bench.ts' : '*.spec.ts',
  outputDir: './test-results',
  reporter: 'list',
  forbidOnly: true,
  // Each test has its own account, so tests can share one stack. Two at a time use the time in which one of them waits.
  fullyParallel: true,
  workers: process.env['ILG_BENCHMARK'] ? 1 : 2,
  // Long enough for a busy machine: only tests that hang reach these.
  timeout: 900_000,
  expect: { timeout: 180_000 },
  use: {
    baseURL: stack.webUrl,
    // Playwright can't intercept all requests of a service worker. The tests that need it allow it.
    serviceWorkers: 'block',
    // Traces take a quarter of the processor's time. `--trace on` records them.
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
