// Using the page with the keyboard only.
import type { Locator, Page } from '@playwright/test';
import { drop, expect, label, picture, tabTo, test, tile, tiles, upload } from './app.ts';
import { sample, textNamedJpg } from './files.ts';
import { seed } from './seed.ts';

test('adds, opens, deletes, restores and finds a picture with the keyboard', async ({ page }) => {
  // Early: the browser is told to report file dialogs, which takes a moment.
  const chooser = page.waitForEvent('filechooser');
  await page.goto('/');
  await tabTo(page, page.getByRole('button', { name: 'Choose pictures' }));
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(sample('cat.jpg'));

  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  await tabTo(page, tile(page, 'cat.jpg'));
  await page.keyboard.press('Enter');
  const view = picture(page, 'cat.jpg');
  await expect(view.getByRole('heading', { name: 'cat.jpg' })).toBeFocused();

  await expect(label(view, 'Cat')).toBeVisible();
  const name = label(view, 'Cat').getByRole('button', { name: /^Cat, show \d+ instances? in the picture$/ });
  await tabTo(page, name);
  await expect(view.locator('.box[data-on]').first()).toContainText('Cat');
  await page.keyboard.press('Enter');
  await expect(name).toHaveAttribute('aria-pressed', 'true');

  await page.keyboard.press('Delete');
  await expect(view).toHaveCount(0);
  await expect(tiles(page)).toHaveCount(0);
  await page.keyboard.press('Control+z');
  await expect(tile(page, 'cat.jpg')).toBeVisible();

  await page.keyboard.press('/');
  await expect(page.getByRole('combobox', { name: 'Search pictures by label' })).toBeFocused();
  await page.keyboard.type('cat');
  await expect(page.getByRole('option', { name: 'Cat 1 picture', exact: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Remove Cat' })).toBeVisible();
  await expect(tiles(page)).toHaveCount(1);

  await tabTo(page, page.getByRole('button', { name: /^Account/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('link', { name: 'Settings' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('arrow keys move the focus between pictures', async ({ page, person }) => {
  await seed(person, 60);
  await page.goto('/');
  await tile(page, '0.jpg').focus();
  const press = async (key: string, name: string) => {
    await page.keyboard.press(key);
    await expect(tile(page, name)).toBeFocused();
    await expect(tile(page, name)).toBeInViewport({ ratio: 0.9 });
  };
  await press('ArrowRight', '1.jpg');
  await press('ArrowLeft', '0.jpg');
  // The first day has eight pictures, in more than one row.
  await page.keyboard.press('ArrowDown');
  await expect(tile(page, '0.jpg')).not.toBeFocused();
  await expect(page.locator('ilg-gallery a:focus')).toHaveCount(1);
  await press('ArrowUp', '0.jpg');
  await press('End', '59.jpg');
  await press('Home', '0.jpg');
});

test('the keyboard reaches messages and panels without leading through the gallery', async ({ page, person }) => {
  await seed(person, 60);
  await page.goto('/');
  await expect(tiles(page).first()).toBeVisible();
  await drop(page, textNamedJpg);
  await expect(upload(page, textNamedJpg.name)).toBeVisible();
  await tile(page, '0.jpg').focus();
  await page.keyboard.press('x');
  await page.keyboard.press('Delete');
  await expect(tile(page, '1.jpg')).toBeFocused();
  const undo = page.getByRole('button', { name: 'Undo' });
  const hasFocus = () => undo.evaluate((button: HTMLElement) => button.matches(':focus'));
  for (let pressed = 0; pressed < 25 && !(await hasFocus()); pressed += 1) {
    await page.keyboard.press('Shift+Tab');
    // Before its first element, the page starts again at its end.
    expect(await page.evaluate(() => document.activeElement !== document.body)).toBe(true);
  }
  await expect(undo).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(tile(page, '0.jpg')).toBeVisible();
});

const shortcuts = (page: Page): Locator => page.getByRole('dialog', { name: 'Keyboard shortcuts' });

/** What the overview says about the keys of a group. */
function shortcutsOf(page: Page, heading: string): Promise<string[]> {
  const group = shortcuts(page).locator('section').filter({ has: page.getByRole('heading', { name: heading }) });
  return group.locator('dl > div').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim()).join(': ')));
}

test('“?” lists the keyboard shortcuts by view', async ({ page }) => {
  await page.goto('/');
  const search = page.getByRole('combobox', { name: 'Search pictures by label' });
  await search.press('?');
  await expect(search).toHaveValue('?');
  await expect(shortcuts(page)).toBeHidden();

  await search.blur();
  await page.keyboard.press('?');
  await expect(shortcuts(page)).toBeVisible();
  expect(await shortcutsOf(page, 'Everywhere')).toContain('?: Show keyboard shortcuts');
  expect(await shortcutsOf(page, 'Your pictures')).toEqual([
    '/: Search',
    'Left arrow: Focus the previous picture',
    'Right arrow: Focus the next picture',
    'Up arrow: Focus the picture above',
    'Down arrow: Focus the picture below',
    'Home: Focus the first picture',
    'End: Focus the last loaded picture',
  ]);
  expect(await shortcutsOf(page, 'Open picture')).toEqual([
    'Left arrow: Previous picture',
    'Right arrow: Next picture',
    'L: Add a label',
    'D: Download the picture',
    'Delete: Delete the picture',
    'Esc: Back',
  ]);
  expect(await shortcutsOf(page, 'Settings')).toEqual(['Esc: Back']);
  await page.keyboard.press('Escape');
  await expect(shortcuts(page)).toBeHidden();
  await page.keyboard.press('/');
  await expect(search).toBeFocused();
});

test('the shortcuts of an open picture do not act behind the overview', async ({ page, person }) => {
  await seed(person, 2);
  await page.goto('/');
  await tile(page, '0.jpg').click();
  const view = picture(page, '0.jpg');
  await expect(view.getByRole('heading', { name: '0.jpg' })).toBeFocused();
  await page.keyboard.press('?');
  await shortcuts(page).getByRole('heading', { name: 'Keyboard shortcuts' }).click();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Escape');
  await expect(shortcuts(page)).toBeHidden();
  await expect(view.getByRole('heading', { name: '0.jpg' })).toBeFocused();
  await page.keyboard.press('ArrowRight');
  const other = picture(page, '1.jpg');
  await expect(other).toBeVisible();
  const similar = other.getByRole('navigation', { name: 'Find similar pictures' });
  await expect(similar.getByRole('link', { name: 'Find pictures with Cat', exact: true })).toHaveAttribute('href', '/?label=Cat');
  await page.keyboard.press('l');
  await expect(other.getByRole('combobox', { name: 'Add a label' })).toBeFocused();
  await other.getByRole('heading', { name: '1.jpg' }).click();
  await page.keyboard.press('Escape');
  await expect(tiles(page)).toHaveCount(2);
  await expect(tile(page, '1.jpg')).toBeFocused();
  await page.keyboard.press('x');
  await page.keyboard.press('l');
  await expect(page.getByRole('dialog', { name: 'Edit labels of 1 picture' })).toBeVisible();
});

test('the account menu opens the overview, which returns the focus to the menu', async ({ page }) => {
  await page.goto('/');
  const account = page.getByRole('button', { name: /^Account/ });
  await tabTo(page, account);
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Keyboard shortcuts' }));
  await page.keyboard.press('Enter');
  const close = shortcuts(page).getByRole('button', { name: 'Close keyboard shortcuts' });
  await expect(close).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(shortcuts(page)).toBeHidden();
  await expect(account).toBeFocused();
});
