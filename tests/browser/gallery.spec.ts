// The gallery: a history of any length, of which only the visible rows are in the document.
import { drop, expect, picture, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';
import { seed } from './seed.ts';

test('shows each picture once, newest first, grouped by day, down to the oldest', async ({ page, person }) => {
  const count = 230;
  await seed(person, count);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Fri, January 31, 2025' }).first()).toBeVisible();
  await expect(tiles(page).first()).toHaveAttribute('aria-label', /^0\.jpg/);

  const seen = new Set<string>();
  await expect(async () => {
    const names = await tiles(page).evaluateAll((links) => links.map((link) => link.getAttribute('title') ?? ''));
    for (const name of names) seen.add(name);
    expect(names.length, 'only pictures in and near the window').toBeLessThan(120);
    await page.mouse.wheel(0, 500);
    // The page scrolls in one frame, and renders what is visible then in the next one.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    expect(seen.size).toBe(count);
  }).toPass({ intervals: [50] });
  const order = await tiles(page).evaluateAll((links) => links.map((link) => Number.parseInt(link.getAttribute('title') ?? '', 10)));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeGreaterThan(5_000);
});

test('pictures do not overlap, and do not move when they are loaded', async ({ page, person }) => {
  await seed(person, 60, (index) => ({ width: 300 + ((index * 97) % 500), height: 300 }));
  await page.goto('/');
  await expect(tiles(page).first().locator('img')).toHaveCount(1);
  const boxes = () =>
    tiles(page).evaluateAll((links) =>
      links.map((link) => {
        const { left, right, top, bottom } = link.getBoundingClientRect();
        return { left, right, top, bottom };
      }),
    );
  const before = await boxes();
  for (const [index, one] of before.entries()) {
    for (const other of before.slice(index + 1)) {
      const apart = one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
      expect(apart, `${JSON.stringify(one)} and ${JSON.stringify(other)}`).toBe(true);
    }
  }
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
  expect(await boxes()).toEqual(before);
});

test('a screen of pictures takes one request for the list and one for each thumbnail', async ({ page, person }) => {
  await seed(person, 60);
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.startsWith('/api/images')) asked.push(searchParams.has('id') ? 'by ids' : pathname);
  });
  const thumbnail = page.waitForRequest(/\/thumbnails\/seeded\/cat\.jpg\/0\?/);
  await page.goto('/');
  await thumbnail;
  for (const one of await tiles(page).all()) await expect(one.locator('img[data-loaded]')).toHaveCount(1);
  expect(asked).toEqual(['/api/images']);
});

test('pictures without thumbnails are displayed from their files', async ({ page, person }) => {
  await seed(person, 3, (index) => ({ thumbnails: index === 2 }));
  await page.goto('/');
  for (const name of ['2.jpg', '1.jpg']) {
    const shown = tile(page, name).locator('img[data-loaded]');
    await expect(shown, name).toBeVisible();
    const width = name === '2.jpg' ? 320 : 451;
    expect(await shown.evaluate((image: HTMLImageElement) => image.naturalWidth), name).toBe(width);
  }
});

test.describe('the URL of a thumbnail has expired', () => {
  test.use({ expectedError: /status of 403/ });

  test('the tile requests another one', async ({ page, person }) => {
    await seed(person, 2);
    await page.route('**/thumbnails/seeded/cat.jpg/1?*', (route) => route.fulfill({ status: 403 }), { times: 1 });
    const asked = page.waitForRequest((request) => new URL(request.url()).searchParams.has('id'));
    await page.goto('/');
    await expect(tile(page, '1.jpg').locator('img[data-loaded]')).toBeVisible();
    await asked;
  });
});

test('an uploaded picture comes first, also after a reload', async ({ page, person }) => {
  await seed(person, 3);
  await page.goto('/');
  await expect(tiles(page)).toHaveCount(3);
  await drop(page, sample('cat.jpg', 'new.jpg'));
  await expect(tile(page, 'new.jpg', 'Cat')).toBeVisible();
  await expect(tiles(page).first()).toHaveAttribute('title', 'new.jpg');
  await page.reload();
  await expect(tiles(page)).toHaveCount(4);
  await expect(tiles(page).first()).toHaveAttribute('title', 'new.jpg');
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
});

test('closing a picture returns to the same place in the history', async ({ page, person }) => {
  await seed(person, 150);
  await page.goto('/');
  await expect(tiles(page).first()).toBeVisible();
  await page.mouse.wheel(0, 2_000);
  let scrolled = 0;
  await expect
    .poll(async () => {
      const before = scrolled;
      scrolled = await page.evaluate(() => window.scrollY);
      return scrolled > 1_000 && scrolled === before;
    }, 'the page has scrolled, and stands still')
    .toBe(true);
  const middle = tiles(page).nth(Math.floor((await tiles(page).count()) / 2));
  const name = (await middle.getAttribute('title')) ?? '';
  // Not the tile in the middle: which one that is changes when more rows are displayed.
  await tile(page, name).click();
  await expect(page.getByRole('dialog', { name })).toBeVisible();
  const place = await page.evaluate(() => window.scrollY);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(await page.evaluate(() => window.scrollY)).toBe(place);
  await expect(tile(page, name)).toBeFocused();
});

test('the way back from a search leads to the same place in the history', async ({ page, person }) => {
  // More than one page of the list.
  await seed(person, 230, (index) => ({ labels: index % 50 === 0 ? ['Dog'] : ['Cat'] }));
  await page.goto('/');
  await expect(async () => {
    await page.mouse.wheel(0, 400);
    await expect(tile(page, '150.jpg')).toBeInViewport({ timeout: 200 });
  }).toPass({ intervals: [50] });
  await tile(page, '150.jpg').click();
  const similar = picture(page, '150.jpg').getByRole('navigation', { name: 'Find similar pictures' });
  await expect(similar).toBeVisible();
  const place = await page.evaluate(() => window.scrollY);
  await similar.getByRole('link', { name: 'Find pictures with Dog', exact: true }).click();
  // Seeded pictures have no rows of labels, by which they would be found.
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  expect(await page.evaluate(() => window.scrollY)).toBe(0);
  await page.goBack();
  await expect(picture(page, '150.jpg')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(place);
  await expect(tile(page, '150.jpg')).toBeInViewport();
});

test('closing a picture after turning many pages shows its tile in the gallery', async ({ page, person }) => {
  await seed(person, 100);
  await page.goto('/');
  await tile(page, '0.jpg').click();
  for (let turned = 1; turned <= 60; turned += 1) {
    await page.keyboard.press('ArrowRight');
    await expect(picture(page, `${turned}.jpg`)).toBeVisible();
  }
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(tile(page, '60.jpg')).toBeFocused();
  await expect(tile(page, '60.jpg')).toBeInViewport({ ratio: 0.9 });
});

test.describe('the history cannot be loaded', () => {
  test.use({ expectedError: /status of 500/ });

  test('the page says so, and loads it after “Try again”', async ({ page, person }) => {
    await seed(person, 2);
    await page.route('**/api/images?*', (route) => route.fulfill({ status: 500, json: {} }));
    await page.goto('/');
    await expect(page.getByRole('alert')).toContainText("The service isn't available.");
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(tiles(page)).toHaveCount(2);
  });
});
