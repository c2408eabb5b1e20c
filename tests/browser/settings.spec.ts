// The settings, their preview, and deleting all data.
import { drop, expect, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';
import { stack } from './stack.ts';

test('a setting is previewed and saved, and applies to the next upload', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('link', { name: 'Licenses' }), 'the menu is closed').toBeHidden();

  const preview = page.getByRole('complementary', { name: 'Preview' });
  await expect(preview.getByRole('deletion')).toHaveCount(0);
  await page.getByRole('combobox', { name: 'Add a label to exclude' }).fill('Cat');
  await page.keyboard.press('Enter');
  await expect(preview.getByRole('deletion')).toHaveText('Cat');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();

  await page.reload();
  await expect(page.getByRole('button', { name: 'Remove Cat' })).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await drop(page, sample('cat.jpg', 'again.jpg'));
  await expect(tile(page, 'again.jpg', '\\w')).toBeVisible();
  await expect(tile(page, 'again.jpg', 'Cat\\b')).toHaveCount(0);
});

test('restores the defaults, also in a form with unsaved changes', async ({ page }) => {
  await page.goto('/settings');
  const most = page.getByRole('spinbutton', { name: 'Maximum labels per picture' });
  await expect(most).toBeVisible();
  const usual = await most.inputValue();
  await most.fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await most.fill('8');
  await page.getByRole('button', { name: 'Restore defaults' }).click();
  await expect(page.getByText('Defaults restored.')).toBeVisible();
  await expect(most).toHaveValue(usual);
  await page.reload();
  await expect(most).toHaveValue(usual);
});

test.describe('an invalid setting', () => {
  test.use({ expectedError: /status of 400/ });

  test('is rejected with a message that names the field', async ({ page }) => {
    await page.goto('/settings');
    const most = page.getByRole('spinbutton', { name: 'Maximum labels per picture' });
    await most.fill('1000');
    await page.getByRole('button', { name: 'Save' }).click();
    // The browser checks the value first. Without its check, the API's message is displayed.
    expect(await most.evaluate((field: HTMLInputElement) => field.validity.rangeOverflow)).toBe(true);
    await most.evaluate((field: HTMLInputElement) => field.form?.setAttribute('novalidate', ''));
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('alert')).toContainText(/maxLabels/);
  });
});

test('a full list of labels says so', async ({ page, person }) => {
  const exclude = Array.from({ length: 100 }, (_, index) => `Label ${index}`);
  const stored = await fetch(`${stack.webUrl}/api/settings`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${person.tokens.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ minConfidence: 0, maxLabels: 100, include: [], exclude }),
  });
  expect(stored.status).toBe(200);
  await page.goto('/settings');
  await page.getByRole('combobox', { name: 'Add a label to exclude' }).fill('One more');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('You can list up to 100 labels.');
  await page.getByRole('button', { name: 'Remove Label 7', exact: true }).click();
  await page.getByRole('combobox', { name: 'Add a label to exclude' }).fill('🐈'.repeat(100));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
});

test('deletes everything after a confirmation', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg', 'one.jpg'), sample('cat.jpg', 'two.jpg'));
  for (const name of ['one.jpg', 'two.jpg']) await expect(tile(page, name, 'Cat')).toBeVisible();
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Delete everything' }).click();
  const question = page.getByRole('dialog', { name: 'Delete all your pictures?' });
  await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await question.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Delete everything' }).click();
  await question.getByRole('button', { name: 'Delete everything' }).click();
  await expect(page.getByText('Everything is deleted: 2 pictures.')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(tiles(page)).toHaveCount(0);
  await expect(page.getByRole('heading', { name: "See what's in your pictures" })).toBeVisible();
});
