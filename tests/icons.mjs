// Renders the page's icon as PNG files, for the web app manifest and for iOS, which do not accept SVG everywhere.
// `npm run icons` after a change of frontend/src/app/favicon.svg. Playwright drives the Chromium that the tests use.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chromium } from '@playwright/test';

const FOLDER = new URL('../frontend/public/icons/', import.meta.url);
const icon = readFileSync(new URL('../frontend/src/app/favicon.svg', import.meta.url), 'utf8');
/** Systems cut the corners off, and of a maskable icon all but a circle of 80% of its width. */
const square = icon.replace('rx="8"', 'rx="0"').replace('<g ', '<g transform="translate(3.2 3.2) scale(0.8)" ');

const FILES = [
  { name: 'icon-192.png', svg: icon, size: 192 },
  { name: 'icon-512.png', svg: icon, size: 512 },
  { name: 'maskable-512.png', svg: square, size: 512 },
  { name: 'apple-touch-icon.png', svg: square, size: 180 },
];

if (square === icon) throw new Error('favicon.svg has changed: adapt the replacements above');
mkdirSync(FOLDER, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();
for (const { name, svg, size } of FILES) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${svg}`);
  writeFileSync(new URL(name, FOLDER), await page.screenshot({ omitBackground: true }));
}
await browser.close();
