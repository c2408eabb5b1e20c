// The order of the gallery, its headings, and where new uploads are.
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { drop, expect, test, tile, tiles } from './app.ts';
import { sample, taken } from './files.ts';
import type { Person } from './people.ts';
import { seed } from './seed.ts';
import { checkMark } from './selecting.ts';

// The days must be those of the pictures, wherever the browser is.
test.use({ timezoneId: 'Pacific/Auckland', contextOptions: { reducedMotion: 'reduce' } });

const menu = (page: Page): Locator => page.getByRole('combobox', { name: 'Order' });
const headings = (page: Page): Locator => page.locator('ilg-gallery').getByRole('heading', { level: 3 });
const names = (page: Page): Promise<(string | null)[]> =>
  tiles(page).evaluateAll((links) => links.map((link) => link.getAttribute('title')));

/** Three pictures that were added in a different order than they were taken. */
async function library(person: Person): Promise<void> {
  const times = ['2015-07-13T23:30:00.000', '2016-02-29T00:10:00.000', '2015-07-14T00:00:00.000'];
  await seed(person, times.length, (index) => ({ time: times[index] ?? '' }));
}

test('pictures are sorted by when they were taken, below the day by the camera’s clock', async ({ page, person }) => {
  await library(person);
  await page.goto('/');
  await expect(headings(page)).toHaveText(['Mon, February 29, 2016', 'Tue, July 14, 2015', 'Mon, July 13, 2015']);
  expect(await names(page)).toEqual(['1.jpg', '2.jpg', '0.jpg']);
  await expect(menu(page)).toHaveValue('time');
  await page.goto('/?from=2015-07-14&to=2015-12-31');
  await expect(tiles(page)).toHaveCount(1);
  expect(await names(page)).toEqual(['2.jpg']);
});

test('the order can be changed, and is part of the address', async ({ page, person }) => {
  await library(person);
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(3);
  await expect(menu(page).getByRole('option')).toHaveText(['Capture date', 'Recently added']);
  await menu(page).selectOption('Recently added');
  await expect.poll(() => names(page)).toEqual(['0.jpg', '1.jpg', '2.jpg']);
  // It was added in the evening of January 31, in UTC.
  await expect(headings(page).first()).toHaveText('Sat, February 1, 2025');
  expect(new URL(page.url()).search).toBe('?order=added');

  await page.reload();
  await expect.poll(() => names(page)).toEqual(['0.jpg', '1.jpg', '2.jpg']);
  await expect(menu(page)).toHaveValue('added');
  // The other views and the search keep the order.
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(menu(page)).toHaveValue('added');
  await tile(page, '1.jpg').click();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('dialog', { name: '2.jpg' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.goBack();
  await expect.poll(() => names(page)).toEqual(['1.jpg', '2.jpg', '0.jpg']);
  await expect(menu(page)).toHaveValue('time');
});

test('the order can be changed with the keyboard', async ({ page, person }) => {
  await library(person);
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(3);
  await menu(page).focus();
  await page.keyboard.press('ArrowDown');
  await expect(menu(page)).toHaveValue('added');
  await expect.poll(() => names(page)).toEqual(['0.jpg', '1.jpg', '2.jpg']);
  await expect(menu(page)).toBeFocused();
});

test('pictures with one label can be sorted by its confidence', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'), sample('coffee.jpg'), sample('astronaut.jpg'), sample('photographer.jpg'));
  await expect(tile(page, 'astronaut.jpg', 'Person')).toBeVisible();
  await expect(tile(page, 'photographer.jpg', 'Person')).toBeVisible();
  await page.goto('/?label=Person');
  await expect(tiles(page)).toHaveCount(2);
  await menu(page).selectOption('Confidence');
  await expect(page).toHaveURL(/\?label=Person&order=confidence$/);
  await expect(tiles(page)).toHaveCount(2);
  await expect(headings(page)).toHaveCount(0);
  const confidences = await tiles(page)
    .locator('.caption')
    .evaluateAll((captions) => captions.map((caption) => Number(/^Person (\d+)%/.exec(caption.textContent ?? '')?.[1])));
  expect(confidences).toEqual(confidences.toSorted((a, b) => b - a));
  expect(confidences.every((confidence) => confidence > 0)).toBe(true);
  await checkAccessibility(page, 'by confidence', [390, 1024]);

  // Two labels have no common confidence.
  await page.getByRole('combobox', { name: 'Search pictures by label' }).fill('adult');
  await page.keyboard.press('Enter');
  await expect(menu(page).getByRole('option')).toHaveText(['Capture date', 'Recently added']);
  await expect(menu(page)).toHaveValue('time');
  expect(new URL(page.url()).searchParams.has('order')).toBe(false);
});

test('new uploads stay at the top until the page is loaded again, also if they are old pictures', async ({ page, person }) => {
  await library(person);
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(3);
  await drop(page, taken(sample('cat.jpg', 'old.jpg'), '2014:05:01 12:00:00'));
  await expect(tile(page, 'old.jpg', 'Cat')).toBeVisible();
  await drop(page, taken(sample('coffee.jpg', 'middle.jpg'), '2016:01:01 00:00:00'));
  await expect(tile(page, 'middle.jpg', 'Coffee|Cup|Espresso')).toBeVisible();
  await expect(headings(page).first()).toHaveText('Just uploaded');
  expect(await names(page)).toEqual(['middle.jpg', 'old.jpg', '1.jpg', '2.jpg', '0.jpg']);
  await headings(page).first().hover();
  await page.getByRole('checkbox', { name: 'Select the pictures that you just uploaded' }).click();
  await expect(checkMark(page, 'old.jpg')).toBeChecked();
  await expect(checkMark(page, 'middle.jpg')).toBeChecked();
  await expect(checkMark(page, '1.jpg')).not.toBeChecked();
  await page.keyboard.press('Escape');

  await page.reload();
  await expect.poll(() => names(page)).toEqual(['1.jpg', 'middle.jpg', '2.jpg', '0.jpg', 'old.jpg']);
  await expect(headings(page).last()).toHaveText('Thu, May 1, 2014');
});

test('pictures without a capture time have the day of the person’s clock', async ({ page }) => {
  const sent: unknown[] = [];
  await page.route('**/api/uploads', async (route) => {
    sent.push(route.request().postDataJSON().utcOffset);
    await route.continue();
  });
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  // New Zealand has summer time for a part of the year.
  expect(sent).toEqual([expect.stringMatching(/^\+1[23]:00$/)]);
  await page.reload();
  // Yesterday, if midnight has passed since.
  await expect(headings(page)).toHaveText([/^(Today|Yesterday)$/]);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the order can be changed', async ({ page, person }) => {
    await library(person);
    await page.goto('/');
    await expect(tiles(page)).toHaveCount(3);
    await menu(page).selectOption('Recently added');
    await expect.poll(() => names(page)).toEqual(['0.jpg', '1.jpg', '2.jpg']);
  });
});
