// A folder with one picture of each supported format.
import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, label, picture, test, tile, tiles } from './app.ts';

const pictures = fileURLToPath(new URL('../pictures/', import.meta.url));
const samples = fileURLToPath(new URL('../../samples/', import.meta.url));

// Recording a trace loads pictures that the browser cannot display (TIFF, HEIC), which violates the content security policy.
test.use({ trace: 'off' });

test('every format is labeled and displayed, and has its box around the cat', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'kinds-'));
  // No scripts, and nothing that Python or a file manager has left in the folder.
  const names = readdirSync(pictures).filter((name) => /\.(avif|bmp|gif|heic|jpg|png|tif|webp)$/.test(name) && !name.startsWith('red'));
  for (const name of names) cpSync(join(pictures, name), join(folder, name));
  cpSync(join(samples, 'cat.jpg'), join(folder, 'sample.jpg'));
  names.push('sample.jpg');

  await page.goto('/');
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await (await chooser).setFiles(folder);
  // All of them take longer than one picture.
  const uploads = page.getByRole('region', { name: 'Uploads' });
  await expect(uploads).toContainText(`${names.length} labeled`, { timeout: 600_000 });
  await expect(tiles(page)).toHaveCount(names.length);
  await page.getByRole('button', { name: 'Close list' }).click();

  for (const name of names) {
    const shown = tile(page, name, 'Cat');
    await shown.scrollIntoViewIfNeeded();
    await expect(shown.locator('img[data-loaded]'), name).toBeVisible();
    await shown.click();
    const view = picture(page, name);
    const image = view.getByRole('img', { name: new RegExp(`^${name}: `) });
    await expect.poll(() => image.evaluate((seen: HTMLImageElement) => seen.naturalWidth), name).toBeGreaterThan(0);
    await label(view, 'Cat').hover();
    const box = await view.locator('.box[data-on]').first().boundingBox();
    const drawn = await image.boundingBox();
    if (!box || !drawn) throw new Error(`${name}: picture and box are not drawn`);
    // The upright picture is 3:2, and there is a margin on the right of its box.
    expect(drawn.width / drawn.height, name).toBeCloseTo(1.5, 1);
    expect((box.x - drawn.x) / drawn.width, name).toBeLessThan(0.15);
    expect((box.x + box.width - drawn.x) / drawn.width, name).toBeLessThan(0.97);
    expect((box.x + box.width - drawn.x) / drawn.width, name).toBeGreaterThan(0.7);
    expect(box.height / drawn.height, name).toBeGreaterThan(0.7);
    await view.getByRole('button', { name: 'Back' }).click();
    await expect(view).toBeHidden();
  }
});
