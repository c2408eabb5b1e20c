// Selecting pictures in the gallery, to delete them or to label them again.
import type { Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { drop, endUndoTime, expect, tabTo, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';
import { pictureCount } from './people.ts';
import { seed, seededId } from './seed.ts';
import { button, checkMark, openGallery, select, selected, toolbar } from './selecting.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

/** The positions of the tiles. */
function places(page: Page): Promise<number[][]> {
  return tiles(page).evaluateAll((links) =>
    links.map((link) => {
      const { left, top, width, height } = link.getBoundingClientRect();
      return [left, top, width, height];
    }),
  );
}

test('check marks select pictures, Shift selects a range, and nothing moves', async ({ page, person }) => {
  await seed(person, 12);
  await openGallery(page, 12);
  await expect(checkMark(page, '2.jpg')).toHaveCSS('opacity', '0');
  await tile(page, '2.jpg').hover();
  await expect(checkMark(page, '2.jpg')).toHaveCSS('opacity', '1');
  const before = await places(page);

  await select(page, '2.jpg');
  await expect(toolbar(page)).toContainText('1 selected');
  await expect(checkMark(page, '2.jpg')).toBeChecked();
  await expect(checkMark(page, '9.jpg')).toHaveCSS('opacity', '1');
  await expect(page.getByRole('log')).toContainText('1 selected');
  await expect(tile(page, '2.jpg')).toHaveAccessibleDescription('Selected');
  await expect(page.getByRole('combobox', { name: 'Search pictures by label' })).toHaveCount(0);
  expect(await places(page)).toEqual(before);

  await select(page, '5.jpg', ['Shift']);
  expect(await selected(page)).toEqual(['2.jpg', '3.jpg', '4.jpg', '5.jpg']);

  await test.step('a click on a tile toggles it instead of opening it', async () => {
    await tile(page, '3.jpg').click();
    expect(await selected(page)).toEqual(['2.jpg', '4.jpg', '5.jpg']);
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await tile(page, '0.jpg').click();
    await tile(page, '1.jpg').click({ modifiers: ['Shift'] });
    await expect(toolbar(page)).toContainText('5 selected');
  });

  await button(page, 'Clear selection').click();
  await expect(toolbar(page)).toHaveCount(0);
  await expect(page.getByRole('log')).toContainText('Selection cleared');
  await expect(tile(page, '1.jpg')).toBeFocused();
  await tile(page, '1.jpg').click();
  await expect(page.getByRole('dialog', { name: '1.jpg' })).toBeVisible();
});

test('the check mark of a day selects its loaded pictures', async ({ page, person }) => {
  await seed(person, 20);
  await openGallery(page, 20);
  const day = page.getByRole('checkbox', { name: 'Select loaded pictures of Fri, January 31, 2025' });
  // The mark can be clicked once the pointer is on its day.
  await day.hover({ force: true });
  await day.click();
  await expect(day).toBeChecked();
  const count = (await selected(page)).length;
  expect(count).toBe(8);
  await expect(toolbar(page)).toContainText(`${count} selected`);
  const [first = ''] = await selected(page);
  await tile(page, first ?? '').click();
  await expect(day).toHaveAttribute('aria-checked', 'mixed');
  await day.click();
  await day.click();
  await expect(toolbar(page)).toHaveCount(0);
});

test('the selection remains when more pictures are loaded', async ({ page, person }) => {
  await seed(person, 230);
  await page.goto('/');
  await tile(page, '3.jpg').click({ modifiers: ['ControlOrMeta'] });
  await tile(page, '4.jpg').click();
  await expect(toolbar(page)).toContainText('2 selected');
  await button(page, 'Select all loaded').click();
  const loaded = Number.parseInt((await toolbar(page).textContent())?.match(/(\d+) selected/)?.[1] ?? '', 10);
  expect(loaded).toBeGreaterThanOrEqual(100);
  await expect(async () => {
    await page.mouse.wheel(0, 2_000);
    await expect(tile(page, '229.jpg')).toBeAttached({ timeout: 100 });
  }).toPass({ intervals: [50] });
  await expect(toolbar(page)).toBeInViewport();
  await button(page, 'Select all loaded').click();
  await expect(toolbar(page)).toContainText('230 selected');
  await expect(button(page, 'Select all loaded')).toHaveAttribute('aria-disabled', 'true');
  await expect(button(page, 'Select all loaded')).toHaveAttribute('title', 'All loaded pictures are selected');
  await page.goto(`/images/${seededId(0)}`);
  await expect(page.getByRole('dialog', { name: '0.jpg' })).toBeVisible();
});

test('deleting the selected pictures can be undone', async ({ page, person }) => {
  await seed(person, 6);
  await openGallery(page, 6);
  await select(page, '1.jpg');
  await select(page, '3.jpg', ['Shift']);
  await button(page, 'Delete').click();
  await expect(tiles(page)).toHaveCount(3);
  await expect(toolbar(page)).toHaveCount(0);
  await expect(page.getByText('Deleted 3 pictures')).toBeVisible();
  await expect(tile(page, '4.jpg')).toBeFocused();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(tiles(page)).toHaveCount(6);
  const names = await tiles(page).evaluateAll((links) => links.map((link) => link.getAttribute('title')));
  expect(names).toEqual(['0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg']);
  await page.reload();
  await expect(tiles(page)).toHaveCount(6);
});

test('the selected pictures are deleted after the delay, four at a time', async ({ page, person }) => {
  await seed(person, 12);
  await openGallery(page, 12);
  let running = 0;
  let max = 0;
  let deleted = 0;
  let release = () => {};
  // On a busy machine, the first request could be answered before the fourth is sent.
  const fourAreSent = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/api/images/*', async (route) => {
    if (route.request().method() !== 'DELETE') return route.fallback();
    running += 1;
    max = Math.max(max, running);
    if (running === 4) release();
    await fourAreSent;
    const response = await route.fetch();
    running -= 1;
    deleted += Number(response.status() === 204);
    return route.fulfill({ response });
  });
  await select(page, '0.jpg');
  await select(page, '9.jpg', ['Shift']);
  await button(page, 'Delete').click();
  await expect(tiles(page)).toHaveCount(2);
  expect(max, 'nothing is sent as long as the deletion can be undone').toBe(0);
  await endUndoTime(page);
  await expect.poll(() => deleted).toBe(10);
  expect(max).toBe(4);
  await page.reload();
  await expect(tiles(page)).toHaveCount(2);
});

test('closing the page deletes the selected pictures without the delay', async ({ page, person }) => {
  await seed(person, 8);
  await openGallery(page, 8);
  await select(page, '0.jpg');
  await select(page, '5.jpg', ['Shift']);
  await button(page, 'Delete').click();
  await expect(tiles(page)).toHaveCount(2);
  await page.goto('about:blank');
  await expect.poll(() => pictureCount(person)).toBe(2);
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(2);
});

test.describe('the API rejects some deletions', () => {
  test.use({ expectedError: /status of 500/ });

  test('these pictures are restored, with one message', async ({ page, person }) => {
    await seed(person, 5);
    await openGallery(page, 5);
    await page.route(/\/api\/images\/.*[02]$/, (route) =>
      route.request().method() === 'DELETE' ? route.fulfill({ status: 500, json: {} }) : route.fallback(),
    );
    await select(page, '0.jpg');
    await select(page, '3.jpg', ['Shift']);
    await button(page, 'Delete').click();
    await expect(tiles(page)).toHaveCount(1);
    await endUndoTime(page);
    await expect(page.getByText("Couldn't delete 2 of 4 pictures. The service isn't available.")).toBeVisible();
    await expect(tiles(page)).toHaveCount(3);
    await expect(tile(page, '0.jpg')).toBeVisible();
    await expect(tile(page, '2.jpg')).toBeVisible();
  });
});

test('selects and deletes pictures with the keyboard only', async ({ page, person }) => {
  await seed(person, 8);
  await openGallery(page, 8);
  await tabTo(page, tile(page, '0.jpg'));
  await expect(checkMark(page, '0.jpg')).toHaveCSS('opacity', '1');
  await page.keyboard.press('x');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  const focused = await page.locator('ilg-gallery a:focus').getAttribute('title');
  await page.keyboard.press('Shift+X');
  expect((await selected(page)).at(-1)).toBe(focused);
  expect((await selected(page)).length).toBeGreaterThan(1);
  await page.keyboard.press('Escape');
  await expect(toolbar(page)).toHaveCount(0);

  await page.keyboard.press('ControlOrMeta+a');
  await expect(toolbar(page)).toContainText('8 selected');
  await page.keyboard.press('Enter');
  await expect(toolbar(page)).toContainText('7 selected');

  await page.keyboard.press('Alt+F10');
  await expect(button(page, 'Clear selection')).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(button(page, 'Delete')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tiles(page).first()).toBeFocused();
  await page.keyboard.press('Control+z');
  await expect(tiles(page)).toHaveCount(8);

  await tabTo(page, tile(page, '2.jpg'));
  await page.keyboard.press('x');
  await page.keyboard.press('Delete');
  await expect(tiles(page)).toHaveCount(7);
});

test('a deletion can be undone as long as its message has the focus, which then returns to a picture', async ({ page, person }) => {
  await seed(person, 3);
  await openGallery(page, 3);
  await select(page, '1.jpg');
  await tile(page, '1.jpg').press('Delete');
  await expect(tiles(page)).toHaveCount(2);
  const undo = page.getByRole('button', { name: 'Undo' });
  await undo.focus();
  await endUndoTime(page);
  await undo.press('Enter');
  await expect(tile(page, '1.jpg')).toBeVisible();
  await expect(undo).toHaveCount(0);
  await expect(page.locator('ilg-gallery a:focus')).toHaveCount(1);
});

test('keys in the search field do not select pictures', async ({ page, person }) => {
  await seed(person, 3);
  await openGallery(page, 3);
  await page.getByRole('combobox', { name: 'Search pictures by label' }).fill('cat');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('x');
  await expect(page.getByRole('combobox', { name: 'Search pictures by label' })).toHaveValue('x');
  await expect(toolbar(page)).toHaveCount(0);
});

test('labels the selected pictures again after a confirmation', async ({ page }) => {
  let relabeled = 0;
  page.on('response', (response) => {
    relabeled += Number(response.url().endsWith('/relabel') && response.status() === 202);
  });
  await page.goto('/');
  await drop(page, sample('cat.jpg', 'one.jpg'), sample('cat.jpg', 'two.jpg'));
  await expect(tile(page, 'one.jpg', 'Cat')).toBeVisible();
  await expect(tile(page, 'two.jpg', 'Cat')).toBeVisible();
  const day = page.locator('ilg-gallery').getByRole('checkbox', { name: 'Select the pictures that you just uploaded' });
  await day.hover({ force: true });
  await day.click();
  await button(page, 'Label again').click();
  const question = page.getByRole('dialog', { name: 'Label 2 pictures again?' });
  await expect(question).toContainText(/This costs about \$0\.002\. You can label [\d,]+ more pictures today\./);
  await page.keyboard.press('Escape');
  await expect(question).toBeHidden();
  await expect(toolbar(page)).toContainText('2 selected');

  await button(page, 'Label again').click();
  await question.getByRole('button', { name: 'Label again' }).click();
  await expect(page.getByText('Labeling 2 pictures again')).toBeVisible();
  await expect(toolbar(page)).toHaveCount(0);
  expect(relabeled).toBe(2);
  await expect(tile(page, 'one.jpg', 'Cat')).toBeVisible();
  await expect(tile(page, 'two.jpg', 'Cat')).toBeVisible();
});

test.describe('the daily limit is reached', () => {
  test.use({ expectedError: /status of 429/ });

  test('labeling again stops, and says how many pictures were started', async ({ page, person }) => {
    await seed(person, 12);
    await openGallery(page, 12);
    let requests = 0;
    await page.route('**/api/images/*/relabel', (route) => {
      requests += 1;
      if (requests <= 3) return route.fulfill({ status: 202, json: { executionArn: 'started' } });
      return route.fulfill({
        status: 429,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '3600' },
        body: JSON.stringify({
          type: 'urn:image-label-generator:problem:too-many-images',
          title: 'Too many images',
          status: 429,
          detail: 'The daily limit is reached.',
        }),
      });
    });
    await select(page, '0.jpg');
    await page.keyboard.press('ControlOrMeta+a');
    await button(page, 'Label again').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Label again' }).click();
    await expect(page.getByText('Labeling 3 of 12 pictures again. The daily limit is reached.')).toBeVisible();
    expect(requests).toBeLessThanOrEqual(7);
  });
});

test('pictures in progress can be selected, but not labeled again', async ({ page, person }) => {
  await seed(person, 2);
  await page.route('**/api/images?*', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    body.images[0].status = 'PROCESSING';
    return route.fulfill({ response, json: body });
  });
  await page.goto('/');
  await tile(page, '0.jpg', 'Labeling').hover();
  await checkMark(page, '0.jpg').click();
  await expect(button(page, 'Label again')).toHaveAttribute('aria-disabled', 'true');
  await expect(button(page, 'Label again')).toHaveAttribute('title', 'The selected pictures are still in progress');
  await button(page, 'Label again').click({ force: true });
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await select(page, '1.jpg');
  await button(page, 'Label again').click();
  const question = page.getByRole('dialog', { name: 'Label 1 picture again?' });
  await expect(question).toContainText("1 picture is in progress and won't be labeled again.");
  // The page asks again and again for the picture in progress, also while the test ends.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('on a phone, the toolbar shows the number without the sentence', async ({ page, person }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await seed(person, 3);
  await openGallery(page, 3);
  await tile(page, '1.jpg').click({ modifiers: ['ControlOrMeta'] });
  await tile(page, '2.jpg').click({ modifiers: ['ControlOrMeta'] });
  await expect(toolbar(page).getByText('2', { exact: true })).toBeInViewport({ ratio: 1 });
  for (const tool of await toolbar(page).getByRole('button').all()) await expect(tool).toBeInViewport({ ratio: 1 });
});

test('the toolbar and the question are accessible in light and dark, at every width', async ({ page, person }) => {
  await seed(person, 12);
  await openGallery(page, 12);
  await select(page, '1.jpg');
  await select(page, '3.jpg', ['Shift']);
  const check = (view: string) => checkAccessibility(page, view, [320, 390, 1024]);
  await check('toolbar');
  await button(page, 'Label again').click();
  await expect(page.getByRole('dialog')).toContainText('more pictures today');
  await check('question');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  /** Keeps a finger on a tile. The browser dispatches a click after it, unless it cancels the touch. */
  async function longPress(page: Page, name: string, end: 'touchEnd' | 'touchCancel' = 'touchEnd'): Promise<void> {
    const box = await tile(page, name).boundingBox();
    if (!box) throw new Error(`${name} is not visible`);
    const session = await page.context().newCDPSession(page);
    const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
    await expect(toolbar(page)).toBeVisible();
    await session.send('Input.dispatchTouchEvent', { type: end, touchPoints: [] });
    await session.detach();
  }

  test('a key after a long press is not ignored', async ({ page, person }) => {
    await seed(person, 3);
    await openGallery(page, 3);
    await longPress(page, '1.jpg', 'touchCancel');
    await tile(page, '2.jpg').focus();
    await page.keyboard.press('Enter');
    await expect(toolbar(page)).toContainText('2 selected');
  });

  test('a long press starts selecting, and taps continue', async ({ page, person }) => {
    await seed(person, 8);
    await openGallery(page, 8);
    const days = page.getByRole('checkbox', { name: /^Select loaded pictures of / });
    await expect(days.first()).toHaveCSS('opacity', '1');
    await longPress(page, '1.jpg');
    await expect(toolbar(page)).toContainText('1 selected');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await tile(page, '2.jpg').tap();
    await checkMark(page, '3.jpg').tap();
    await expect(toolbar(page)).toContainText('3 selected');
    for (const one of await toolbar(page).getByRole('button').all()) {
      await expect(one).toBeInViewport({ ratio: 1 });
      expect((await one.boundingBox())?.width).toBeGreaterThanOrEqual(44);
    }
    await button(page, 'Delete').tap();
    await expect(tiles(page)).toHaveCount(5);
    await page.getByRole('button', { name: 'Undo' }).tap();
    await expect(tiles(page)).toHaveCount(8);
    await tile(page, '0.jpg').tap();
    await expect(page.getByRole('dialog', { name: '0.jpg' })).toBeVisible();
  });
});
