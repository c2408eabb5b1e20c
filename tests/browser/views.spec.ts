// Every view in light and dark: axe finds nothing wrong with it, nothing is cut off at any width, and screenshots at
// three widths let people judge. `npm run screenshots` puts those into docs/screenshots/.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { drop, expect, label, picture, test, throttleUploads, tile, tiles, upload } from './app.ts';
import { sample, textNamedJpg, truncated } from './files.ts';
import type { Person } from './people.ts';
import { PHOTOGRAPHS, seed } from './seed.ts';

const WIDTHS = [390, 1024, 1920];

async function judge(page: Page, view: string, scheme: string): Promise<void> {
  const folder = process.env['ILG_SCREENSHOTS'] ?? `${test.info().project.outputDir}/screenshots`;
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(overflow, `nothing is cut off at ${width} px`).toBeLessThanOrEqual(0);
    // A gallery that is covered by another view fetches nothing.
    const gallery = page.locator('.under:not([inert])').locator('ilg-gallery');
    await expect(gallery.locator('img:not([data-loaded]), [data-status=LABELED] .blank')).toHaveCount(0);
    await page.screenshot({ path: `${folder}/${view}-${width}-${scheme}.jpg`, type: 'jpeg', quality: 70 });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
  }
}

/** The picture at the top of README.md. */
async function forReadme(page: Page, scheme: string): Promise<void> {
  if (!process.env['ILG_SCREENSHOTS'] || scheme !== 'light') return;
  await page.setViewportSize({ width: 1280, height: 760 });
  await page.screenshot({ path: '../docs/page.png' });
}

/** A library as somebody has who uses this for a while. */
async function library(page: Page, person: Person): Promise<void> {
  await seed(person, 60, (index) => PHOTOGRAPHS[(index * 7 + Math.floor(index / 3)) % PHOTOGRAPHS.length] ?? {});
  await page.goto('/');
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
}

for (const scheme of ['light', 'dark'] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });

    test.describe('signed out', () => {
      test.use({ signedIn: false });

      test('the welcome', async ({ page }) => {
        await page.goto('/');
        await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
        await judge(page, 'welcome', scheme);
      });
    });

    test('the invitation', async ({ page }) => {
      await page.goto('/');
      await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeVisible();
      await judge(page, 'empty', scheme);
    });

    test('the gallery', async ({ page, person }) => {
      await library(page, person);
      await judge(page, 'gallery', scheme);
    });

    test('uploads under way, one of them refused', async ({ page, person }) => {
      await library(page, person);
      await throttleUploads(page, 1_000);
      await drop(page, textNamedJpg, sample('cat.jpg'), sample('coffee.jpg'), sample('photographer.jpg'), sample('astronaut.jpg'));
      await expect(upload(page, 'cat.jpg')).toContainText('Uploading…');
      await judge(page, 'uploading', scheme);
    });

    test('finding', async ({ page, person }) => {
      await library(page, person);
      await drop(page, sample('cat.jpg'));
      await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
      await page.getByRole('button', { name: 'Close the list' }).click();
      await page.getByRole('combobox', { name: 'Find pictures by label' }).fill('a');
      await expect(page.getByRole('option').first()).toBeVisible();
      await judge(page, 'find', scheme);
      await page.goto('/?label=Cat');
      await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
      await page.getByRole('button', { name: 'Filters' }).click();
      await judge(page, 'filters', scheme);
    });

    test('nothing found', async ({ page }) => {
      await page.goto('/?label=Unicorn');
      await expect(page.getByRole('heading', { name: 'No picture matches' })).toBeVisible();
      await judge(page, 'nothing-found', scheme);
    });

    test('a picture, and what happened to it', async ({ page, person }) => {
      await library(page, person);
      await drop(page, sample('cat.jpg'));
      await tile(page, 'cat.jpg', 'Cat').click();
      const view = picture(page, 'cat.jpg');
      await label(view, 'Cat').getByRole('button').click();
      await judge(page, 'picture', scheme);
      await forReadme(page, scheme);
      await view.getByText('What happened').click();
      await expect(view.locator('ilg-execution-graph').getByRole('listitem')).toHaveCount(5);
      await view.locator('ilg-execution-graph').getByRole('listitem').last().scrollIntoViewIfNeeded();
      await judge(page, 'what-happened', scheme);
    });

    test('a picture that was refused', async ({ page }) => {
      await page.goto('/');
      await drop(page, truncated());
      await tile(page, 'half-a-cat.jpg', 'Refused').click();
      await expect(picture(page, 'half-a-cat.jpg')).toContainText('This file cannot be labeled');
      await judge(page, 'refused', scheme);
    });

    test('the settings', async ({ page }) => {
      await page.goto('/');
      await drop(page, sample('cat.jpg'));
      await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
      await page.goto('/settings');
      await expect(page.getByRole('complementary')).toBeVisible();
      await page.getByRole('combobox', { name: 'Add a label to leave out' }).fill('Mammal');
      await page.keyboard.press('Enter');
      await judge(page, 'settings', scheme);
    });
  });
}
