// The boxes of the labels in the search, on the tiles of the gallery.
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { drop, expect, picture, test, tile } from './app.ts';
import { sample } from './files.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const toggle = (page: Page): Locator => page.getByRole('button', { name: 'Show boxes' });
const boxes = (page: Page, name: string): Locator => tile(page, name).locator('.box');

/** Labels a cat, and searches for it. */
async function search(page: Page): Promise<void> {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.goto('/?label=Cat');
  await expect(tile(page, 'cat.jpg').locator('img[data-loaded]')).toBeVisible();
}

test('tiles show the boxes of the labels in the search, at the same place as the large view', async ({ page }) => {
  await search(page);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  const relative = async (box: Locator, around: Locator) => {
    const [inner, outer] = [await box.boundingBox(), await around.boundingBox()];
    if (!inner || !outer) throw new Error('not visible');
    return [(inner.x - outer.x) / outer.width, (inner.y - outer.y) / outer.height, inner.width / outer.width];
  };
  const onTile = await relative(boxes(page, 'cat.jpg').first(), tile(page, 'cat.jpg'));
  // A click on a box opens the picture.
  await boxes(page, 'cat.jpg').first().click({ position: { x: 5, y: 5 }, force: true });
  const view = picture(page, 'cat.jpg');
  await expect(view.locator('.box').first()).toBeVisible();
  const inView = await relative(view.locator('.box').first(), view.locator('.frame'));
  for (const [index, place] of onTile.entries()) expect(Math.abs(place - (inView[index] ?? 0))).toBeLessThan(0.02);
});

test('without a label in the search, there are no boxes, and nobody asks for them', async ({ page }) => {
  await search(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).search));
  await page.getByRole('button', { name: 'Remove Cat' }).click();
  await expect(toggle(page)).toHaveCount(0);
  await expect(tile(page, 'cat.jpg').locator('img[data-loaded]')).toBeVisible();
  await expect(boxes(page, 'cat.jpg')).toHaveCount(0);
  expect(asked.filter((query) => query.includes('boxes'))).toEqual([]);
});

test('boxes can be turned off and on, with the keyboard too, and the browser remembers it', async ({ page }) => {
  await search(page);
  await expect(toggle(page)).toHaveAttribute('aria-pressed', 'true');
  await toggle(page).click();
  await expect(boxes(page, 'cat.jpg')).toHaveCount(0);

  const list = page.waitForRequest(/\/api\/images\?/);
  await page.reload();
  expect(new URL((await list).url()).searchParams.has('boxes')).toBe(false);
  await expect(tile(page, 'cat.jpg').locator('img[data-loaded]')).toBeVisible();
  await expect(boxes(page, 'cat.jpg')).toHaveCount(0);
  await toggle(page).press('Enter');
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  await expect(toggle(page)).toBeFocused();
  await page.reload();
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
});

test('a corrected label keeps the boxes of the others', async ({ page }) => {
  await search(page);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  await tile(page, 'cat.jpg').click();
  await picture(page, 'cat.jpg').getByRole('combobox', { name: 'Add a label' }).fill('Tom');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Added Tom')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(picture(page, 'cat.jpg')).toHaveCount(0);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
});

test('a label that comes back has its boxes', async ({ page }) => {
  await search(page);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  await tile(page, 'cat.jpg').click();
  await picture(page, 'cat.jpg').getByRole('button', { name: 'Remove Cat', exact: true }).click();
  await expect(boxes(page, 'cat.jpg')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.keyboard.press('Escape');
  await expect(picture(page, 'cat.jpg')).toHaveCount(0);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
});

test('a picture that is labeled again keeps its boxes', async ({ page }) => {
  await search(page);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  await tile(page, 'cat.jpg').click({ modifiers: ['ControlOrMeta'] });
  await page.getByRole('toolbar').getByRole('button', { name: 'Label again' }).click();
  const result = page.waitForResponse(async (response) => {
    const { images } = response.url().includes('/api/images?id=') ? await response.json() : {};
    return images?.[0]?.status === 'LABELED';
  });
  await page.getByRole('dialog').getByRole('button', { name: 'Label again' }).click();
  await result;
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await expect(tile(page, 'cat.jpg').getByText('Labeling')).toHaveCount(0);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
});

test('tiles with boxes are accessible in light and dark, and nothing is cut off', async ({ page }) => {
  await search(page);
  await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  await checkAccessibility(page, 'boxes', [320, 390, 1024, 1920]);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('boxes are off until the person turns them on in the filters', async ({ page }) => {
    await search(page);
    await expect(boxes(page, 'cat.jpg')).toHaveCount(0);
    await page.getByRole('button', { name: 'Filters' }).tap();
    await page.getByRole('checkbox', { name: 'Show boxes' }).tap();
    await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
    await page.reload();
    await expect(boxes(page, 'cat.jpg')).not.toHaveCount(0);
  });
});
