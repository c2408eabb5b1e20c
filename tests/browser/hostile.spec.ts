// File names and label names are displayed as text, whatever they contain.
import { drop, expect, picture, test, tile } from './app.ts';
import { sample, textNamedJpg } from './files.ts';
import { seed } from './seed.ts';

const HOSTILE = '<img src=x onerror="window.hacked = true">"\'><script>window.hacked = true<script>${7*7}';
/** A name that can be searched for: without `|` and `>`. */
const HOSTILE_NAME = '<img src=x onerror="window.hacked = true" ${7*7}';

test('a hostile file name', async ({ page }) => {
  const name = `${HOSTILE}.jpg`.replaceAll('/', '_');
  await page.goto('/');
  await drop(page, sample('cat.jpg', name), { ...textNamedJpg, name: `notes ${name}` });
  await expect(tile(page, name, 'Cat')).toBeVisible();
  await page.reload();
  await tile(page, name, 'Cat').click();
  await expect(picture(page, name).getByRole('heading', { name, exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText(`Deleted ${name}`)).toBeVisible();
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('a file name with a direction mark or a line break is displayed without it', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg', 'photo\u202Egpj.exe\n.jpg'));
  await expect(tile(page, 'photo_gpj.exe_.jpg', 'Cat')).toBeVisible();
});

test('hostile labels, in the gallery, the search, the picture and the settings', async ({ page, person }) => {
  await seed(person, 1, () => ({ labels: [HOSTILE, HOSTILE_NAME, 'Cat'], fileName: 'seeded.jpg' }));
  await page.goto('/');
  await tile(page, 'seeded.jpg').click();
  await expect(picture(page, 'seeded.jpg').getByText(HOSTILE, { exact: true }).first()).toBeVisible();
  await page.goto(`/?label=${encodeURIComponent(HOSTILE_NAME)}`);
  await expect(page.getByRole('button', { name: `Remove ${HOSTILE_NAME}` })).toBeVisible();
  await page.goto('/settings');
  await page.getByRole('combobox', { name: 'Add a label to include' }).fill(HOSTILE);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: `Remove ${HOSTILE}` })).toBeVisible();
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});
