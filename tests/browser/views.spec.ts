// Every view in light and dark: axe finds nothing wrong with it, and a screenshot at three widths lets people judge.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { card, drop, expect, label, test, throttleUploads } from './app.ts';
import { heic, sample, truncated } from './files.ts';

const WIDTHS = [390, 1024, 1920];

async function judge(page: Page, view: string, scheme: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `nothing is cut off at ${width} px`).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `${test.info().project.outputDir}/screenshots/${view}-${width}-${scheme}.png`, fullPage: true });
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
}

for (const scheme of ['light', 'dark'] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });

    test.describe('signed out', () => {
      test.use({ storageState: { cookies: [], origins: [] } });

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

    test('an upload under way', async ({ page }) => {
      await page.goto('/');
      await throttleUploads(page, 1_000);
      await drop(page, sample('cat.jpg'));
      await expect(card(page, 'cat.jpg')).toContainText('Uploading…');
      await judge(page, 'uploading', scheme);
    });

    test('labels', async ({ page }) => {
      await page.goto('/');
      await drop(page, sample('cat.jpg'));
      await label(card(page, 'cat.jpg'), 'Cat').hover();
      await page.getByText('Parents and categories').click();
      await judge(page, 'labeled', scheme);
    });

    test('several pictures, some of them refused', async ({ page }) => {
      await page.goto('/');
      await drop(page, sample('cat.jpg'), truncated(), heic, sample('coffee.jpg'));
      await expect(label(card(page, 'cat.jpg'), 'Cat')).toBeVisible();
      await expect(card(page, 'coffee.jpg').getByRole('meter').first()).toBeVisible();
      await expect(card(page, 'half-a-cat.jpg')).toContainText('This file cannot be labeled');
      await judge(page, 'rejected', scheme);
    });

    test('the results after a reload', async ({ page }) => {
      await page.goto('/');
      await drop(page, sample('cat.jpg'));
      await expect(label(card(page, 'cat.jpg'), 'Cat')).toBeVisible();
      await page.reload();
      await expect(label(card(page, 'cat.jpg'), 'Cat')).toBeVisible();
      await judge(page, 'reloaded', scheme);
    });
  });
}
