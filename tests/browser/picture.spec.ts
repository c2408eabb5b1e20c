// The large view of a picture: labels, boxes, details, processing steps and actions.
import { readFileSync } from 'node:fs';
import { addAndOpen, drop, endUndoTime, expect, label, picture, test, tile, tiles } from './app.ts';
import { damaged, sample, truncated } from './files.ts';
import { seed } from './seed.ts';
import { stack } from './stack.ts';

test('pointing at a label highlights its boxes, and pointing at a box highlights its label', async ({ page }) => {
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

test('a label is listed before its parents', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  const listed = await view.getByRole('meter').evaluateAll((meters) => meters.map((meter) => meter.getAttribute('aria-label')));
  expect(listed).toEqual(expect.arrayContaining(['Confidence of Cat', 'Confidence of Mammal', 'Confidence of Animal']));
  expect(listed.indexOf('Confidence of Cat')).toBeLessThan(listed.indexOf('Confidence of Mammal'));
  expect(listed.indexOf('Confidence of Mammal')).toBeLessThan(listed.indexOf('Confidence of Animal'));
});

test('the slider hides labels with less confidence, in the list and in the picture', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  const before = await view.getByRole('meter').count();
  const slider = view.getByRole('slider', { name: /Minimum confidence/ });
  await slider.fill('90');
  await expect(view.getByText('90%', { exact: true })).toBeVisible();
  for (const meter of await view.getByRole('meter').all()) {
    expect(await meter.evaluate((element: HTMLMeterElement) => element.value)).toBeGreaterThanOrEqual(90);
  }
  expect(await view.getByRole('meter').count()).toBeLessThanOrEqual(before);
  await slider.fill('100');
  await expect(view.getByText('No labels with this confidence.')).toBeVisible();
  await expect(view.locator('.box')).toHaveCount(0);
});

test('parents, categories and processing steps can be expanded', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await expect(view.getByText(/^Parents.*Animal/).first()).toBeHidden();
  await view.getByText('Parents and categories').click();
  await expect(view.getByText(/^Parents.*Animal/).first()).toBeVisible();
  await expect(view.getByText('451 × 300 pixels')).toBeVisible();
  await expect(view.getByText('JPEG')).toBeVisible();

  await view.getByText('Processing steps').click();
  const steps = view.locator('ilg-execution-graph').getByRole('listitem');
  await expect(steps).toHaveCount(5);
  await expect(steps.first()).toContainText(/Done · .* m?s/);
  await expect(steps.last()).toContainText(/Done/);
});

test('the processing steps are loaded again until the execution has ended', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  let release = () => {};
  const runningIsShown = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = 0;
  await page.route('**/api/images/*/execution', async (route) => {
    asked += 1;
    if (asked > 1) {
      await runningIsShown;
      return route.fallback();
    }
    // The labels are stored before the last step has ended.
    const response = await route.fetch();
    const execution = await response.json();
    const running = { ...execution, status: 'RUNNING', stoppedAt: null, steps: execution.steps.slice(0, 4) };
    return route.fulfill({ response, json: running });
  });
  await view.getByText('Processing steps').click();
  const graph = view.locator('ilg-execution-graph');
  await expect(graph.getByRole('listitem')).toHaveCount(4);
  await expect(graph.locator('.summary')).toContainText('In progress');
  release();
  await expect(graph.getByRole('listitem')).toHaveCount(5);
  await expect(graph.locator('.summary')).toContainText(/^Done/);
});

test('a rejected file has a reason, and its failed step an error name', async ({ page }) => {
  await page.goto('/');
  await drop(page, damaged());
  await tile(page, 'half-a-cat.webp', 'Rejected').click();
  const view = picture(page, 'half-a-cat.webp');
  await expect(view).toContainText("This file can't be labeled");
  await expect(view).toContainText('Open it in a picture editor');
  await view.getByText('Processing steps').click();
  await expect(view.locator('ilg-execution-graph').getByText('InvalidImage')).toBeVisible();
});

test('half of a JPEG is labeled, and the details say that it is incomplete', async ({ page }) => {
  await page.goto('/');
  await drop(page, truncated());
  const shown = tile(page, 'half-a-cat.jpg');
  await expect(shown.locator('img[data-loaded]')).toBeVisible();
  await shown.click();
  const view = picture(page, 'half-a-cat.jpg');
  await expect(view.getByText('451 × 300 pixels', { exact: true })).toBeVisible();
  await expect(page.locator('ilg-picture-facts')).toContainText('Part of the picture is missing from the file.');
});

test('the details say what is missing from the file, and why there are no thumbnails', async ({ page, person }) => {
  const reason = 'Decoding this picture takes more memory than allowed.';
  await seed(person, 2, (index) =>
    index === 0
      ? { fileName: 'cut-off.jpg', incomplete: true }
      : { fileName: 'huge.jpg', thumbnails: false, thumbnailsError: reason },
  );
  await page.goto('/');
  await tile(page, 'cut-off.jpg').click();
  const details = page.locator('ilg-picture-facts');
  await expect(details).toContainText('Part of the picture is missing from the file.');
  await expect(details).not.toContainText('Thumbnails');
  await page.keyboard.press('ArrowRight');
  await expect(details).toContainText(reason);
  await expect(details).not.toContainText('Incomplete');
});

test('next and previous follow the order of the gallery, with keys and with buttons', async ({ page }) => {
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

test.describe('the URL of a picture has expired', () => {
  test.use({ expectedError: /status of 400/ });

  test('the page requests another one and displays the picture', async ({ page }) => {
    const view = await addAndOpen(page, sample('cat.jpg'));
    let refusals = 0;
    await page.route(`${new URL(stack.endpoint).origin}/**`, (route) => {
      // The small thumbnail belongs to the gallery.
      const isShown = route.request().method() === 'GET' && !new URL(route.request().url()).pathname.endsWith('/320');
      if (!isShown || refusals > 0) return route.fallback();
      refusals += 1;
      return route.fulfill({ status: 400, body: '<Error><Code>ExpiredToken</Code></Error>' });
    });
    await page.reload();
    const shown = view.getByRole('img', { name: /^cat\.jpg: / });
    await expect.poll(() => shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    expect(refusals).toBe(1);
  });
});

test('deleting a picture can be undone, and is permanent otherwise', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await view.getByRole('button', { name: 'Delete' }).click();
  await expect(view).toBeHidden();
  await expect(tiles(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.reload();
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();

  await tile(page, 'cat.jpg').click();
  const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.keyboard.press('Delete');
  await expect(page.getByText('Deleted cat.jpg')).toBeVisible();
  await endUndoTime(page);
  expect((await deleted).status()).toBe(204);
  await page.reload();
  await expect(page.getByRole('heading', { name: "See what's in your pictures" })).toBeVisible();
});

test.describe('the API rejects a deletion', () => {
  test.use({ expectedError: /status of 500/ });

  test('the picture is restored, with the reason', async ({ page }) => {
    const view = await addAndOpen(page, sample('cat.jpg'));
    await page.route('**/api/images/*', (route) =>
      route.request().method() === 'DELETE' ? route.fulfill({ status: 500, json: {} }) : route.fallback(),
    );
    await view.getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText('Deleted cat.jpg')).toBeVisible();
    await endUndoTime(page);
    await expect(page.getByText("Couldn't delete cat.jpg.")).toBeVisible();
    await expect(tile(page, 'cat.jpg')).toBeVisible();
  });
});

test('labels a picture again', async ({ page }) => {
  const view = await addAndOpen(page, sample('cat.jpg'));
  await view.getByRole('button', { name: 'Label again' }).click();
  await expect(view.getByText('Labeled again with your current settings.')).toBeVisible();
  await expect(label(view, 'Cat')).toBeVisible();
});

test.describe('the address of a picture that does not exist', () => {
  test.use({ expectedError: /status of 404/ });

  test('is explained', async ({ page }) => {
    await page.goto('/images/0193506a-7d2e-7c61-9a54-3f1de1a8b0c1');
    await expect(page.getByRole('dialog')).toContainText('Picture not found.');
    await page.getByRole('button', { name: 'Back' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
});
