// Files that the library already has, and the view of identical pictures.
import type { Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { drop, expect, picture, test, tile, tiles, upload } from './app.ts';
import { renamed, sample } from './files.ts';
import { pictureCount } from './people.ts';
import { seed } from './seed.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const uploads = (page: Page) => page.getByRole('region', { name: 'Uploads' });
const view = (page: Page) => page.getByRole('dialog', { name: 'Duplicates', exact: true });
const cards = (page: Page) => view(page).getByRole('checkbox');

/** Counts the files that are sent to S3. */
function countUploads(page: Page): () => number {
  let sent = 0;
  page.on('request', (request) => {
    if (request.method() === 'PUT') sent += 1;
  });
  return () => sent;
}

test.describe('a file is already in the library', () => {
  // The browser logs the API's answer 409.
  test.use({ expectedError: /status of 409/ });

  test('it is not uploaded again, unless the person insists', async ({ page }) => {
    const sent = countUploads(page);
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
    await drop(page, renamed(sample('cat.jpg'), 'again.jpg'));
    await expect(upload(page, 'again.jpg')).toContainText('Already in your library');
    await expect(page.getByRole('log')).toContainText('again.jpg: already in your library.');
    expect(sent()).toBe(1);
    await expect(tiles(page)).toHaveCount(1);
    await upload(page, 'again.jpg').getByRole('link', { name: 'Already in your library' }).click();
    await expect(picture(page, 'cat.jpg')).toBeVisible();
    await page.goBack();

    await upload(page, 'again.jpg').getByRole('button', { name: 'Upload again.jpg anyway' }).click();
    await expect(tile(page, 'again.jpg', 'Cat')).toBeVisible();
    await expect(tiles(page)).toHaveCount(2);
    await expect(uploads(page)).toContainText('2 labeled');
    expect(sent()).toBe(2);
  });

  test('identical files of a batch are uploaded once, and one button uploads the others', async ({ page }) => {
    const sent = countUploads(page);
    await page.goto('/');
    const names = ['1.jpg', '2.jpg', '3.jpg', '4.jpg'];
    await drop(page, sample('coffee.jpg'), ...names.map((name) => renamed(sample('cat.jpg'), name)));
    await expect(uploads(page)).toContainText('3 files are already in your library.');
    await expect(uploads(page).getByRole('heading')).toHaveText('2 labeled, 3 already in your library');
    await expect(tiles(page)).toHaveCount(2);
    expect(sent()).toBe(2);
    await checkAccessibility(page, 'files that are in the library', [390, 1280]);
    await page.getByRole('button', { name: 'Upload all anyway' }).click();
    await expect(tiles(page)).toHaveCount(5);
    await expect(uploads(page).getByRole('heading')).toHaveText('5 labeled');
    expect(sent()).toBe(5);
  });

  test('a picture whose deletion can still be undone does not count', async ({ page }) => {
    await page.goto('/');
    await drop(page, sample('cat.jpg'));
    await tile(page, 'cat.jpg', 'Cat').click();
    await picture(page, 'cat.jpg').getByRole('button', { name: 'Delete' }).click();
    await drop(page, renamed(sample('cat.jpg'), 'new.jpg'));
    await expect(tile(page, 'new.jpg', 'Cat')).toBeVisible();
    await expect(tiles(page)).toHaveCount(1);
  });
});

/** Pictures 0 to 5: three identical ones, two identical ones, and a single one. */
const checksum = (index: number) => Buffer.alloc(32, [0, 0, 0, 1, 1, 2][index]).toString('base64');

async function openDuplicates(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: /^Account / }).click();
  await page.getByRole('link', { name: 'Duplicates' }).click();
  await expect(view(page)).toBeVisible();
}

test('all but one picture of each group can be deleted, with undo', async ({ page, person }) => {
  await seed(person, 6, (index) => ({ checksum: checksum(index) }));
  await openDuplicates(page);
  await expect(view(page).getByRole('heading', { level: 3 })).toHaveText([
    /^3 identical pictures, /,
    /^2 identical pictures, /,
  ]);
  await expect(cards(page)).toHaveCount(5);
  await expect(view(page).locator('img').first()).toBeVisible();
  await checkAccessibility(page, 'duplicates', [390, 1280]);

  await view(page).getByRole('button', { name: 'Select all but one of each' }).click();
  // The oldest of each group stays: the higher number.
  const checked = view(page).getByRole('checkbox', { checked: true });
  await expect(checked).toHaveCount(3);
  await expect(view(page).getByRole('checkbox', { name: /^(2|4)\.jpg/, checked: false })).toHaveCount(2);
  await view(page).getByRole('button', { name: 'Delete 3 pictures' }).click();
  await expect(view(page)).toContainText('No duplicates found');
  await page.keyboard.press('Control+z');
  await expect(cards(page)).toHaveCount(5);

  await view(page).getByRole('button', { name: 'Select all but one', exact: true }).first().click();
  await view(page).getByRole('button', { name: 'Delete 2 pictures' }).click();
  await expect(cards(page)).toHaveCount(2);
  await view(page).getByRole('button', { name: 'Back' }).click();
  await expect(view(page)).toBeHidden();
  await expect(tiles(page)).toHaveCount(4);
  // Closing the page sends the deletion. The next page could be faster than that.
  await page.goto('about:blank');
  await expect.poll(() => pictureCount(person)).toBe(4);
  await page.goto('/duplicates');
  await expect(cards(page)).toHaveCount(2);
});

test('the view says so if no copy would be left, and works with the keyboard', async ({ page, person }) => {
  await seed(person, 6, (index) => ({ checksum: checksum(index) }));
  await page.goto('/duplicates');
  await cards(page).last().focus();
  await page.keyboard.press('Space');
  await expect(view(page)).not.toContainText('None will be left.');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Space');
  await expect(view(page)).toContainText('All copies of 1 picture are selected. None will be left.');
  await page.keyboard.press('Escape');
  await expect(view(page)).toBeHidden();
  await expect(tiles(page)).toHaveCount(6);
});

test('selected duplicates stay selected when a picture is opened', async ({ page, person }) => {
  await seed(person, 6, (index) => ({ checksum: checksum(index) }));
  await openDuplicates(page);
  const checked = view(page).getByRole('checkbox', { checked: true });
  await view(page).getByRole('button', { name: 'Select all but one of each' }).click();
  await expect(checked).toHaveCount(3);
  await view(page).getByRole('link', { name: 'Open 0.jpg' }).click();
  await expect(picture(page, '0.jpg')).toBeVisible();
  await page.goBack();
  await expect(checked).toHaveCount(3);
});

test('a library without duplicates says so', async ({ page, person }) => {
  await seed(person, 2);
  await openDuplicates(page);
  await expect(view(page)).toContainText('No duplicates found');
  await expect(view(page).getByRole('button', { name: 'Select all but one of each' })).toHaveCount(0);
});
