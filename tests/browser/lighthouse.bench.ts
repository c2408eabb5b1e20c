// Runs Lighthouse on the page, signed out and signed in. `npm run benchmark` runs it against a running stack. npx installs
// Lighthouse, which is too large to be a dependency.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from '@playwright/test';
import { expect, test, tiles } from './app.ts';
import { seed } from './seed.ts';
import { stack } from './stack.ts';

const LIGHTHOUSE = 'lighthouse@12.8.2';

interface Report {
  readonly categories: Readonly<Record<string, { readonly title: string; readonly score: number }>>;
  readonly audits: Readonly<Record<string, { readonly title: string; readonly score: number | null; readonly displayValue?: string }>>;
}

test.setTimeout(600_000);

for (const signedIn of [false, true]) {
  test(signedIn ? 'signed in, with a library' : 'signed out', async ({ person, launchOptions }) => {
    const folder = mkdtempSync(join(tmpdir(), 'lighthouse-'));
    const port = await freePort();
    const browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
      ...launchOptions,
      args: [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`],
    });
    if (signedIn) {
      await seed(person, 200);
      const page = await browser.newPage();
      await page.goto(stack.webUrl);
      await page.evaluate((tokens) => localStorage.setItem('ilg.tokens', tokens), JSON.stringify(person.tokens));
      await page.reload();
      await expect(tiles(page).first()).toBeVisible();
      await page.close();
    }
    const report = join(folder, 'report.json');
    // Not synchronously, because Playwright must handle new tabs.
    await promisify(execFile)('npx', [
      ...['--yes', LIGHTHOUSE, `${stack.webUrl}/`, `--port=${port}`, '--preset=desktop', '--disable-storage-reset', '--quiet'],
      ...['--only-categories=performance,accessibility,best-practices', '--output=json', `--output-path=${report}`],
    ]);
    await browser.close();
    const { categories, audits } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const scores = Object.values(categories).map(({ title, score }) => `${title} ${Math.round(score * 100)}`);
    const figures = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift'];
    console.log([...scores, ...figures.map((id) => `${audits[id]?.title} ${audits[id]?.displayValue}`)].join(', '));
    const missed = Object.values(audits).filter(({ score }) => score !== null && score < 0.9);
    console.log('below 90:', missed.map(({ title, displayValue = '' }) => `${title} ${displayValue}`).join('; ') || 'nothing');
    for (const { title, score } of Object.values(categories)) expect(score, title).toBeGreaterThanOrEqual(0.95);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
