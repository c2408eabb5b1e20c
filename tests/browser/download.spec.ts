// Downloading the selected pictures as one ZIP.
import { readFileSync } from 'node:fs';
import type { Download, Locator, Page, Route } from '@playwright/test';
import { strFromU8, unzipSync } from 'fflate';
import { checkAccessibility } from './accessibility.ts';
import { drop, expect, tabTo, test, tile } from './app.ts';
import { heic, sample } from './files.ts';
import { seed } from './seed.ts';
import { button, openGallery, select, toolbar } from './selecting.ts';
import { stack } from './stack.ts';

const CAT = readFileSync(new URL('../../samples/cat.jpg', import.meta.url));
/** The files of pictures in S3. Seeded pictures share theirs. */
const FILES = `${stack.endpoint}/${stack.bucket}/uploads/**`;

// Recording a trace loads pictures that the browser cannot display, which violates the content security policy.
test.use({ contextOptions: { reducedMotion: 'reduce' }, trace: 'off' });

/** The dialog in which the person chooses a file can't be used in tests: browsers without it download a Blob. */
test.beforeEach(({ page }) => page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker')));

function panel(page: Page): Locator {
  return page.getByRole('region', { name: 'Download' });
}

/** The files of a downloaded ZIP, in their order. */
async function unzip(download: Download): Promise<[name: string, content: Buffer][]> {
  const files = unzipSync(readFileSync(await download.path()));
  return Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]);
}

/** Holds back requests until the returned function is called. */
async function hold(page: Page, url: string): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(url, async (route: Route) => {
    await released;
    // The page may have aborted the request.
    await route.continue().catch(() => {});
  });
  return release;
}

test('downloads the selected pictures with their names, and numbers duplicates', async ({ page, person }) => {
  await seed(person, 6, (index) => (index === 2 || index === 3 ? { fileName: 'Same.jpg' } : {}));
  await openGallery(page, 6);
  await select(page, '1.jpg');
  await select(page, '4.jpg', ['Shift']);
  const downloading = page.waitForEvent('download');
  await button(page, 'Download').click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^pictures-\d{4}-\d\d-\d\d\.zip$/);
  const files = await unzip(download);
  expect(files.map(([name]) => name)).toEqual(['1.jpg', 'Same.jpg', 'Same (2).jpg', '4.jpg']);
  for (const [name, content] of files) expect(content.equals(CAT), name).toBe(true);
  await expect(panel(page)).toContainText('Downloaded 4 pictures');
  await expect(page.getByRole('log')).toContainText('Downloaded 4 pictures');
  await expect(toolbar(page)).toContainText('4 selected');
  await panel(page).getByRole('button', { name: 'Close' }).click();
  await expect(panel(page)).toHaveCount(0);
});

test('downloads original files, also those that the browser cannot display', async ({ page }) => {
  const files = [sample('coffee.jpg', 'Café ☕.jpg'), heic('cat.heic')];
  await page.goto('/');
  await drop(page, ...files);
  for (const { name } of files) await expect(tile(page, name, 'C')).toBeVisible();
  await tabTo(page, tile(page, 'cat.heic'));
  await page.keyboard.press('ControlOrMeta+a');
  const downloading = page.waitForEvent('download');
  await button(page, 'Download').click();
  const unpacked = new Map(await unzip(await downloading));
  for (const { name, buffer } of files) expect(unpacked.get(name)?.equals(buffer), name).toBe(true);
});

test('downloads with the keyboard only, and cancels', async ({ page, person }) => {
  await seed(person, 8);
  await openGallery(page, 8);
  const release = await hold(page, FILES);
  await tabTo(page, tile(page, '0.jpg'));
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('Alt+F10');
  // After "Select all loaded" and "Edit labels".
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(button(page, 'Download')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(panel(page)).toContainText('Downloading… 0 of 8');
  await expect(page.getByRole('log')).toContainText('Downloading… 0 of 8');
  await expect(button(page, 'Download')).toHaveAttribute('aria-disabled', 'true');
  const cancel = panel(page).getByRole('button', { name: 'Cancel download' });
  await tabTo(page, cancel, 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(panel(page)).toHaveCount(0);
  await expect(page.getByRole('log')).toContainText('Download canceled');
  await expect(page.locator('ilg-gallery a:focus')).toHaveCount(1);

  await page.keyboard.press('Alt+F10');
  // After "Select all loaded" and "Edit labels".
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(button(page, 'Download')).not.toHaveAttribute('aria-disabled');
  release();
  const downloading = page.waitForEvent('download');
  await page.keyboard.press('Enter');
  expect(await unzip(await downloading)).toHaveLength(8);
});

test.describe('some pictures cannot be fetched', () => {
  test.use({ expectedError: /status of 404|net::ERR_FAILED/ });

  test('the others are saved, and the ZIP names the missing ones', async ({ page, person }) => {
    await seed(person, 3);
    await openGallery(page, 3);
    await page.route(/\/api\/images\/.*1$/, (route) => route.fulfill({ status: 404, json: {} }));
    let lost = 0;
    await page.route(FILES, (route) => {
      lost += 1;
      return lost === 1 ? route.abort() : route.fallback();
    });
    await select(page, '0.jpg');
    await select(page, '2.jpg', ['Shift']);
    const downloading = page.waitForEvent('download');
    await button(page, 'Download').click();
    const files = await unzip(await downloading);
    expect(files.map(([name]) => name)).toEqual(['0.jpg', '2.jpg', 'Missing pictures.txt']);
    expect(strFromU8(files[2]?.[1] ?? new Uint8Array())).toContain('1.jpg: Picture not found. It may have been deleted.');
    await expect(panel(page)).toContainText('Downloaded 2 of 3 pictures');
    await expect(panel(page)).toContainText('Missing: 1.jpg. “Missing pictures.txt” in the ZIP says why.');
    await checkAccessibility(page, 'missing pictures', [320, 1024]);
  });

  test('nothing is saved if all are missing', async ({ page, person }) => {
    await seed(person, 2);
    await openGallery(page, 2);
    await page.route(/\/api\/images\/\w.*$/, (route) => route.fulfill({ status: 404, json: {} }));
    let downloads = 0;
    page.on('download', () => {
      downloads += 1;
    });
    await select(page, '0.jpg');
    await button(page, 'Download').click();
    await expect(panel(page)).toContainText("Couldn't download the pictures");
    await expect(panel(page)).toContainText('Picture not found.');
    expect(downloads).toBe(0);
  });
});

test('says that a selection is too large for this browser, and requests nothing', async ({ page, person }) => {
  await seed(person, 2);
  await page.route('**/api/images?*', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const image of body.images) image.size = 600 * 1024 * 1024;
    return route.fulfill({ response, json: body });
  });
  await openGallery(page, 2);
  let requested = 0;
  page.on('request', (request) => {
    requested += Number(/\/api\/images\/\w/.test(request.url()));
  });
  await select(page, '0.jpg');
  await select(page, '1.jpg');
  await button(page, 'Download').click();
  await expect(panel(page)).toContainText('This browser can download up to 1.0 GB at once.');
  expect(requested).toBe(0);
});

test.describe('a browser that writes files', () => {
  /** Stands in for the dialog: the person chooses `chosen.zip`, in the browser's private file system. */
  test.beforeEach(({ page }) =>
    page.addInitScript(() => {
      const folder = () => navigator.storage.getDirectory();
      Object.assign(window, {
        showSaveFilePicker: async () => (await folder()).getFileHandle('chosen.zip', { create: true }),
      });
    }),
  );

  /** The chosen file, or `undefined` if it does not exist. */
  async function chosenFile(page: Page): Promise<Buffer | undefined> {
    const content = await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const handle = await folder.getFileHandle('chosen.zip').catch(() => undefined);
      return handle && [...new Uint8Array(await (await handle.getFile()).arrayBuffer())];
    });
    return content && Buffer.from(content);
  }

  test('writes the ZIP while the pictures arrive', async ({ page, person }) => {
    await seed(person, 5);
    await openGallery(page, 5);
    await select(page, '0.jpg');
    await page.keyboard.press('ControlOrMeta+a');
    await button(page, 'Download').click();
    await expect(panel(page)).toContainText('Downloaded 5 pictures');
    const files = unzipSync((await chosenFile(page)) ?? Buffer.alloc(0));
    expect(Object.keys(files)).toEqual(['0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg']);
    expect(Buffer.from(files['4.jpg'] ?? []).equals(CAT)).toBe(true);
  });

  test('a canceled download leaves no file', async ({ page, person }) => {
    await seed(person, 5);
    await openGallery(page, 5);
    const release = await hold(page, FILES);
    await select(page, '0.jpg');
    await page.keyboard.press('ControlOrMeta+a');
    await button(page, 'Download').click();
    await expect(panel(page)).toContainText('Downloading… 0 of 5');
    expect(await chosenFile(page)).toHaveLength(0);
    await panel(page).getByRole('button', { name: 'Cancel download' }).click();
    await expect(panel(page)).toHaveCount(0);
    await expect.poll(() => chosenFile(page)).toBeUndefined();
    release();
  });
});

test('the running download is accessible in light and dark, at every width', async ({ page, person }) => {
  await seed(person, 8);
  await openGallery(page, 8);
  const release = await hold(page, FILES);
  await select(page, '0.jpg');
  await page.keyboard.press('ControlOrMeta+a');
  await button(page, 'Download').click();
  await expect(panel(page)).toContainText('Downloading… 0 of 8');
  await checkAccessibility(page, 'downloading', [320, 390, 1024]);
  release();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('downloads with taps', async ({ page, person }) => {
    await seed(person, 4);
    await openGallery(page, 4);
    await page.getByRole('checkbox', { name: /^Select loaded pictures of/ }).first().tap();
    await expect(button(page, 'Download')).toBeInViewport({ ratio: 1 });
    const downloading = page.waitForEvent('download');
    await button(page, 'Download').tap();
    expect((await unzip(await downloading)).length).toBeGreaterThan(0);
    const close = panel(page).getByRole('button', { name: 'Close' });
    expect((await close.boundingBox())?.width).toBeGreaterThanOrEqual(44);
    await close.tap();
    await expect(panel(page)).toHaveCount(0);
  });
});
