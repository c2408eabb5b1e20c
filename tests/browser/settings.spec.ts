// The settings, their preview, and taking everything back.
import { drop, expect, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';

test('a setting is tried out on a recent picture, saved, and counts for the next upload', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('link', { name: 'Licenses' }), 'the menu is closed').toBeHidden();

  const preview = page.getByRole('complementary', { name: 'What this keeps' });
  await expect(preview.getByRole('deletion')).toHaveCount(0);
  await page.getByRole('combobox', { name: 'Add a label to leave out' }).fill('Cat');
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

test('the defaults are back at a click, also in a form that was changed meanwhile', async ({ page }) => {
  await page.goto('/settings');
  const most = page.getByRole('spinbutton', { name: 'At most so many labels a picture' });
  await expect(most).toBeVisible();
  const usual = await most.inputValue();
  await most.fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await most.fill('8');
  await page.getByRole('button', { name: 'Use the defaults' }).click();
  await expect(page.getByText('These are the defaults.')).toBeVisible();
  await expect(most).toHaveValue(usual);
  await page.reload();
  await expect(most).toHaveValue(usual);
});

test.describe('a setting that makes no sense', () => {
  test.use({ provoked: /status of 400/ });

  test('is refused with a sentence that says what would be right', async ({ page }) => {
    await page.goto('/settings');
    const most = page.getByRole('spinbutton', { name: 'At most so many labels a picture' });
    await most.fill('1000');
    await page.getByRole('button', { name: 'Save' }).click();
    // The browser's own check comes first; without it, the API's sentence arrives.
    expect(await most.evaluate((field: HTMLInputElement) => field.validity.rangeOverflow)).toBe(true);
    await most.evaluate((field: HTMLInputElement) => field.form?.setAttribute('novalidate', ''));
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('alert')).toContainText(/maxLabels/);
  });
});

test('everything can be taken back, after a question', async ({ page }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg', 'one.jpg'), sample('cat.jpg', 'two.jpg'));
  for (const name of ['one.jpg', 'two.jpg']) await expect(tile(page, name, 'Cat')).toBeVisible();
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Delete everything' }).click();
  const question = page.getByRole('dialog', { name: 'Delete all your pictures?' });
  await expect(question.getByRole('button', { name: 'Keep them' })).toBeFocused();
  await question.getByRole('button', { name: 'Keep them' }).click();
  await page.getByRole('button', { name: 'Delete everything' }).click();
  await question.getByRole('button', { name: 'Delete everything' }).click();
  await expect(page.getByText('Everything is deleted: 2 pictures.')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(tiles(page)).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'See what is in your pictures' })).toBeVisible();
});
