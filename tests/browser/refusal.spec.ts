// Bad files and bad moments: each gets a sentence that says what was wrong and what would be right.
import { drop, expect, test, tile, tiles, upload } from './app.ts';
import { brokenHeic, sample, textNamedJpg, truncated } from './files.ts';
import { stack } from './stack.ts';

test('a text file named .jpg, and a broken HEIC picture, are explained before anything is sent', async ({ page }) => {
  await page.goto('/');
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  await drop(page, textNamedJpg, brokenHeic);
  await expect(upload(page, 'notes.jpg')).toContainText('Its name says JPEG, but what is inside is no picture. Choose another file.');
  await expect(upload(page, 'holiday.heic')).toContainText('This HEIC picture is broken, or of a kind that your browser cannot convert.');
  await expect(page.getByRole('log')).toContainText('notes.jpg: This file cannot be labeled');
  expect(sent).toEqual([]);
});

test('a picture of 79 pixels is explained before anything is sent', async ({ page }) => {
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
  await expect(upload(page, 'thin.png')).toContainText('The picture has 79 × 300 pixels; each side needs at least 80.');
});

test('a truncated JPEG passes the page, is refused by the labeler, and the sentence arrives', async ({ page }) => {
  await page.goto('/');
  await drop(page, truncated());
  const half = upload(page, 'half-a-cat.jpg');
  await expect(half).toContainText('This file cannot be labeled');
  await expect(tile(page, 'half-a-cat.jpg', 'Refused')).toBeVisible();
  await expect(half).toContainText('Open it in a picture editor, save it again as JPEG or PNG, and add that.');
  await expect(half.getByRole('button', { name: /again/ })).toHaveCount(0);
});

test.describe('storage refuses a file', () => {
  test.use({ provoked: /status of 403/ });

  test('the page says so, and trying again labels it', async ({ page }) => {
    await page.route(`${new URL(stack.endpoint).origin}/**`, (route) => {
      if (route.request().method() !== 'PUT') return route.fallback();
      return route.fulfill({ status: 403, headers: { 'access-control-allow-origin': '*' }, body: '<Error><Code>AccessDenied</Code></Error>' });
    });
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await expect(upload(page, 'cat.jpg')).toContainText('Storage refused the file');
    await expect(tiles(page)).toHaveCount(0);
    await page.unrouteAll();
    await upload(page, 'cat.jpg').getByRole('button', { name: 'Try again' }).click();
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  });
});

test.describe('the first PUT arrives and its answer is lost', () => {
  test.use({ provoked: /ERR_CONNECTION_RESET|ERR_FAILED|status of 412/ });

  test('the second meets 412, and the picture is labeled', async ({ page }) => {
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

test.describe('API Gateway asks for patience', () => {
  test.use({ provoked: /status of 429/ });

  test('the page waits and then goes on, without bothering anyone', async ({ page }) => {
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
  // What the browser still had to fetch when it was cut off.
  test.use({ provoked: /ERR_INTERNET_DISCONNECTED/ });

  test('the page says so, keeps what was added, and goes on by itself', async ({ page, context }) => {
    await page.goto('/');
    await context.setOffline(true);
    await expect(page.getByText('You are offline.')).toBeVisible();
    await drop(page, sample('cat.jpg'));
    await expect(upload(page, 'cat.jpg')).toContainText('Getting ready…');
    await context.setOffline(false);
    await expect(page.getByText('You are offline.')).toBeHidden();
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  });
});
