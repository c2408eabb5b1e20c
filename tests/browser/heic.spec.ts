// Pictures as iPhones take them: nothing behind the page reads HEIC, so the page makes JPEG of it.
import { drop, expect, label, picture, test, tile, upload } from './app.ts';
import { heic, sample } from './files.ts';

test('a HEIC picture is converted, upright, and keeps what the phone knew about it', async ({ page }) => {
  await page.goto('/');
  const types: (string | undefined)[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PUT') types.push(request.headers()['content-type']);
  });
  await drop(page, heic('cat.heic', 'IMG_0001.HEIC'));
  await tile(page, 'IMG_0001.jpg', 'Cat').click();
  expect(types).toEqual(['image/jpeg']);

  const view = picture(page, 'IMG_0001.jpg');
  for (const fact of ['451 × 300 pixels', 'Example Phone 1', 'Back camera', 'ƒ/1.8 · 1/120 s · 5.7 mm · ISO 80']) {
    await expect(view.getByText(fact, { exact: true })).toBeVisible();
  }
  await expect(view.getByText('May 4, 2026, 10:20', { exact: false })).toBeVisible();
  await expect(view.getByText('33.8583° S, 151.2° E')).toBeVisible();

  // The cat sits in the middle, upright, and the box is drawn around it.
  await label(view, 'Cat').hover();
  const box = await view.locator('.box[data-on]').first().boundingBox();
  const shown = await view.getByRole('img').boundingBox();
  if (!box || !shown) throw new Error('picture and box are not drawn');
  expect(shown.width / shown.height).toBeCloseTo(451 / 300, 1);
  expect(box.height).toBeGreaterThan(shown.height / 2);
  expect(box.x).toBeLessThan(shown.x + shown.width / 2);
  expect(box.x + box.width).toBeGreaterThan(shown.x + shown.width / 2);
});

test('the colors of a phone’s wide screen come out as they were seen', async ({ page }) => {
  await page.goto('/');
  await drop(page, heic('red-p3.heic'));
  await upload(page, 'red-p3.heic').getByRole('link').click();
  const link = picture(page, 'red-p3.jpg').getByRole('link', { name: 'Download' });
  const jpeg = await (await page.request.get((await link.getAttribute('href')) ?? '')).body();
  const red = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const context = new OffscreenCanvas(96, 96).getContext('2d');
    context?.drawImage(await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' })), 0, 0);
    return [...(context?.getImageData(48, 48, 1, 1).data ?? [])];
  }, jpeg.toString('base64'));
  // Display P3's (234, 51, 35) is sRGB's pure red; read as sRGB it would be a dull one.
  for (const [index, value] of [255, 0, 0].entries()) expect(Math.abs((red[index] ?? 128) - value)).toBeLessThan(12);
});

test.describe('the converter cannot be fetched', () => {
  test.use({ provoked: /ERR_FAILED|Failed to fetch/ });

  test('the page says so, and trying again labels the picture', async ({ page }) => {
    await page.goto('/');
    await page.route('**/*.wasm', (route) => route.abort());
    await drop(page, heic('cat.heic'));
    await expect(upload(page, 'cat.heic')).toContainText('What converts HEIC pictures could not be loaded.');
    await page.unrouteAll();
    await upload(page, 'cat.heic').getByRole('button', { name: 'Try again' }).click();
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  });
});

test('who adds no HEIC picture loads no converter', async ({ page }) => {
  const loaded: string[] = [];
  page.on('request', (request) => void loaded.push(request.url()));
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  expect(loaded.filter((url) => /heic|heif|\.wasm/.test(url))).toEqual([]);
});
