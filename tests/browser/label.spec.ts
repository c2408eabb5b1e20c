// The main job: a picture goes in, its labels come out.
import { card, drop, expect, label, paste, test, throttleUploads } from './app.ts';
import { sample, textNamedJpg } from './files.ts';

test('a dropped photograph is uploaded before one’s eyes, and labeled', async ({ page }) => {
  await page.goto('/');
  await throttleUploads(page, 20_000);
  await drop(page, sample('cat.jpg'));
  const cat = card(page, 'cat.jpg');
  await expect(cat.getByRole('img')).toBeVisible();
  await expect(cat.getByRole('progressbar', { name: 'Upload of cat.jpg' })).toBeVisible();
  await expect(cat).toContainText(/Uploading… [1-9]\d?%/);

  await expect(label(cat, 'Cat')).toContainText(/\d+\.\d%/);
  const meter = label(cat, 'Cat').getByRole('meter');
  const confidence = await meter.evaluate((element: HTMLMeterElement) => element.value);
  expect(confidence).toBeGreaterThanOrEqual(90);
  expect(confidence).toBeLessThanOrEqual(100);
  await expect(cat).toHaveAttribute('aria-busy', 'false');
  await expect(page.getByRole('log')).toContainText(/cat\.jpg: \d+ labels\. .*Cat \d+ percent/);
});

test('pointing at a label shows where it is in the picture', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  const cat = card(page, 'cat.jpg');
  await label(cat, 'Cat').hover();
  const box = cat.locator('.box[data-on]').first();
  await expect(box).toContainText(/Cat \d+\.\d%/);

  const picture = await cat.getByRole('img').boundingBox();
  const drawn = await box.boundingBox();
  if (!picture || !drawn) throw new Error('picture and box are not drawn');
  expect(drawn.width).toBeGreaterThan(picture.width / 10);
  expect(drawn.x).toBeGreaterThanOrEqual(picture.x - 1);
  expect(drawn.y).toBeGreaterThanOrEqual(picture.y - 1);
  expect(drawn.x + drawn.width).toBeLessThanOrEqual(picture.x + picture.width + 1);
  expect(drawn.y + drawn.height).toBeLessThanOrEqual(picture.y + picture.height + 1);
});

test('parents and categories are behind a fold', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  const cat = card(page, 'cat.jpg');
  const fold = cat.getByRole('group').filter({ hasText: 'Parents and categories' });
  await expect(fold).toBeVisible();
  await expect(cat.getByText(/^Parents.*Animal/).first()).toBeHidden();
  await cat.getByText('Parents and categories').click();
  await expect(cat.getByText(/^Parents.*Animal/).first()).toBeVisible();
});

test('five at once, one of them bad: at most three are on their way, four are labeled, one is explained', async ({ page }) => {
  let running = 0;
  let most = 0;
  page.on('request', (request) => {
    if (request.method() !== 'PUT') return;
    running += 1;
    most = Math.max(most, running);
  });
  page.on('requestfinished', (request) => {
    if (request.method() === 'PUT') running -= 1;
  });
  await page.goto('/');
  await throttleUploads(page, 100_000);
  const names = ['one.jpg', 'two.jpg', 'three.jpg', 'four.jpg'];
  await drop(page, textNamedJpg, ...names.map((name) => sample('cat.jpg', name)));
  await expect(card(page, 'notes.jpg')).toContainText('what is inside is no picture');
  for (const name of names) await expect(label(card(page, name), 'Cat')).toBeVisible();
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(3);
});

test('a pasted picture is labeled, also the same one twice', async ({ page }) => {
  await page.goto('/');
  await paste(page, sample('cat.jpg', 'image.png'));
  await paste(page, sample('cat.jpg', 'image.png'));
  await expect(card(page, 'image.png')).toHaveCount(2);
  for (const one of await card(page, 'image.png').all()) await expect(label(one, 'Cat')).toBeVisible();
});

test('a reload shows the results again', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(label(card(page, 'cat.jpg'), 'Cat')).toBeVisible();
  expect(page.url()).toMatch(/#\/images\/[0-9a-f-]{36}$/);
  await page.reload();
  await expect(label(card(page, 'cat.jpg'), 'Cat')).toBeVisible();
  await expect(card(page, 'cat.jpg')).toContainText('Previews stay only until the page is loaded again');
});

test('a picture taken out of view is gone from the address, and the page invites again', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(label(card(page, 'cat.jpg'), 'Cat')).toBeVisible();
  await page.getByRole('button', { name: 'Remove cat.jpg from view' }).click();
  await expect(page.getByRole('heading', { name: 'See what is in your pictures' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeFocused();
  expect(new URL(page.url()).hash).toBe('');
});
