// The browser tests: a real Chromium, found on this machine, against a stack that runs already.
// `cargo xtask test` starts the stack and names its stack.json in ILG_STACK.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { stack } from './browser/stack.ts';

const chromium = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
if (!chromium) {
  throw new Error('No Chromium found. Install it (Debian: apt-get install chromium), or name one in CHROMIUM.');
}

export default defineConfig({
  testDir: './browser',
  // `npm run benchmark` measures; nothing of that belongs to the tests.
  testMatch: process.env['ILG_BENCHMARK'] ? '*.bench.ts' : '*.spec.ts',
  outputDir: './test-results',
  reporter: 'list',
  forbidOnly: true,
  // The stack is one, and its labeler wants the cores.
  workers: 1,
  timeout: 90_000,
  // A cold stack takes its time for the first picture.
  expect: { timeout: 45_000 },
  use: {
    baseURL: stack.webUrl,
    trace: 'retain-on-failure',
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
