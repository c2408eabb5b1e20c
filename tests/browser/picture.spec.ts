// One picture, large: what is in it and where, what happened to it, and what can be done with it.
import { readFileSync } from 'node:fs';
import { addAndOpen, drop, expect, label, picture, test, tile, tiles } from './app.ts';
import { sample, truncated } from './files.ts';

test('pointing at a label shows where it is, and pointing at the place shows the label', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await label(view, 'Cat').hover();
  const box = view.locator('.box[data-on]').first();
  await expect(box).toContainText(/Cat \d+\.\d%/);

  const shown = await view.getByRole('img', { name: /^cat\.jpg: / }).boundingBox();
  const drawn = await box.boundingBox();
  if (!shown || !drawn) throw new Error('picture and box are not drawn');
  expect(drawn.width).toBeGreaterThan(shown.width / 10);
  expect(drawn.x).toBeGreaterThanOrEqual(shown.x - 1);
  expect(drawn.y).toBeGreaterThanOrEqual(shown.y - 1);
  expect(drawn.x + drawn.width).toBeLessThanOrEqual(shown.x + shown.width + 1);
  expect(drawn.y + drawn.height).toBeLessThanOrEqual(shown.y + shown.height + 1);

  await page.mouse.move(1, 1);
  await expect(view.locator('.box[data-on]')).toHaveCount(0);
  await view.locator('.box').last().hover();
  await expect(view.locator('li[data-on]')).toHaveCount(1);
});

test('the slider hides what is less sure, in the list and in the picture', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  const before = await view.getByRole('meter').count();
  const slider = view.getByRole('slider', { name: /Show labels of/ });
  await slider.fill('90');
  await expect(view.getByText('90% or more')).toBeVisible();
  for (const meter of await view.getByRole('meter').all()) {
    expect(await meter.evaluate((element: HTMLMeterElement) => element.value)).toBeGreaterThanOrEqual(90);
  }
  expect(await view.getByRole('meter').count()).toBeLessThanOrEqual(before);
  await slider.fill('100');
  await expect(view.getByText('No label is that sure.')).toBeVisible();
  await expect(view.locator('.box')).toHaveCount(0);
});

test('parents, categories, details and the steps of the workflow are there to be unfolded', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await expect(view.getByText(/^Parents.*Animal/).first()).toBeHidden();
  await view.getByText('Parents and categories').click();
  await expect(view.getByText(/^Parents.*Animal/).first()).toBeVisible();
  await expect(view.getByText('451 × 300 pixels')).toBeVisible();
  await expect(view.getByText('JPEG')).toBeVisible();

  await view.getByText('What happened').click();
  const steps = view.locator('ilg-execution-graph').getByRole('listitem');
  await expect(steps).toHaveCount(5);
  await expect(steps.first()).toContainText(/Done · .* ms/);
  await expect(steps.last()).toContainText(/Done/);
});

test('what happened to a refused file is explained, and where', async ({ page }) => {
  await page.goto('/');
  await drop(page, truncated());
  await tile(page, 'half-a-cat.jpg', 'Refused').click();
  const view = picture(page, 'half-a-cat.jpg');
  await expect(view).toContainText('This file cannot be labeled');
  await expect(view).toContainText('Open it in a picture editor');
  await view.getByText('What happened').click();
  await expect(view.locator('ilg-execution-graph').getByText('InvalidImage')).toBeVisible();
});

test('next and previous, with the keys and with buttons, in the order of the gallery', async ({ page }) => {
  await page.goto('/');
  for (const name of ['one.jpg', 'two.jpg', 'three.jpg']) {
    await drop(page, sample('cat.jpg', name));
    await expect(tile(page, name, 'Cat')).toBeVisible();
  }
  await tile(page, 'three.jpg').click();
  await expect(picture(page, 'three.jpg')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Previous picture' })).toHaveCount(0);
  await page.keyboard.press('ArrowRight');
  await expect(picture(page, 'two.jpg')).toBeVisible();
  await page.getByRole('button', { name: 'Next picture' }).click();
  await expect(picture(page, 'one.jpg')).toBeVisible();
  await page.keyboard.press('ArrowLeft');
  await expect(picture(page, 'two.jpg')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(tiles(page)).toHaveCount(3);
  await page.goForward();
  await expect(picture(page, 'two.jpg')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(tile(page, 'two.jpg')).toBeFocused();
});

test('the file that is downloaded is the file that was uploaded', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await page.reload();
  const link = view.getByRole('link', { name: 'Download' });
  const href = await link.getAttribute('href');
  const response = await page.request.get(href ?? '');
  expect(response.headers()['content-type']).toBe('image/jpeg');
  expect(response.headers()['content-disposition']).toContain("UTF-8''cat.jpg");
  expect(await response.body()).toEqual(readFileSync(new URL('../../samples/cat.jpg', import.meta.url)));
});

test('a deleted picture comes back with undo; without, it is gone for good', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await view.getByRole('button', { name: 'Delete' }).click();
  await expect(view).toBeHidden();
  await expect(tiles(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.reload();
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();

  await tile(page, 'cat.jpg').click();
  await page.keyboard.press('Delete');
  const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await expect(page.getByText('Deleted cat.jpg.')).toBeVisible();
  expect((await deleted).status()).toBe(204);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'See what is in your pictures' })).toBeVisible();
});

test.describe('the API refuses a deletion', () => {
  test.use({ provoked: /status of 500/ });

  test('and the picture is back, with the reason', async ({ page }) => {
    const view = await addAndOpen(page, sample('cat.jpg'));
    await page.route('**/api/images/*', (route) =>
      route.request().method() === 'DELETE' ? route.fulfill({ status: 500, json: {} }) : route.fallback(),
    );
    await view.getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText(/cat\.jpg could not be deleted and is back\./)).toBeVisible();
    await expect(tile(page, 'cat.jpg')).toBeVisible();
  });
});

test('labeled again, a picture has what the present settings keep', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await page.goto('/settings');
  await page.getByRole('combobox', { name: 'Add a label to leave out' }).fill('cat');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await tile(page, 'cat.jpg').click();
  await expect(label(view, 'Cat')).toBeVisible();
  await view.getByRole('button', { name: 'Label again' }).click();
  await expect(view.getByText('Labeled again with your present settings.')).toBeVisible();
  await expect(label(view, 'Cat')).toHaveCount(0);
  await expect(view.getByRole('meter').first()).toBeVisible();
});

test.describe('an address of a picture that does not exist', () => {
  test.use({ provoked: /status of 404/ });

  test('is explained', async ({ page }) => {
    await page.goto('/images/0193506a-7d2e-7c61-9a54-3f1de1a8b0c1');
    await expect(page.getByRole('dialog')).toContainText('There is no picture under this address.');
    await page.getByRole('button', { name: 'Back' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
});
