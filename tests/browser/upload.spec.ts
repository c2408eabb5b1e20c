// Uploading pictures and getting their labels.
import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { addAndOpen, drop, expect, holdUploads, label, paste, picture, test, throttleUploads, tile, tiles, upload } from './app.ts';
import { renamed, sample, textNamedJpg } from './files.ts';

test('a dropped photograph appears in the gallery immediately, and gets its labels there', async ({ page }) => {
  await page.goto('/');
  // So slowly that the progress is seen on a busy machine.
  const removeLimit = await throttleUploads(page, 1_000);
  await drop(page, sample('cat.jpg'));
  await expect(upload(page, 'cat.jpg').getByRole('progressbar', { name: 'Upload of cat.jpg' })).toBeVisible();
  await expect(upload(page, 'cat.jpg')).toContainText(/Uploading… [1-9]\d?%/);
  await expect(tile(page, 'cat.jpg', 'Uploading')).toBeVisible();
  await expect(tile(page, 'cat.jpg').locator('img')).toBeVisible();
  await removeLimit();

  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await expect(upload(page, 'cat.jpg')).toContainText('Cat');
  await expect(page.getByRole('log')).toContainText(/cat\.jpg: \d+ labels\. .*Cat \d+ percent/);
});

const sampleButton = (page: Page) => page.getByRole('button', { name: 'Try the sample pictures' });

test('an empty library offers sample pictures, which are loaded and added once', async ({ page }) => {
  const loaded: string[] = [];
  page.on('request', (request) => {
    const [file] = /(astronaut|cat|coffee)[^/]*\.jpg$/.exec(new URL(request.url()).pathname) ?? [];
    if (file && request.method() === 'GET' && request.resourceType() === 'fetch') loaded.push(file);
  });
  await page.goto('/');
  await expect(sampleButton(page)).toBeVisible();
  expect(loaded, 'nothing is loaded before the click').toEqual([]);
  await sampleButton(page).dblclick();
  for (const [name, labels] of [
    ['astronaut.jpg', 'Person'],
    ['cat.jpg', 'Cat'],
    ['coffee.jpg', 'Coffee|Cup|Espresso'],
  ] as const) {
    await expect(tile(page, name, labels)).toBeVisible();
    await expect(page.getByRole('log')).toContainText(`${name}: added.`);
  }
  await expect(page.getByRole('region', { name: 'Uploads' })).toContainText('3 labeled');
  await expect(tiles(page)).toHaveCount(3);
  await expect(sampleButton(page)).toHaveCount(0);
});

test('no results for a filter do not offer sample pictures', async ({ page }) => {
  await page.goto('/?label=Unicorn');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await expect(sampleButton(page)).toHaveCount(0);
});

test.describe('a sample picture cannot be loaded', () => {
  test.use({ expectedError: /status of 404/ });

  test('the page says so, and adds all of them at the next try', async ({ page }) => {
    await page.goto('/');
    await page.route(/coffee[^/]*\.jpg$/, (route) => route.fulfill({ status: 404 }), { times: 1 });
    await sampleButton(page).click();
    await expect(page.getByRole('alert').filter({ hasText: "Couldn't load the sample pictures." })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Uploads' })).toHaveCount(0);
    await sampleButton(page).click();
    await expect(tiles(page)).toHaveCount(3);
  });
});

test('uploads at most three files at a time, and rejects one that is not a picture', async ({ page }) => {
  await page.goto('/');
  const uploads = await holdUploads(page);
  const names = ['one.jpg', 'two.jpg', 'three.jpg', 'four.jpg'];
  await drop(page, textNamedJpg, ...names.map((name) => sample('cat.jpg', name)));
  await expect(upload(page, 'notes.jpg')).toContainText("it isn't a picture");
  await expect.poll(() => uploads.sending).toBe(3);
  const rows = page.getByRole('region', { name: 'Uploads' }).getByRole('listitem');
  await expect(rows.filter({ hasText: 'Queued' })).toHaveCount(1);
  uploads.release();
  for (const name of names) await expect(tile(page, name, 'Cat')).toBeVisible();
  expect(uploads.max).toBe(3);
  await expect(page.getByRole('region', { name: 'Uploads' })).toContainText('4 labeled, 1 rejected');
  await page.getByRole('button', { name: 'Close list' }).click();
  await expect(page.getByRole('region', { name: 'Uploads' })).toBeHidden();
});

test('polls all pictures in progress with one request', async ({ page }) => {
  await page.goto('/');
  const asked: number[] = [];
  let release = () => {};
  // On a busy machine, the first picture could have its labels before the last one is uploaded.
  const allUploaded = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/api/images?*', async (route) => {
    const ids = new URL(route.request().url()).searchParams.getAll('id');
    if (ids.length > 0) {
      asked.push(ids.length);
      await allUploaded;
    }
    return route.fallback();
  });
  await drop(page, ...[1, 2, 3].map((number) => sample('cat.jpg', `${number}.jpg`)));
  // Its text depends on how long the request is held.
  for (const number of [1, 2, 3]) await expect(upload(page, `${number}.jpg`)).toHaveAttribute('data-stage', 'labeling');
  release();
  for (const number of [1, 2, 3]) await expect(tile(page, `${number}.jpg`, 'Cat')).toBeVisible();
  expect(Math.max(...asked)).toBeGreaterThan(1);
  const before = asked.length;
  await page.goto('/settings');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  expect(asked, 'no polling without pictures in progress').toHaveLength(before);
});

test('queued uploads can be paused, resumed and canceled', async ({ page }) => {
  await page.goto('/');
  const uploads = await holdUploads(page);
  const names = [1, 2, 3, 4, 5].map((number) => `${number}.jpg`);
  const files = names.map((name) => sample('cat.jpg', name));
  // Files that are dropped together can be uploaded in any order.
  await drop(page, ...files.slice(0, 3));
  await expect.poll(() => uploads.sending).toBe(3);
  await drop(page, ...files.slice(3));
  await expect(upload(page, '4.jpg')).toContainText('Queued');
  await expect(upload(page, '5.jpg')).toContainText('Queued');
  await page.getByRole('button', { name: 'Pause queued uploads' }).click();
  uploads.release();
  for (const name of names.slice(0, 3)) await expect(tile(page, name, 'Cat')).toBeVisible();
  await expect(upload(page, '4.jpg')).toContainText('Queued');
  await page.getByRole('button', { name: 'Cancel 5.jpg' }).click();
  await expect(upload(page, '5.jpg')).toHaveCount(0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(tile(page, '4.jpg', 'Cat')).toBeVisible();
  await expect(tiles(page)).toHaveCount(4);
});

test('a canceled upload disappears from the gallery', async ({ page }) => {
  await page.goto('/');
  await holdUploads(page);
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Uploading')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel all uploads' }).click();
  await expect(page.getByRole('heading', { name: "See what's in your pictures" })).toBeVisible();
});

test('a reload during an upload lists the interrupted files, which can be chosen again', async ({ page }) => {
  await page.goto('/');
  const held = await holdUploads(page);
  await drop(page, sample('cat.jpg'), sample('coffee.jpg'));
  await expect(upload(page, 'cat.jpg')).toContainText('Uploading…');
  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  const uploads = page.getByRole('region', { name: 'Uploads' });
  await expect(uploads).toContainText('interrupted 2 uploads: cat.jpg and coffee.jpg.');
  held.release();
  const chooser = page.waitForEvent('filechooser');
  await uploads.getByRole('button', { name: 'Choose files' }).click();
  await (await chooser).setFiles([sample('cat.jpg'), sample('coffee.jpg')]);
  await expect(uploads).toContainText('2 labeled');
  await page.reload();
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await expect(uploads).toBeHidden();
});

/** A folder with pictures of any name, a nested folder, a system file and a text file. */
function holiday(): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'pictures-')), 'holiday');
  mkdirSync(join(folder, 'deep'), { recursive: true });
  writeFileSync(join(folder, 'cat.jpg'), sample('cat.jpg').buffer);
  writeFileSync(join(folder, 'deep', 'coffee.jfif'), sample('coffee.jpg').buffer);
  writeFileSync(join(folder, 'IMG_0001'), sample('astronaut.jpg').buffer);
  writeFileSync(join(folder, '.DS_Store'), 'x');
  writeFileSync(join(folder, 'diary.txt'), 'Dear diary');
  return folder;
}

/** Chooses a folder in the file dialog. */
async function choose(page: Page, folder: string): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await (await chooser).setFiles(folder);
}

/** Drops a folder on the page. */
async function dropFolder(page: Page, folder: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
  }
}

for (const [how, give] of [
  ['chosen', choose],
  ['dropped', dropFolder],
] as const) {
  test(`a folder that is ${how} is read recursively, without system files`, async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('button', { name: 'Choose a folder' })).toBeVisible();
    await give(page, holiday());
    await expect(page.getByText('1 file skipped: not a supported picture or video.')).toBeVisible();
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
    await expect(tile(page, 'coffee.jfif')).toBeVisible();
    await expect(tile(page, 'IMG_0001')).toBeVisible();
  });
}

test('pasted pictures are labeled, also if they have the same name', async ({ page }) => {
  await page.goto('/');
  await paste(page, renamed(sample('cat.jpg'), 'image.png'));
  await paste(page, renamed(sample('cat.jpg', 'other.jpg'), 'image.png'));
  await expect(tile(page, 'image.png', 'Cat')).toHaveCount(2);
});

test('a file can be dropped while a picture is open', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await drop(page, sample('coffee.jpg'));
  await view.getByRole('button', { name: 'Back' }).click();
  await expect(picture(page, 'cat.jpg')).toBeHidden();
  await expect(tile(page, 'coffee.jpg', 'Coffee|Cup|Espresso')).toBeVisible();
  await expect(label(view, 'Cat')).toBeHidden();
});
