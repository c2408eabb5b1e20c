// The page without a mouse.
import { card, expect, label, test } from './app.ts';
import { sample } from './files.ts';
import { stack } from './stack.ts';

test('with the keyboard alone: choose a file, reach a label, see its box, remove the card', async ({ page }) => {
  await page.goto('/');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: `Account ${stack.demoUser}` })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeFocused();
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(sample('cat.jpg'));

  const cat = card(page, 'cat.jpg');
  await expect(label(cat, 'Cat')).toBeVisible();
  const name = label(cat, 'Cat').getByRole('button', { name: /^Cat, show \d+ places? in the picture$/ });
  await expect(async () => {
    await page.keyboard.press('Tab');
    await expect(name).toBeFocused({ timeout: 100 });
  }).toPass({ intervals: [0] });
  await expect(cat.locator('.box[data-on]').first()).toContainText('Cat');
  await page.keyboard.press('Enter');
  await expect(name).toHaveAttribute('aria-pressed', 'true');

  await page.keyboard.press('Shift+Tab');
  await expect(page.getByRole('button', { name: 'Remove cat.jpg from view' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeFocused();
});
