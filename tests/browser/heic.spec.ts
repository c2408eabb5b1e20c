// HEIC pictures, which iPhones take: most browsers cannot display them, so the page shows thumbnails.
import { drop, expect, label, picture, test, tile, upload } from './app.ts';
import { heic } from './files.ts';

// Recording a trace loads pictures that the browser cannot display, which violates the content security policy.
test.use({ trace: 'off' });

test('a HEIC picture is uploaded as it is, and displayed upright with its metadata', async ({ page }) => {
  await page.goto('/');
  const types: (string | undefined)[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PUT') types.push(request.headers()['content-type']);
  });
  await drop(page, heic('cat.heic', 'IMG_0001.HEIC'));
  const shown = tile(page, 'IMG_0001.HEIC', 'Cat');
  await expect(shown.locator('img[data-loaded]')).toBeVisible();
  await shown.click();
  expect(types).toEqual(['image/heic']);

  const view = picture(page, 'IMG_0001.HEIC');
  for (const fact of ['451 × 300 pixels', 'Example Phone 1', 'Back camera', 'ƒ/1.8 · 1/120 s · 5.7 mm · ISO 80']) {
    await expect(view.getByText(fact, { exact: true })).toBeVisible();
  }
  await expect(view.getByText('May 4, 2026, 10:20', { exact: false })).toBeVisible();
  await expect(view.getByText('33.8583° S, 151.2° E')).toBeVisible();

  // The cat is upright in the middle, and its box surrounds it.
  const image = view.getByRole('img');
  await expect.poll(() => image.evaluate((seen: HTMLImageElement) => seen.naturalWidth)).toBe(451);
  await label(view, 'Cat').hover();
  const box = await view.locator('.box[data-on]').first().boundingBox();
  const drawn = await image.boundingBox();
  if (!box || !drawn) throw new Error('picture and box are not drawn');
  expect(drawn.width / drawn.height).toBeCloseTo(451 / 300, 1);
  expect(box.height).toBeGreaterThan(drawn.height / 2);
  expect(box.x).toBeLessThan(drawn.x + drawn.width / 2);
  expect(box.x + box.width).toBeGreaterThan(drawn.x + drawn.width / 2);
});

test('Display P3 colors are displayed correctly', async ({ page }) => {
  await page.goto('/');
  await drop(page, heic('red-p3.heic'));
  await upload(page, 'red-p3.heic').getByRole('link').click();
  const image = picture(page, 'red-p3.heic').getByRole('img');
  await expect.poll(() => image.evaluate((seen: HTMLImageElement) => seen.naturalWidth)).toBe(96);
  const jpeg = await (await page.request.get((await image.getAttribute('src')) ?? '')).body();
  const red = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const context = new OffscreenCanvas(96, 96).getContext('2d');
    context?.drawImage(await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' })), 0, 0);
    return [...(context?.getImageData(48, 48, 1, 1).data ?? [])];
  }, jpeg.toString('base64'));
  // (234, 51, 35) in Display P3 is pure red in sRGB.
  for (const [index, value] of [255, 0, 0].entries()) expect(Math.abs((red[index] ?? 128) - value)).toBeLessThan(12);
});
