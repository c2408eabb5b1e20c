// The main views in light and dark, at three widths: axe finds no accessibility problems, and nothing is cut off.
// `npm run screenshots` also writes screenshots to docs/screenshots/.
import type { Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { drop, expect, label, picture, test, throttleUploads, tile, tiles, upload } from './app.ts';
import { damaged, sample, textNamedJpg } from './files.ts';
import type { Person } from './people.ts';
import { PHOTOGRAPHS, seed } from './seed.ts';

const WIDTHS = [390, 1024, 1920];

test.use({ contextOptions: { reducedMotion: 'reduce' } });

async function check(page: Page, view: string): Promise<void> {
  const folder = process.env['ILG_SCREENSHOTS'];
  await checkAccessibility(page, view, WIDTHS, async (width, colorScheme) => {
    // A gallery that is covered by another view does not load pictures.
    const gallery = page.locator('.under:not([inert])').locator('ilg-gallery');
    await expect(gallery.locator('img:not([data-loaded]), [data-status=LABELED] .blank')).toHaveCount(0);
    if (folder) await page.screenshot({ path: `${folder}/${view}-${width}-${colorScheme}.jpg`, type: 'jpeg', quality: 70 });
  });
}

/** The screenshot in README.md. */
async function screenshotForReadme(page: Page): Promise<void> {
  if (!process.env['ILG_SCREENSHOTS']) return;
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 760 });
  await page.screenshot({ path: '../docs/page.png' });
}

/** A library with 60 pictures. */
async function library(page: Page, person: Person): Promise<void> {
  await seed(person, 60, (index) => PHOTOGRAPHS[(index * 7 + Math.floor(index / 3)) % PHOTOGRAPHS.length] ?? {});
  await page.goto('/');
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
}

test.describe('signed out', () => {
  test.use({ signedIn: false });

  test('welcome page', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await check(page, 'welcome');
  });
});

test('empty library', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeVisible();
  await check(page, 'empty');
});

test('gallery', async ({ page, person }) => {
  await library(page, person);
  await check(page, 'gallery');
});

test('uploads in progress, one rejected', async ({ page, person }) => {
  await library(page, person);
  await throttleUploads(page, 200);
  await drop(page, textNamedJpg, sample('cat.jpg'), sample('coffee.jpg'), sample('photographer.jpg'), sample('astronaut.jpg'));
  await expect(upload(page, 'cat.jpg')).toContainText('Uploading…');
  await check(page, 'uploading');
});

test('search and filters', async ({ page, person }) => {
  await library(page, person);
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.getByRole('button', { name: 'Close list' }).click();
  await page.getByRole('combobox', { name: 'Search pictures by label' }).fill('a');
  await expect(page.locator('ilg-find-bar').getByRole('option').first()).toBeVisible();
  await check(page, 'find');
  await page.goto('/?label=Cat');
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
  await page.getByRole('button', { name: 'Filters' }).click();
  await check(page, 'filters');
});

test('keyboard shortcuts', async ({ page, person }) => {
  await library(page, person);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await check(page, 'shortcuts');
});

test('no pictures found', async ({ page }) => {
  await page.goto('/?label=Unicorn');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await check(page, 'no-results');
});

test('picture and its processing steps', async ({ page, person }) => {
  await library(page, person);
  await drop(page, sample('cat.jpg'));
  await tile(page, 'cat.jpg', 'Cat').click();
  const view = picture(page, 'cat.jpg');
  await label(view, 'Cat').getByRole('button', { name: /^Cat, show/ }).click();
  await check(page, 'picture');
  await screenshotForReadme(page);
  await view.getByText('Processing steps').click();
  await expect(view.locator('ilg-execution-graph').getByRole('listitem')).toHaveCount(5);
  await view.locator('ilg-execution-graph').getByRole('listitem').last().scrollIntoViewIfNeeded();
  await check(page, 'processing-steps');
});

test('rejected picture', async ({ page }) => {
  await page.goto('/');
  await drop(page, damaged());
  await tile(page, 'half-a-cat.webp', 'Rejected').click();
  await expect(picture(page, 'half-a-cat.webp')).toContainText("This file can't be labeled");
  await check(page, 'rejected');
});

test('settings', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.goto('/settings');
  await expect(page.getByRole('complementary')).toBeVisible();
  await page.getByRole('combobox', { name: 'Add a label to exclude' }).fill('Mammal');
  await page.keyboard.press('Enter');
  await check(page, 'settings');
});
