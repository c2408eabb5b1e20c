// Any picture people have: a folder with one of each kind, and what a person sees of each.
import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, label, picture, test, tile, tiles } from './app.ts';

const pictures = fileURLToPath(new URL('../pictures/', import.meta.url));
const samples = fileURLToPath(new URL('../../samples/', import.meta.url));

// Recording a trace reads again what the browser could not show (TIFF), against the page's security policy.
test.use({ trace: 'off' });

test('of a folder with one picture of each kind, every one is labeled, shown, and has its box where the cat is', async ({ page }) => {
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'kinds-'));
  const names = readdirSync(pictures).filter((name) => !/\.py$|^red/.test(name));
  for (const name of names) cpSync(join(pictures, name), join(folder, name));
  cpSync(join(samples, 'cat.jpg'), join(folder, 'sample.jpg'));
  names.push('sample.jpg');

  await page.goto('/');
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await (await chooser).setFiles(folder);
  await expect(page.getByRole('region', { name: 'Uploads' })).toContainText(`${names.length} labeled`);
  await expect(tiles(page)).toHaveCount(names.length);
  await page.getByRole('button', { name: 'Close the list' }).click();

  for (const name of names) {
    const stored = name.replace(/\.heic$/, '.jpg');
    const shown = tile(page, stored, 'Cat');
    await shown.scrollIntoViewIfNeeded();
    await expect(shown.locator('img[data-loaded]'), name).toBeVisible();
    await shown.click();
    const view = picture(page, stored);
    const image = view.getByRole('img', { name: new RegExp(`^${stored}: `) });
    await expect.poll(() => image.evaluate((seen: HTMLImageElement) => seen.naturalWidth), name).toBeGreaterThan(0);
    await label(view, 'Cat').hover();
    const box = await view.locator('.box[data-on]').first().boundingBox();
    const drawn = await image.boundingBox();
    if (!box || !drawn) throw new Error(`${name}: picture and box are not drawn`);
    // Upright, the picture is 3 to 2, and its box leaves out a stripe at the right.
    expect(drawn.width / drawn.height, name).toBeCloseTo(1.5, 1);
    expect((box.x - drawn.x) / drawn.width, name).toBeLessThan(0.15);
    expect((box.x + box.width - drawn.x) / drawn.width, name).toBeLessThan(0.97);
    expect((box.x + box.width - drawn.x) / drawn.width, name).toBeGreaterThan(0.7);
    expect(box.height / drawn.height, name).toBeGreaterThan(0.7);
    await view.getByRole('button', { name: 'Back' }).click();
    await expect(view).toBeHidden();
  }
});
