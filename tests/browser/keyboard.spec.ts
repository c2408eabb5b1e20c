// Using the page with the keyboard only.
import type { Locator, Page } from '@playwright/test';
import { expect, label, picture, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';

/** Presses Tab until the target has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(async () => {
    await page.keyboard.press('Tab');
    await expect(target).toBeFocused({ timeout: 100 });
  }).toPass({ intervals: [0] });
}

test('adds, opens, deletes, restores and finds a picture with the keyboard', async ({ page }) => {
  await page.goto('/');
  await tabTo(page, page.getByRole('button', { name: 'Choose pictures' }));
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(sample('cat.jpg'));

  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await tabTo(page, tile(page, 'cat.jpg'));
  await page.keyboard.press('Enter');
  const view = picture(page, 'cat.jpg');
  await expect(view.getByRole('heading', { name: 'cat.jpg' })).toBeFocused();

  await expect(label(view, 'Cat')).toBeVisible();
  const name = label(view, 'Cat').getByRole('button', { name: /^Cat, show \d+ instances? in the picture$/ });
  await tabTo(page, name);
  await expect(view.locator('.box[data-on]').first()).toContainText('Cat');
  await page.keyboard.press('Enter');
  await expect(name).toHaveAttribute('aria-pressed', 'true');

  await page.keyboard.press('Delete');
  await expect(tiles(page)).toHaveCount(0);
  await page.keyboard.press('Control+z');
  await expect(tile(page, 'cat.jpg')).toBeVisible();

  await page.keyboard.press('/');
  await expect(page.getByRole('combobox', { name: 'Search pictures by label' })).toBeFocused();
  await page.keyboard.type('cat');
  await expect(page.getByRole('option', { name: 'Cat 1 picture', exact: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Remove Cat' })).toBeVisible();
  await expect(tiles(page)).toHaveCount(1);

  await tabTo(page, page.getByRole('button', { name: /^Account/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('link', { name: 'Settings' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});
