// Finding pictures by label, confidence, status and date.
import { drop, expect, test, tile, tiles } from './app.ts';
import { damaged, sample } from './files.ts';

test.beforeEach(async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'), sample('coffee.jpg'), damaged());
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await expect(tile(page, 'coffee.jpg', '\\w')).toBeVisible();
  await expect(tile(page, 'half-a-cat.webp', 'Rejected')).toBeVisible();
});

test('suggests labels with counts, and filters the gallery by the chosen one', async ({ page }) => {
  const field = page.getByRole('combobox', { name: 'Search pictures by label' });
  await field.pressSequentially('ca');
  await expect(page.getByRole('option', { name: 'Cat 1 picture', exact: true })).toBeVisible();
  await field.press('ArrowDown');
  await field.press('Enter');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'cat.jpg')).toBeVisible();
  expect(new URL(page.url()).searchParams.getAll('label').map((label) => label.toLowerCase())).toHaveLength(1);

  await page.reload();
  await expect(tiles(page)).toHaveCount(1);
  await page.goBack();
  await expect(tiles(page)).toHaveCount(3);
  await page.goForward();
  await expect(tiles(page)).toHaveCount(1);
});

test('filters by all of several labels, which can be removed one by one', async ({ page }) => {
  await page.goto('/?label=Cat&label=Animal');
  await expect(tiles(page)).toHaveCount(1);
  await page.goto('/?label=Cat&label=Cup');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await page.getByRole('button', { name: 'Remove Cup' }).click();
  await expect(tile(page, 'cat.jpg')).toBeVisible();
  await page.getByRole('button', { name: 'Remove Cat' }).click();
  await expect(tiles(page)).toHaveCount(3);
});

test('filters by confidence', async ({ page }) => {
  await page.goto('/?label=Cat');
  await expect(tiles(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('slider', { name: /Confidence/ }).fill('100');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  expect(new URL(page.url()).search).toBe('?label=Cat&minConfidence=100');
});

test('filters by status and by date', async ({ page }) => {
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('combobox', { name: 'Status' }).selectOption('Rejected');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'half-a-cat.webp')).toBeVisible();
  await page.getByRole('combobox', { name: 'Status' }).selectOption('Any');
  await expect(tiles(page)).toHaveCount(3);
  await page.getByLabel('To', { exact: true }).fill('2020-01-01');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove Until Jan 1, 2020' }).click();
  await expect(tiles(page)).toHaveCount(3);
});
