// Rejected files and failed uploads: the page says what is wrong and what to do.
import { drop, expect, test, tile, tiles, upload } from './app.ts';
import { damaged, jpegXl, sample, textNamedJpg } from './files.ts';
import { stack } from './stack.ts';

test('a text file named .jpg is rejected before the upload', async ({ page }) => {
  await page.goto('/');
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  await drop(page, textNamedJpg);
  await expect(upload(page, 'notes.jpg')).toContainText("This file is named like a JPEG, but it isn't a picture.");
  await expect(page.getByRole('log')).toContainText("notes.jpg: This file can't be labeled");
  expect(sent).toEqual([]);
});

test('a JPEG XL picture is rejected by its name before the upload', async ({ page }) => {
  await page.goto('/');
  await drop(page, jpegXl);
  await expect(upload(page, 'photo.jxl')).toContainText("JPEG XL files aren't supported. Save the picture as JPEG or PNG and add it again.");
});

test('a picture with 79 pixels is rejected before the upload', async ({ page }) => {
  await page.goto('/');
  const png = await page.evaluate(async () => {
    const blob = await new Promise<Blob | null>((resolve) => {
      const canvas = document.createElement('canvas');
      canvas.width = 79;
      canvas.height = 300;
      canvas.toBlob(resolve);
    });
    return [...new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0))];
  });
  await drop(page, { name: 'thin.png', mimeType: 'image/png', buffer: Buffer.from(png) });
  await expect(upload(page, 'thin.png')).toContainText('This picture is 79 × 300 pixels. Each side needs at least 80 pixels.');
});

test('a damaged picture is rejected by the service, with advice', async ({ page }) => {
  await page.goto('/');
  await drop(page, damaged());
  const half = upload(page, 'half-a-cat.webp');
  await expect(half).toContainText("This file can't be labeled");
  await expect(tile(page, 'half-a-cat.webp', 'Rejected')).toBeVisible();
  await expect(half).toContainText('Open it in a picture editor, save it as JPEG or PNG, and add it again.');
  await expect(half.getByRole('button', { name: /again/ })).toHaveCount(0);
});

test.describe('storage rejects a file', () => {
  test.use({ expectedError: /status of 403/ });

  test('the page says so, and “Try again” labels it', async ({ page }) => {
    await page.route(`${new URL(stack.endpoint).origin}/**`, (route) => {
      if (route.request().method() !== 'PUT') return route.fallback();
      return route.fulfill({ status: 403, headers: { 'access-control-allow-origin': '*' }, body: '<Error><Code>AccessDenied</Code></Error>' });
    });
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await expect(upload(page, 'cat.jpg')).toContainText('Storage rejected the file');
    await expect(tiles(page)).toHaveCount(0);
    await page.unrouteAll();
    await upload(page, 'cat.jpg').getByRole('button', { name: 'Try again' }).click();
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  });
});

test.describe('the credentials that signed an upload expire before it starts', () => {
  test.use({ expectedError: /status of 400/ });

  test('the page requests another URL, and the picture is labeled once', async ({ page }) => {
    const announced: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/api/uploads')) announced.push(request.url());
    });
    let refusals = 0;
    await page.route(`${new URL(stack.endpoint).origin}/**`, (route) => {
      if (route.request().method() !== 'PUT' || refusals > 0) return route.fallback();
      refusals += 1;
      return route.fulfill({
        status: 400,
        headers: { 'access-control-allow-origin': '*' },
        body: '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>',
      });
    });
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
    await expect(tiles(page)).toHaveCount(1);
    await expect(tile(page, 'cat.jpg').locator('img[data-loaded]')).toBeVisible();
    expect(announced).toHaveLength(2);
  });
});

test.describe('the first PUT succeeds and its response is lost', () => {
  test.use({ expectedError: /ERR_CONNECTION_RESET|ERR_FAILED|status of 412/ });

  test('the second PUT gets 412, and the picture is labeled', async ({ page }) => {
    const statuses: number[] = [];
    await page.route(`${new URL(stack.endpoint).origin}/**`, async (route) => {
      if (route.request().method() !== 'PUT') return route.fallback();
      const response = await route.fetch();
      statuses.push(response.status());
      return statuses.length === 1 ? route.abort('connectionreset') : route.fulfill({ response });
    });
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
    expect(statuses).toEqual([200, 412]);
  });
});

test.describe('API Gateway throttles requests', () => {
  test.use({ expectedError: /status of 429/ });

  test('the page retries after the requested delay', async ({ page }) => {
    let refusals = 0;
    await page.route('**/api/uploads', (route) => {
      refusals += 1;
      if (refusals > 2) return route.continue();
      return route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: { message: 'Too Many Requests' } });
    });
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
    expect(refusals).toBe(3);
  });
});

test.describe('offline', () => {
  // Requests of the browser that were still running.
  test.use({ expectedError: /ERR_INTERNET_DISCONNECTED/ });

  test('the page says so, and continues the upload when it is online again', async ({ page, context }) => {
    await page.goto('/');
    await context.setOffline(true);
    await expect(page.getByText("You're offline.")).toBeVisible();
    await drop(page, sample('cat.jpg'));
    await expect(upload(page, 'cat.jpg')).toContainText('Preparing…');
    await context.setOffline(false);
    await expect(page.getByText("You're offline.")).toBeHidden();
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  });
});
