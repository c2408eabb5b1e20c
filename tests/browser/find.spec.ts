// Finding pictures by label, confidence, status and date.
import type { Locator, Page } from '@playwright/test';
import { drop, expect, test, tile, tiles } from './app.ts';
import { damaged, sample } from './files.ts';

const searchField = (page: Page): Locator => page.getByRole('combobox', { name: 'Search pictures by label' });
const chips = (page: Page): Locator => page.getByRole('list', { name: 'Active filters' }).getByRole('listitem');
const problem = (page: Page): Locator => page.locator('ilg-find-bar').getByRole('alert');

/** Types a query and waits until the last label in it is suggested, so that Enter does not depend on the time. */
async function typeQuery(page: Page, query: string, suggested: string): Promise<void> {
  await searchField(page).pressSequentially(query);
  await expect(page.getByRole('option', { name: new RegExp(`^${suggested} \\d+ pictures?$`) })).toBeVisible();
}

test.beforeEach(async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'), sample('coffee.jpg'), damaged());
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await expect(tile(page, 'coffee.jpg', 'Coffee|Cup|Espresso')).toBeVisible();
  await expect(tile(page, 'half-a-cat.webp', 'Rejected')).toBeVisible();
});

test('suggests labels with counts, and filters the gallery by the chosen one', async ({ page }) => {
  const field = searchField(page);
  await field.pressSequentially('ca');
  await expect(page.getByRole('option', { name: 'Cat 1 picture', exact: true })).toBeVisible();
  await field.press('ArrowDown');
  await field.press('Enter');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'cat.jpg')).toBeVisible();
  expect(new URL(page.url()).searchParams.getAll('label').map((label) => label.toLowerCase())).toHaveLength(1);

  await page.reload();
  await expect(tiles(page)).toHaveCount(1);
  await expect(page).toHaveTitle('Cat · Image Label Generator');
  await tile(page, 'cat.jpg').click();
  await expect(page).toHaveTitle('cat.jpg · Image Label Generator');
  await page.keyboard.press('Escape');
  await expect(page).toHaveTitle('Cat · Image Label Generator');
  await page.goBack();
  await expect(tiles(page)).toHaveCount(3);
  await expect(page).toHaveTitle('Image Label Generator');
  await page.goForward();
  await expect(tiles(page)).toHaveCount(1);
});

test('filters by all of several labels, which can be removed one by one', async ({ page }) => {
  await page.goto('/?label=Cat&label=Animal');
  await expect(tiles(page)).toHaveCount(1);
  await page.goto('/?label=Cat&label=Cup');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await page.getByRole('button', { name: 'Remove Cup' }).click();
  await expect(tile(page, 'cat.jpg')).toBeVisible();
  await expect(page.getByRole('log')).toContainText('1 picture');
  await page.getByRole('button', { name: 'Remove Cat' }).click();
  await expect(tiles(page)).toHaveCount(3);
});

test('filters by confidence', async ({ page }) => {
  await page.goto('/?label=Cat');
  await expect(tiles(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('slider', { name: /Confidence/ }).fill('100');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  expect(new URL(page.url()).search).toBe('?label=Cat&minConfidence=100');
});

test('the panel shows the confidence while the slider moves, and applies it at the end', async ({ page }) => {
  await page.goto('/?label=Cat');
  await page.getByRole('button', { name: 'Filters' }).click();
  const slider = page.getByRole('slider', { name: /Confidence/ });
  const value = page.getByRole('dialog', { name: 'Filters' }).locator('.value');
  const box = await slider.boundingBox();
  if (!box) throw new Error('the slider is not visible');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width / 4, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, y, { steps: 4 });
  await expect(value).toHaveText('50% or more');
  expect(new URL(page.url()).search).toBe('?label=Cat');
  await page.mouse.up();
  await expect.poll(() => new URL(page.url()).search).toBe('?label=Cat&minConfidence=50');
  await expect(value).toHaveText('50% or more');

  for (let step = 0; step < 4; step += 1) await slider.press('ArrowRight');
  await expect.poll(() => new URL(page.url()).search).toBe('?label=Cat&minConfidence=70');
  // All changes in the open panel are one entry of the history.
  await page.goBack();
  expect(new URL(page.url()).search).toBe('?label=Cat');
});

test('filters by status and by date', async ({ page }) => {
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('combobox', { name: 'Status' }).selectOption('Rejected');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'half-a-cat.webp')).toBeVisible();
  await page.getByRole('combobox', { name: 'Status' }).selectOption('Any');
  await expect(tiles(page)).toHaveCount(3);
  await page.getByLabel('To', { exact: true }).fill('2020-01-01');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove Until Jan 1, 2020' }).click();
  await expect(tiles(page)).toHaveCount(3);
});

test('finds pictures with all labels of a query', async ({ page }) => {
  await typeQuery(page, 'cat animal', 'Animal');
  await searchField(page).press('Enter');
  await expect(chips(page)).toHaveText([/Cat/i, /Animal/i, 'Clear all']);
  await expect(searchField(page)).toHaveValue('');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'cat.jpg')).toBeVisible();
  const labels = new URL(page.url()).searchParams.getAll('label');
  expect(labels.map((label) => label.toLowerCase())).toEqual(['cat', 'animal']);

  await typeQuery(page, 'cup', 'Cup');
  await searchField(page).press('Enter');
  await expect(page.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await searchField(page).press('Backspace');
  await expect(tile(page, 'cat.jpg')).toBeVisible();
});

test('finds pictures with one of several labels', async ({ page }) => {
  await typeQuery(page, 'cat or cup', 'Cup');
  await searchField(page).press('Enter');
  await expect(chips(page)).toHaveText([/Cat or Cup/i]);
  await expect(tiles(page)).toHaveCount(2);
  await expect(tile(page, 'cat.jpg')).toBeVisible();
  await expect(tile(page, 'coffee.jpg')).toBeVisible();
  expect(new URL(page.url()).searchParams.get('label')?.toLowerCase()).toBe('cat|cup');
});

test('tiles show the labels that match first, with their confidences', async ({ page }) => {
  const cat = tile(page, 'cat.jpg');
  await expect(cat).not.toContainText('%');
  await page.goto('/?label=animal&label=Cup%7CCat');
  await expect(cat.locator('.caption')).toHaveText(/^Animal \d+% · Cat \d+% · [^%·]+$/);
  await expect(cat).toHaveAccessibleName(/^cat\.jpg: Animal \d+%, Cat \d+%, [^%,]+$/);
  await page.getByRole('button', { name: 'Clear all' }).click();
  await expect(tiles(page)).toHaveCount(3);
  await expect(cat).not.toContainText('%');
});

test('finds pictures without a label', async ({ page }) => {
  await typeQuery(page, '-cat', 'Cat');
  await searchField(page).press('Enter');
  await expect(chips(page)).toHaveText([/Without Cat/i]);
  await expect(tile(page, 'cat.jpg')).toHaveCount(0);
  await expect(tile(page, 'coffee.jpg')).toBeVisible();
  expect(new URL(page.url()).searchParams.get('without')?.toLowerCase()).toBe('cat');
});

test('says why a query is invalid, and keeps it for correction', async ({ page }) => {
  const field = searchField(page);
  await field.fill('status:lost');
  await field.press('Enter');
  await expect(problem(page)).toHaveText('“lost” is not a status. Use processing, labeled, rejected or failed.');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveValue('status:lost');
  await expect(tiles(page)).toHaveCount(3);
  expect(new URL(page.url()).search).toBe('');

  await field.fill('status:rejected');
  await expect(problem(page)).toBeHidden();
  await field.press('Enter');
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'half-a-cat.webp')).toBeVisible();
});

test('a part of the search can be edited and removed', async ({ page }) => {
  await page.goto('/?label=Cat%7CCup&status=LABELED');
  await expect(tiles(page)).toHaveCount(2);
  await page.getByRole('button', { name: 'Edit Cat or Cup', exact: true }).click();
  const field = searchField(page);
  await expect(field).toBeFocused();
  await expect(field).toHaveValue('Cat or Cup ');
  await expect(chips(page)).toHaveText(['Labeled']);
  expect(new URL(page.url()).search).toBe('?status=LABELED');

  await field.press('ControlOrMeta+a');
  await typeQuery(page, 'cup', 'Cup');
  await field.press('Enter');
  await expect(chips(page)).toHaveText([/Cup/i, 'Labeled', 'Clear all']);
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'coffee.jpg')).toBeVisible();
  await page.getByRole('button', { name: 'Remove Cup' }).click();
  await expect(tiles(page)).toHaveCount(2);
  await page.getByRole('button', { name: 'Remove Labeled' }).click();
  await expect(tiles(page)).toHaveCount(3);
});

test('Enter keeps an edited part as it is, also if a longer label begins with it', async ({ page }) => {
  await page.goto('/?without=ca');
  await page.getByRole('button', { name: 'Edit Without ca', exact: true }).click();
  await expect(page.getByRole('option', { name: 'Cat 1 picture', exact: true })).toBeVisible();
  await searchField(page).press('Enter');
  await expect(chips(page)).toHaveText(['Without ca']);
});

test('Enter waits for the labels, to find those of several words', async ({ page }) => {
  let respond = (): void => {};
  const answered = new Promise<void>((resolve) => {
    respond = resolve;
  });
  await page.route('**/api/labels*', async (route) => {
    await answered;
    await route.fulfill({ json: { labels: [{ name: 'Coffee Cup', count: 1, parents: [], aliases: [], categories: [] }] } });
  });
  await page.reload();
  await searchField(page).fill('coffee cup');
  await searchField(page).press('Enter');
  await expect(searchField(page)).toHaveValue('coffee cup');
  respond();
  await expect(chips(page)).toHaveText(['Coffee Cup']);
});

test('keeps a request for suggestions when all labels arrive', async ({ page }) => {
  let respond = () => {};
  const released = new Promise<void>((resolve) => {
    respond = resolve;
  });
  // The labels for the prefix arrive after all labels.
  await page.route('**/api/labels?prefix=*', async (route) => {
    await released;
    await route.continue().catch(() => {});
  });
  await page.reload();
  const requesting = page.waitForRequest('**/api/labels?prefix=*');
  await page.route('**/api/labels', async (route) => {
    await requesting;
    return route.continue();
  });
  await searchField(page).fill('ca');
  await expect(page.getByRole('option', { name: 'Cat 1 picture', exact: true })).toBeVisible();
  respond();
  expect(await (await requesting).response(), 'the request is not aborted').not.toBeNull();
});

test('an alias offers its label, and finds it', async ({ page }) => {
  const phone = { name: 'Cell Phone', count: 2, parents: [], aliases: ['Mobile Phone'], categories: [] };
  const cat = { name: 'Cat', count: 1, parents: [], aliases: ['Kitty'], categories: [] };
  await page.route('**/api/labels*', (route) => {
    const prefix = new URL(route.request().url()).searchParams.get('prefix');
    return route.fulfill({ json: { labels: prefix ? [] : [phone, cat] } });
  });
  await page.reload();
  await searchField(page).pressSequentially('mobile ph');
  await expect(page.locator('ilg-find-bar').getByRole('option')).toHaveText(/Cell Phone\s+Mobile Phone\s+2 pictures/);
  await page.keyboard.press('Enter');
  await expect(chips(page)).toHaveText(['Cell Phone']);
  await page.getByRole('button', { name: 'Remove Cell Phone' }).click();
  await searchField(page).fill('kitty -mobile phone');
  await page.keyboard.press('Enter');
  await expect(chips(page)).toHaveText(['Cat', 'Without Cell Phone', 'Clear all']);
  await expect(tiles(page)).toHaveCount(1);
});

test.describe('without suggestions', () => {
  test.use({ expectedError: /status of 400/ });

  test('Enter searches for the words', async ({ page }) => {
    await page.route('**/api/labels*', (route) => route.fulfill({ status: 400, json: {} }));
    await page.reload();
    await searchField(page).fill('coffee cat');
    await searchField(page).press('Enter');
    await expect(chips(page)).toHaveText(['coffee', 'cat', 'Clear all']);
  });
});

test('holding Backspace empties the field, but keeps the filters', async ({ page }) => {
  await page.goto('/?label=Cat&status=LABELED');
  const field = searchField(page);
  await field.pressSequentially('x');
  // Playwright repeats a key that is down already.
  for (let times = 0; times < 4; times += 1) await page.keyboard.down('Backspace');
  await page.keyboard.up('Backspace');
  await expect(field).toHaveValue('');
  await expect(chips(page)).toHaveText([/Cat/, 'Labeled', 'Clear all']);
  await field.press('Backspace');
  await expect(chips(page)).toHaveText([/Cat/]);
});

test('the panel explains dates and statuses that contradict the search', async ({ page }) => {
  await page.goto('/?to=2026-01-31');
  await page.getByRole('button', { name: /^Filters/ }).click();
  const panel = page.getByRole('dialog', { name: 'Filters' });
  // A year that is being typed: 0002, 0020, 0202, 2026.
  await panel.getByLabel('From', { exact: true }).fill('0202-02-01');
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await page.getByRole('button', { name: /^Filters/ }).click();
  await panel.getByLabel('From', { exact: true }).fill('2026-02-01');
  await expect(panel.getByRole('alert')).toHaveText('The “from” date is after the “to” date. Change one of them.');
  expect(new URL(page.url()).search).toBe('?to=2026-01-31');
  await panel.getByLabel('To', { exact: true }).fill('2026-02-02');
  await expect(panel.getByRole('alert')).toBeHidden();
  expect(new URL(page.url()).search).toBe('?from=2026-02-01&to=2026-02-02');

  await page.goto('/?untagged=true');
  await page.getByRole('button', { name: /^Filters/ }).click();
  await panel.getByRole('combobox', { name: 'Status' }).selectOption('Failed');
  await expect(panel.getByRole('alert')).toHaveText(/finds labeled pictures/);
  expect(new URL(page.url()).search).toBe('?untagged=true');
  await panel.getByRole('button', { name: 'Clear all' }).click();
  await expect(panel.getByRole('combobox', { name: 'Status' })).toHaveValue('');
  await expect(panel.getByRole('alert')).toBeHidden();
});

test('a repeated problem is announced again, and Escape closes it', async ({ page }) => {
  const field = searchField(page);
  await field.fill('status:lost');
  await field.press('Enter');
  await expect(problem(page)).toBeVisible();
  const announced = await problem(page).elementHandle();
  await field.press('Enter');
  await expect(problem(page)).toBeVisible();
  // A new alert with the same text.
  await expect.poll(() => announced?.evaluate((element) => element.isConnected)).toBe(false);
  await field.press('Escape');
  await expect(problem(page)).toBeHidden();
  await expect(field).toHaveValue('status:lost');
});

test('after a filter is removed with the keyboard, the search field has the focus', async ({ page }) => {
  await page.goto('/?label=Cat&label=Animal&status=LABELED');
  for (const name of ['Remove Cat', 'Remove Animal', 'Remove Labeled']) {
    await page.getByRole('button', { name, exact: true }).press('Enter');
    await expect(searchField(page)).toBeFocused();
  }
  await expect(chips(page)).toHaveCount(0);
});

test('the address restores the search', async ({ page }) => {
  await searchField(page).fill('cat > 50 -unicorn status:labeled');
  await searchField(page).press('Enter');
  const parts = [/Cat 50% or more/i, 'Without unicorn', 'Labeled', 'Clear all'];
  await expect(chips(page)).toHaveText(parts);
  await expect(tiles(page)).toHaveCount(1);
  await expect(tile(page, 'cat.jpg')).toBeVisible();

  await page.reload();
  await expect(chips(page)).toHaveText(parts);
  await expect(tiles(page)).toHaveCount(1);
  await page.goBack();
  await expect(chips(page)).toHaveCount(0);
  await expect(tiles(page)).toHaveCount(3);
});

test('the filters panel opens help for the search', async ({ page }) => {
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('button', { name: 'Search help', exact: true }).click();
  const help = page.getByRole('dialog', { name: 'Search help' });
  await expect(help.getByText('cat or dog', { exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await expect(page.getByRole('dialog', { name: 'Filters' })).toBeVisible();
});
