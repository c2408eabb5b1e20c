// Exporting labels: of the selection, of a search, and of everything.
import { readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { expect, tabTo, test, tile } from './app.ts';
import { seed } from './seed.ts';
import { button, openGallery, select, toolbar } from './selecting.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

function dialog(page: Page): Locator {
  return page.getByRole('dialog', { name: 'Export labels' });
}

function panel(page: Page): Locator {
  return page.getByRole('region', { name: 'Export labels' });
}

async function openFromMenu(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('button', { name: 'Export labels…' }).click();
  await expect(dialog(page)).toBeVisible();
}

/** Exports what the dialog offers, and returns the lines of the downloaded table. */
async function exportTable(page: Page): Promise<string[]> {
  await dialog(page).getByRole('button', { name: 'Export', exact: true }).click();
  await expect(dialog(page)).toBeHidden();
  const file = panel(page).getByRole('link', { name: /^Download labels-.*\.csv$/ });
  await expect(file).toBeVisible();
  const downloading = page.waitForEvent('download');
  await file.click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^labels-\d{4}-\d\d-\d\d\.csv$/);
  return readFileSync(await download.path(), 'utf8')
    .trimEnd()
    .split('\r\n')
    .slice(1);
}

/** The names of the pictures in a table. */
function names(lines: readonly string[]): string[] {
  return [...new Set(lines.map((line) => line.split(',')[1] ?? ''))].sort();
}

test('the files of an export are there after a reload', async ({ page, person }) => {
  await seed(person, 3);
  await openGallery(page, 3);
  await openFromMenu(page);
  await expect(dialog(page).getByRole('heading', { name: 'Earlier exports' })).toBeHidden();
  const lines = await exportTable(page);
  await page.reload();
  await openFromMenu(page);
  await dialog(page).getByRole('button', { name: /^Show files: CSV, / }).click();
  await expect(dialog(page)).toBeHidden();
  const downloading = page.waitForEvent('download');
  await panel(page).getByRole('link', { name: /^Download labels-/ }).click();
  const again = readFileSync(await (await downloading).path(), 'utf8');
  expect(again.trimEnd().split('\r\n').slice(1)).toEqual(lines);
});

test('exports the selected pictures, or all', async ({ page, person }) => {
  await seed(person, 6);
  await openGallery(page, 6);
  await select(page, '1.jpg');
  await select(page, '2.jpg');
  await button(page, 'Export labels…').click();
  await expect(dialog(page).getByRole('radio', { name: 'Selected pictures (2)' })).toBeChecked();
  await checkAccessibility(page, 'export dialog', [390, 1280]);
  expect(names(await exportTable(page))).toEqual(['1.jpg', '2.jpg']);
  await expect(panel(page)).toContainText('Exported the labels of 2 pictures');
  await expect(page.getByRole('log')).toContainText('Exported the labels of 2 pictures');
  await checkAccessibility(page, 'export panel', [390, 1280]);

  await button(page, 'Export labels…').click();
  await dialog(page).getByRole('radio', { name: 'All pictures' }).check();
  expect(names(await exportTable(page))).toHaveLength(6);
  await panel(page).getByRole('button', { name: 'Close' }).click();
  await expect(panel(page)).toHaveCount(0);
});

test('with more selected pictures than an export can have, nothing is exported before the person chooses', async ({ page, person }) => {
  await seed(person, 110);
  await page.goto('/');
  await expect(async () => {
    await page.mouse.wheel(0, 2_000);
    await expect(tile(page, '109.jpg')).toBeAttached({ timeout: 100 });
  }).toPass({ intervals: [50] });
  await tile(page, '109.jpg').click({ modifiers: ['ControlOrMeta'] });
  await button(page, 'Select all loaded').click();
  await expect(toolbar(page)).toContainText('110 selected');
  await button(page, 'Export labels…').click();
  await expect(dialog(page)).toContainText('You can export up to 100 selected pictures.');
  await expect(dialog(page).getByRole('group', { name: 'Pictures' }).getByRole('radio', { checked: true })).toHaveCount(0);
  const submit = dialog(page).getByRole('button', { name: 'Export', exact: true });
  await expect(submit).toBeDisabled();
  await dialog(page).getByRole('radio', { name: 'All pictures' }).check();
  await expect(submit).toBeEnabled();
});

test('exports the results of a search, with the keyboard', async ({ page, person }) => {
  await seed(person, 4, (index) => ({ labels: index === 1 ? ['Unicorn'] : ['Cat'] }));
  await page.goto('/?label=unicorn');
  await tabTo(page, page.getByRole('button', { name: /^Account/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Export labels…' }));
  await page.keyboard.press('Enter');
  await expect(dialog(page).getByRole('radio', { name: 'Search results' })).toBeChecked();
  const lines = await exportTable(page);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(',Unicorn,99,false,false,');
});

test.describe('after an error', () => {
  test.use({ expectedError: /status of 409/ });

  test('fits a phone, says what is wrong, and tries again', async ({ page, person }) => {
    await page.setViewportSize({ width: 360, height: 640 });
    await seed(person, 2);
    await openGallery(page, 2);
    await openFromMenu(page);
    await expect(dialog(page).getByText('All pictures')).toBeVisible();
    await dialog(page).getByRole('radio', { name: 'XMP' }).check();
    const problem = {
      type: 'urn:image-label-generator:problem:too-many-exports',
      title: 'Too many exports',
      status: 409,
    };
    const detail = 'You already have 3 exports in progress. Wait until one is done, or cancel it.';
    await page.route('**/api/jobs', (route) =>
      route.fulfill({ status: 409, contentType: 'application/problem+json', json: { ...problem, detail } }),
    );
    await dialog(page).getByRole('button', { name: 'Export', exact: true }).click();
    await expect(dialog(page).getByRole('alert')).toContainText('3 exports in progress');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(overflow).toBe(false);
    await page.unroute('**/api/jobs');
    await dialog(page).getByRole('button', { name: 'Export', exact: true }).click();
    await expect(panel(page).getByRole('link', { name: /^Download sidecars-.*\.zip$/ })).toBeVisible();
  });
});
