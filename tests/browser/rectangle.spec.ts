// Selecting pictures by dragging a rectangle with the mouse.
import type { Page } from '@playwright/test';
import { drop, expect, test, tile, tiles, upload } from './app.ts';
import { textNamedJpg } from './files.ts';
import { seed } from './seed.ts';
import { button, openGallery, select, selected, toolbar } from './selecting.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

/** Days with few pictures have space beside them. */
const WIDE = { width: 1600, height: 900 };

/** The center of a picture's tile. */
async function center(page: Page, name: string): Promise<[x: number, y: number]> {
  const box = await tile(page, name).boundingBox();
  if (!box) throw new Error(`${name} is not visible`);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

/** Presses the mouse button at a point, and moves the mouse in several steps. */
async function dragTo(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 5 });
}

/** A point of the first heading, above the first picture. */
async function heading(page: Page): Promise<[x: number, y: number]> {
  const [x, y] = await center(page, '0.jpg');
  const box = await tile(page, '0.jpg').boundingBox();
  return [x + 100, y - (box?.height ?? 0) / 2 - 20];
}

function rectangle(page: Page) {
  return page.locator('ilg-gallery .rectangle');
}

test('a rectangle from the background selects the pictures in it', async ({ page, person }) => {
  await page.setViewportSize(WIDE);
  await seed(person, 12);
  await openGallery(page, 12);
  const before = await tiles(page).evaluateAll((links) => links.map((link) => link.getBoundingClientRect().top));
  await dragTo(page, await heading(page), await center(page, '1.jpg'));
  await expect(rectangle(page)).toBeVisible();
  await expect.poll(() => selected(page)).toEqual(['0.jpg', '1.jpg']);
  await expect(toolbar(page)).toContainText('2 selected');

  await test.step('a smaller rectangle selects fewer', async () => {
    await page.mouse.move(...(await center(page, '0.jpg')), { steps: 5 });
    await expect.poll(() => selected(page)).toEqual(['0.jpg']);
  });
  await page.mouse.up();
  await expect(rectangle(page)).toBeHidden();
  expect(await selected(page)).toEqual(['0.jpg']);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const after = await tiles(page).evaluateAll((links) => links.map((link) => link.getBoundingClientRect().top));
  expect(after, 'nothing moves').toEqual(before);

  await test.step('keys act on the selection', async () => {
    await page.keyboard.press('Delete');
    await expect(tiles(page)).toHaveCount(11);
    await page.keyboard.press('Control+z');
    await expect(tiles(page)).toHaveCount(12);
  });
});

test('a rectangle starts in the margin of the page, too', async ({ page, person }) => {
  await page.setViewportSize(WIDE);
  await seed(person, 6);
  await openGallery(page, 6);
  const [, y] = await center(page, '0.jpg');
  await dragTo(page, [4, y], await center(page, '0.jpg'));
  await page.mouse.up();
  expect(await selected(page)).toEqual(['0.jpg']);
});

test('with Shift, a rectangle starts on a picture, and adds to the selection', async ({ page, person }) => {
  await page.setViewportSize(WIDE);
  await seed(person, 12);
  await openGallery(page, 12);
  await select(page, '3.jpg');
  await page.keyboard.down('Shift');
  await dragTo(page, await center(page, '0.jpg'), await center(page, '1.jpg'));
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await expect.poll(() => selected(page)).toEqual(['0.jpg', '1.jpg', '3.jpg']);

  await test.step('a rectangle inside one picture is not a click', async () => {
    const [x, y] = await center(page, '1.jpg');
    await page.keyboard.down('Shift');
    await dragTo(page, [x - 20, y - 20], [x + 20, y + 20]);
    await page.mouse.up();
    await page.keyboard.up('Shift');
    expect(await selected(page)).toEqual(['0.jpg', '1.jpg', '3.jpg']);
  });

  await test.step('clicks work as before', async () => {
    await tile(page, '5.jpg').click({ modifiers: ['Shift'] });
    await expect.poll(() => selected(page)).toEqual(['0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg']);
    await tile(page, '0.jpg').click();
    await expect(toolbar(page)).toContainText('5 selected');
    await button(page, 'Clear selection').click();
    await tile(page, '0.jpg').click();
    await expect(page.getByRole('dialog', { name: '0.jpg' })).toBeVisible();
  });
});

test('Escape restores the selection', async ({ page, person }) => {
  await page.setViewportSize(WIDE);
  await seed(person, 12);
  await openGallery(page, 12);
  await select(page, '5.jpg');
  await dragTo(page, await heading(page), await center(page, '1.jpg'));
  await expect(toolbar(page)).toContainText('3 selected');
  await page.keyboard.press('Escape');
  await expect(rectangle(page)).toBeHidden();
  await expect.poll(() => selected(page)).toEqual(['5.jpg']);
  await page.mouse.up();
  expect(await selected(page)).toEqual(['5.jpg']);
});

test('the page scrolls while the mouse is near the edge, and the rectangle grows', async ({ page, person }) => {
  await seed(person, 230);
  await page.goto('/');
  await expect(tile(page, '0.jpg').locator('img[data-loaded]')).toBeVisible();
  const { height } = page.viewportSize() ?? { height: 720 };
  await dragTo(page, await heading(page), [30, height - 5]);
  const top = () => page.evaluate(() => window.scrollY);
  await expect.poll(top).toBeGreaterThan(3_000);
  // The rows where it started are not in the document anymore.
  await expect(tile(page, '0.jpg')).toHaveCount(0);
  await page.mouse.move(30, height / 2);
  await page.mouse.up();
  const count = Number.parseInt((await toolbar(page).textContent())?.match(/(\d+) selected/)?.[1] ?? '', 10);
  // More than the rows that are in the document.
  expect(count).toBeGreaterThan(10);
  const ended = await top();

  await test.step('up again', async () => {
    await page.mouse.move(30, height / 2);
    await page.keyboard.down('Shift');
    await page.mouse.down();
    await page.mouse.move(40, 5, { steps: 5 });
    await expect.poll(top).toBeLessThan(ended);
    await page.mouse.up();
    await page.keyboard.up('Shift');
  });
});

test('files can be dropped after a rectangle, and links and text are not dragged by one', async ({ page, person }) => {
  await page.setViewportSize(WIDE);
  await seed(person, 6);
  await openGallery(page, 6);
  await page.evaluate(() => {
    window.addEventListener('dragstart', (event) => {
      if (!event.defaultPrevented) document.body.dataset['dragged'] = '';
    });
  });
  await dragTo(page, await heading(page), await center(page, '2.jpg'));
  await page.mouse.up();
  await page.keyboard.down('Shift');
  await dragTo(page, await center(page, '0.jpg'), await center(page, '2.jpg'));
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await expect(page.locator('body[data-dragged]')).toHaveCount(0);
  expect(await page.evaluate(() => getSelection()?.toString())).toBe('');
  await button(page, 'Clear selection').click();
  await drop(page, textNamedJpg);
  await expect(upload(page, textNamedJpg.name)).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a finger on the background scrolls, and selects nothing', async ({ page, person }) => {
    await seed(person, 60);
    await page.goto('/');
    await expect(tile(page, '0.jpg').locator('img[data-loaded]')).toBeVisible();
    const session = await page.context().newCDPSession(page);
    const day = page.locator('ilg-gallery .heading').nth(1);
    const box = await day.boundingBox();
    if (!box) throw new Error('the second day is not visible');
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...ys: number[]) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: ys.map((y) => ({ x: box.x + box.width - 20, y })) });
    const y = box.y + box.height / 2;
    await touch('touchStart', y);
    for (let moved = 20; moved <= 200; moved += 20) await touch('touchMove', y - moved);
    await touch('touchEnd');
    await expect.poll(() => page.evaluate(() => window.scrollY)).toBeGreaterThan(100);
    await expect(toolbar(page)).toHaveCount(0);
  });
});
