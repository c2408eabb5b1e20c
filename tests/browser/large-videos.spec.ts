// Uploads of videos that are too large for one request: in parts, with interruptions.
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test, throttleUploads, tile, upload } from './app.ts';
import { checkAccessibility } from './accessibility.ts';

const MEGABYTE = 1024 * 1024;
/** In bytes: a little more than what is uploaded with one request. 13 parts of 8 MB. */
const SIZE = 101 * MEGABYTE;
/** In bytes per second: the upload takes a few seconds. */
const SPEED = 16 * MEGABYTE;

/** A large video on the disk: a short one, followed by a box that players skip. */
function largeVideo(name: string): string {
  const video = readFileSync(new URL('../../crates/video-header/fixtures/h264-faststart.mp4', import.meta.url));
  const free = Buffer.alloc(8);
  free.writeUInt32BE(SIZE - video.length, 0);
  free.write('free', 4, 'latin1');
  const path = join(mkdtempSync(join(tmpdir(), 'videos-')), name);
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([video, free]));
  ftruncateSync(file, SIZE);
  closeSync(file);
  return path;
}

/** Chooses a file in the file dialog that a button opens. */
async function choose(page: Page, button: string, path: string): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: button }).first().click();
  await (await chooser).setFiles(path);
}

/** Drops a file on the page, as the browser passes it from the desktop. */
async function dropFile(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
  }
}

/** Reloads the page, although it asks whether to stay. */
async function reload(page: Page): Promise<void> {
  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
}

/** Parts of a file that the page waits to send, because they have not been allowed yet. */
interface HeldParts {
  /** How many wait at the moment, or waited when the page was reloaded. */
  readonly waiting: number;
  /** Allows all parts up to this number. */
  allow(last: number): void;
}

/**
 * Lets the page request the URLs of the first parts only, up to the number `last`, so that an upload does not end before the
 * test goes on.
 */
async function holdParts(page: Page, last: number): Promise<HeldParts> {
  let allowed = last;
  let waiting: { readonly number: number; readonly release: () => void }[] = [];
  await page.route('**/api/uploads/*/parts', async (route) => {
    if (route.request().method() === 'POST') {
      const { number } = route.request().postDataJSON().parts[0];
      if (number > allowed) await new Promise<void>((release) => waiting.push({ number, release }));
    }
    return route.fallback();
  });
  return {
    get waiting() {
      return waiting.length;
    },
    allow(last) {
      allowed = last;
      for (const { number, release } of waiting) if (number <= last) release();
      waiting = waiting.filter(({ number }) => number > last);
    },
  };
}

/** The numbers of the parts that S3 has stored, as far as the page has got the answers. */
function storedParts(page: Page): number[] {
  const stored: number[] = [];
  page.on('response', (response) => {
    const number = new URL(response.url()).searchParams.get('partNumber');
    if (number && response.request().method() === 'PUT' && response.ok()) stored.push(Number(number));
  });
  return stored;
}

test.describe('a large video', () => {
  // Requests fail while the connection is lost.
  test.use({ expectedError: /net::ERR_/ });

  test('is uploaded in parts, and continues after a lost connection and after a reload', async ({ page, context }) => {
    const path = largeVideo('beach.mp4');
    const stored = storedParts(page);
    const parts = await holdParts(page, 3);
    await page.goto('/');
    await throttleUploads(page, SPEED);
    await choose(page, 'Choose pictures', path);
    const row = upload(page, 'beach.mp4');
    await expect(row).toContainText(/Uploading… [1-9]\d?%/);
    await expect(tile(page, 'beach.mp4', 'Uploading')).toBeVisible();

    // The page learns by requests that fail that there is no connection.
    await expect.poll(() => parts.waiting).toBeGreaterThan(0);
    await context.setOffline(true);
    parts.allow(8);
    await expect(row).toContainText('Waiting for a connection…');
    await context.setOffline(false);
    await expect.poll(() => stored.length).toBeGreaterThanOrEqual(5);

    await reload(page);
    const before = [...stored];
    const uploads = page.getByRole('region', { name: 'Uploads' });
    await expect(uploads).toContainText('The upload of beach.mp4 was interrupted.');
    await checkAccessibility(page, 'interrupted upload', [360, 1280]);
    await choose(page, 'Choose the file', path);
    await expect(uploads).not.toContainText('was interrupted');
    // Its text depends on how long requests are held.
    await expect(row).toHaveAttribute('data-stage', 'uploading');
    parts.allow(Number.POSITIVE_INFINITY);
    await expect(row).not.toHaveAttribute('data-stage', 'uploading');
    const again = stored.slice(before.length).filter((number) => before.includes(number));
    expect(again, 'no part is sent twice').toEqual([]);
  });

  test('that was dropped is resumed after a reload without choosing it again', async ({ page }) => {
    const stored = storedParts(page);
    const parts = await holdParts(page, 4);
    await page.goto('/');
    await throttleUploads(page, SPEED);
    await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeVisible();
    await dropFile(page, largeVideo('beach.mp4'));
    await expect.poll(() => stored.length).toBeGreaterThanOrEqual(2);
    await reload(page);
    await page.getByRole('region', { name: 'Uploads' }).getByRole('button', { name: 'Resume' }).click();
    const row = upload(page, 'beach.mp4');
    // Its text depends on how long requests are held.
    await expect(row).toHaveAttribute('data-stage', 'uploading');
    parts.allow(Number.POSITIVE_INFINITY);
    await expect(row).not.toHaveAttribute('data-stage', 'uploading');
    expect(new Set(stored).size, 'no part is sent twice').toBe(stored.length);
  });

  test('that was interrupted can be canceled, and leaves nothing', async ({ page }) => {
    await holdParts(page, 2);
    await page.goto('/');
    await choose(page, 'Choose pictures', largeVideo('beach.mp4'));
    await expect(upload(page, 'beach.mp4')).toContainText(/Uploading… [1-9]/);
    await reload(page);
    const uploads = page.getByRole('region', { name: 'Uploads' });
    const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await uploads.getByRole('button', { name: 'Cancel upload' }).click();
    expect((await deleted).status()).toBe(204);
    await expect(uploads).toBeHidden();
    await page.reload();
    await expect(page.getByRole('heading', { name: "See what's in your pictures" })).toBeVisible();
    await expect(uploads).toBeHidden();
  });
});
