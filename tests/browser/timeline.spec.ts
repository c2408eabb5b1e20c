// The timeline: goes to a month of the history.
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { expect, tabTo, test, tile, tiles } from './app.ts';
import type { Person } from './people.ts';
import { seed } from './seed.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const slider = (page: Page): Locator => page.getByRole('slider', { name: 'Timeline' });
const chips = (page: Page): Locator => page.getByRole('list', { name: 'Active filters' }).getByRole('listitem');
const newest = (page: Page): Locator => page.getByRole('button', { name: 'Newest pictures' });
const first = (page: Page): Locator => tiles(page).first();

/** The month of a picture: two in each second month, down from December 2015. */
function monthOf(index: number): string {
  const date = new Date(Date.UTC(2015, 11 - 2 * Math.floor(index / 2), 1));
  return date.toISOString().slice(0, 'YYYY-MM'.length);
}

/** 120 pictures from 2015 to 2006. */
async function library(page: Page, person: Person): Promise<void> {
  await seed(person, 120, (index) => ({ time: `${monthOf(index)}-${index % 2 === 0 ? '13' : '12'}T10:00:00.000` }));
  await page.goto('/');
  await expect(first(page)).toHaveAttribute('title', '0.jpg');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'December 2015');
  // The slider learns its height one frame after it was displayed.
  await expect(slider(page).locator('.months')).not.toHaveCSS('height', '0px');
}

/** The middle of a month on the slider. */
async function placeOf(page: Page, index: number): Promise<{ x: number; y: number }> {
  const box = await slider(page).locator('.months').boundingBox();
  const last = Number(await slider(page).getAttribute('aria-valuemax'));
  if (!box) throw new Error('the timeline is not visible');
  return { x: box.x + box.width - 8, y: box.y + (box.height * index) / last };
}

test('a click shows a month, and a button and the chip return to the newest pictures', async ({ page, person }) => {
  await library(page, person);
  const { x, y } = await placeOf(page, 20);
  await page.mouse.move(x, y);
  await expect(slider(page).locator('.bubble')).toHaveText('August 2012');
  await page.mouse.click(x, y);
  await expect(first(page)).toHaveAttribute('title', '40.jpg');
  await expect(chips(page)).toHaveText(['Up to August 2012']);
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'August 2012');
  expect(new URL(page.url()).search).toBe('?to=2012-08-31');
  await page.reload();
  await expect(first(page)).toHaveAttribute('title', '40.jpg');

  await newest(page).click();
  await expect(first(page)).toHaveAttribute('title', '0.jpg');
  await expect(newest(page)).toHaveCount(0);
  await page.goBack();
  await expect(first(page)).toHaveAttribute('title', '40.jpg');
  await page.getByRole('button', { name: 'Remove Up to August 2012' }).click();
  await expect(first(page)).toHaveAttribute('title', '0.jpg');
});

test('dragging shows the month under the pointer, and goes there at the end', async ({ page, person }) => {
  await library(page, person);
  const [start, middle, end] = [await placeOf(page, 2), await placeOf(page, 30), await placeOf(page, 12)];
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  // The pointer may leave the slider.
  await page.mouse.move(middle.x - 300, middle.y, { steps: 4 });
  await expect(slider(page).locator('.bubble')).toHaveText('December 2010');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'December 2010');
  expect(new URL(page.url()).search).toBe('');
  await page.mouse.move(end.x - 300, end.y, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/\?to=2013-12-31$/);
  await expect(first(page)).toHaveAttribute('title', '24.jpg');
  await expect(page.locator('ilg-gallery a[data-selected]')).toHaveCount(0);
});

test('the keyboard goes to months and years, and the way back does not lead through all of them', async ({ page, person }) => {
  await library(page, person);
  await tabTo(page, slider(page));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'August 2015');
  await expect(first(page)).toHaveAttribute('title', '4.jpg');
  await expect(slider(page)).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(first(page)).toHaveAttribute('title', '2.jpg');
  await page.keyboard.press('PageDown');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'December 2014');
  await expect(first(page)).toHaveAttribute('title', '12.jpg');
  await page.keyboard.press('End');
  await expect(first(page)).toHaveAttribute('title', '118.jpg');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'February 2006');
  await page.keyboard.press('PageUp');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'December 2007');
  await page.keyboard.press('Home');
  await expect(first(page)).toHaveAttribute('title', '0.jpg');
  expect(new URL(page.url()).search).toBe('');
  await expect(slider(page)).toBeFocused();

  await page.keyboard.press('End');
  await expect(page).toHaveURL(/\?to=2006-02-28$/);
  await page.keyboard.press('ArrowUp');
  await expect(page).toHaveURL(/\?to=2006-04-30$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);
  await expect(first(page)).toHaveAttribute('title', '0.jpg');
});

test('the timeline follows scrolling, down to the oldest month', async ({ page, person }) => {
  await library(page, person);
  await page.mouse.move(500, 500);
  await page.mouse.wheel(0, 3_000);
  await expect(slider(page)).not.toHaveAttribute('aria-valuetext', 'December 2015');
  await expect(async () => {
    await page.mouse.wheel(0, 3_000);
    await expect(slider(page)).toHaveAttribute('aria-valuetext', 'February 2006', { timeout: 100 });
  }).toPass({ intervals: [50] });
});

test('a search keeps the timeline, and ends where it is', async ({ page, person }) => {
  await library(page, person);
  await page.goto('/?from=2014-03-01&status=LABELED');
  await expect(first(page)).toHaveAttribute('title', '0.jpg');
  // Months before the start of the period have no pictures.
  await slider(page).press('End');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'April 2014');
  await expect(page).toHaveURL(/\?status=LABELED&from=2014-03-01&to=2014-04-30$/);
  await expect(tiles(page)).toHaveCount(2);
  await page.goto('/?taken=1999&to=2012-08-31');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await expect(slider(page)).toHaveAttribute('aria-valuetext', 'August 2012');
  await page.goto('/?order=added');
  await expect(tiles(page).first()).toBeVisible();
  await expect(slider(page)).toHaveCount(0);
});

test('nothing moves when the timeline appears', async ({ page, person }) => {
  await seed(person, 20, (index) => ({ time: `${monthOf(index)}-13T10:00:00.000` }));
  let respond = (): void => {};
  const answered = new Promise<void>((resolve) => {
    respond = resolve;
  });
  await page.route('**/api/timeline*', async (route) => {
    await answered;
    await route.continue();
  });
  await page.goto('/');
  await expect(first(page).locator('img[data-loaded]')).toBeVisible();
  const before = await first(page).boundingBox();
  await expect(slider(page)).toHaveCount(0);
  respond();
  await expect(slider(page)).toBeVisible();
  expect(await first(page).boundingBox()).toEqual(before);
  const [slot, last] = [await slider(page).boundingBox(), await tiles(page).last().boundingBox()];
  expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(slot?.x ?? 0);
});

test('a library of two months has no timeline', async ({ page, person }) => {
  const asked = page.waitForResponse('**/api/timeline*');
  await seed(person, 4, (index) => ({ time: `2015-0${7 - (index % 2)}-13T10:00:00.000` }));
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(4);
  await asked;
  await expect(slider(page)).toHaveCount(0);
});

test('the timeline is accessible in light and dark, and nothing is cut off', async ({ page, person }) => {
  await library(page, person);
  await slider(page).press('ArrowDown');
  await expect(chips(page)).toHaveText(['Up to October 2015']);
  await checkAccessibility(page, 'timeline', [320, 390, 1024, 1920]);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a menu goes to a month, and stays at hand', async ({ page, person }) => {
    await seed(person, 120, (index) => ({ time: `${monthOf(index)}-${index % 2 === 0 ? '13' : '12'}T10:00:00.000` }));
    await page.goto('/');
    const menu = page.getByRole('combobox', { name: 'Go to month' });
    await expect(menu.locator('option:checked')).toHaveText('Dec 2015');
    await expect(slider(page)).toBeHidden();
    await menu.selectOption('Aug 2012');
    await expect(first(page)).toHaveAttribute('title', '40.jpg');
    await page.mouse.wheel(0, 2_000);
    await expect(menu.locator('option:checked')).not.toHaveText('Aug 2012');
    await expect(menu).toBeInViewport();
    await newest(page).tap();
    await expect(tile(page, '0.jpg')).toBeVisible();
    await expect(menu.locator('option:checked')).toHaveText('Dec 2015');
  });
});
