// The page with all labels: covers, groups, renaming, merging and hiding.
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { endUndoTime, expect, label, picture, test, tile, tiles } from './app.ts';
import type { Person } from './people.ts';
import { seed, seededId } from './seed.ts';
import { stack } from './stack.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const view = (page: Page): Locator => page.getByRole('dialog', { name: 'Labels', exact: true });
const card = (page: Page, name: string): Locator =>
  view(page).getByRole('listitem').filter({ has: page.getByRole('button', { name: `More for ${name}`, exact: true }) });
const menu = (page: Page, name: string): Locator => page.getByRole('dialog', { name, exact: true });
const progress = (page: Page): Locator => page.getByRole('region', { name: 'Applying settings' });

/** Three pictures with labels that are counted. Seeded pictures are not, until their labels are corrected. */
async function library(person: Person): Promise<void> {
  await seed(person, 3, (index) => ({ labels: index === 0 ? ['Kitten', 'Cat', 'Baby'] : ['Cat', 'Animal'] }));
  const ids = [0, 1, 2].map(seededId);
  const corrected = await fetch(`${stack.webUrl}/api/images/labels`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.tokens.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ids, add: ['Seen'] }),
  });
  expect(corrected.status).toBe(200);
}

test('lists labels with covers and numbers, and opens their pictures', async ({ page, person }) => {
  await library(person);
  await page.goto('/');
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Labels' }).click();
  await expect(page).toHaveURL(/\/labels$/);
  await expect(card(page, 'Cat')).toContainText('3 pictures');
  await expect(card(page, 'Kitten')).toContainText('1 picture');
  await expect(card(page, 'Cat').locator('img')).toBeVisible();
  await view(page).getByRole('searchbox', { name: 'Filter labels' }).fill('kit');
  await expect(card(page, 'Cat')).toHaveCount(0);
  await card(page, 'Kitten').getByRole('link').click();
  await expect(page).toHaveURL(/\/\?label=Kitten$/);
  await expect(tiles(page)).toHaveCount(1);
  await page.goBack();
  await expect(view(page).getByRole('searchbox', { name: 'Filter labels' })).toHaveValue('kit');
  await expect(card(page, 'Cat')).toHaveCount(0);
  await page.goBack();
  await expect(view(page)).toHaveCount(0);
});

test('a label that is not among the most frequent ones is found by its name', async ({ page }) => {
  const counted = (name: string, count: number) => ({ name, count, parents: [], aliases: [], categories: [] });
  const frequent = Array.from({ length: 1000 }, (_, index) => counted(`Label ${index}`, 2000 - index));
  await page.route('**/api/labels*', (route) => {
    const prefix = new URL(route.request().url()).searchParams.get('prefix')?.toLowerCase() ?? '';
    const labels = prefix ? [...frequent, counted('Zebra', 1)] : frequent;
    return route.fulfill({ json: { labels: labels.filter(({ name }) => name.toLowerCase().startsWith(prefix)) } });
  });
  await page.goto('/labels');
  await expect(view(page)).toContainText('These are your 1,000 most frequent labels.');
  await view(page).getByRole('searchbox', { name: 'Filter labels' }).fill('zeb');
  await expect(card(page, 'Zebra')).toContainText('1 picture');
  await view(page).getByRole('searchbox', { name: 'Filter labels' }).fill('label 99');
  await expect(card(page, 'Label 999')).toBeVisible();
  await expect(card(page, 'Zebra')).toHaveCount(0);
});

test('renames a label on all pictures, and undoes it', async ({ page, person }) => {
  await library(person);
  await page.goto('/labels');
  await card(page, 'Animal').getByRole('button').click();
  await menu(page, 'Animal').getByRole('combobox', { name: 'New name' }).fill('Creature');
  await menu(page, 'Animal').getByRole('button', { name: 'Rename' }).click();
  await expect(progress(page)).toContainText('2 pictures changed.');
  await expect(card(page, 'Creature')).toContainText('2 pictures');
  await expect(card(page, 'Animal')).toHaveCount(0);
  await expect(view(page).getByRole('region', { name: 'Renamed' })).toContainText('Animal → Creature');
  await page.goto('/?label=creature');
  await expect(tiles(page)).toHaveCount(2);
  await tiles(page).first().click();
  await expect(label(picture(page, '1.jpg'), 'Creature')).toContainText('Detected as Animal');

  await page.goto('/labels');
  await view(page).getByRole('button', { name: 'Undo the new name of Animal' }).click();
  await expect(card(page, 'Animal')).toContainText('2 pictures');
  await expect(view(page).getByRole('region', { name: 'Renamed' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(card(page, 'Creature')).toContainText('2 pictures');
  await expect(view(page).getByRole('region', { name: 'Renamed' })).toContainText('Animal → Creature');
});

test('merges two labels with the keyboard only', async ({ page, person }) => {
  await library(person);
  await page.goto('/labels');
  await card(page, 'Kitten').getByRole('button').focus();
  await page.keyboard.press('Enter');
  await expect(menu(page, 'Kitten').getByRole('combobox')).toBeFocused();
  await page.keyboard.type('cat');
  await page.keyboard.press('Enter');
  await expect(menu(page, 'Kitten').getByRole('combobox')).toHaveValue('Cat');
  await menu(page, 'Kitten').getByRole('button', { name: 'Rename' }).focus();
  await page.keyboard.press('Enter');
  await expect(card(page, 'Kitten')).toHaveCount(0);
  await expect(card(page, 'Cat')).toContainText('3 pictures');
  await page.keyboard.press('Control+z');
  await expect(card(page, 'Kitten')).toContainText('1 picture');
});

test('hiding a label says that it stays on pictures to which the person added it', async ({ page, person }) => {
  await library(person);
  await page.goto('/labels');
  await card(page, 'Seen').getByRole('button').click();
  await expect(menu(page, 'Seen')).toContainText('Labels that you added stay.');
  await menu(page, 'Seen').getByRole('button', { name: 'Hide this label' }).click();
  await expect(page.getByText('Hiding Seen, except where you added it')).toBeVisible();
  await expect(progress(page)).toContainText('Applied to all pictures.');
  // The list is loaded again.
  await page.reload();
  await expect(card(page, 'Seen')).toContainText('3 pictures');
});

test('hides a label, and sensitive labels after a question', async ({ page, person }) => {
  await library(person);
  await page.goto('/labels');
  await card(page, 'Animal').getByRole('button').click();
  await menu(page, 'Animal').getByRole('button', { name: 'Hide this label' }).click();
  await expect(card(page, 'Animal')).toHaveCount(0);
  const hidden = view(page).getByRole('region', { name: 'Hidden' });
  await expect(hidden.getByRole('listitem')).toHaveText([/^\s*Animal/]);
  await expect(progress(page)).toContainText('2 pictures changed.');

  await view(page).getByRole('button', { name: 'Hide sensitive labels…' }).click();
  const question = page.getByRole('dialog', { name: 'Hide sensitive labels?' });
  await expect(question).toContainText('Baby');
  await expect(question.getByRole('link', { name: 'GDPR, Article 9' })).toBeVisible();
  await question.getByRole('button', { name: 'Hide these labels' }).click();
  await expect(card(page, 'Baby')).toHaveCount(0);
  await expect(hidden.getByRole('button', { name: 'Show Baby again' })).toBeVisible();
  // At the end of the view, messages cover the button.
  await hidden.getByRole('button', { name: 'Show all again' }).press('Enter');
  await expect(page.getByText(/^Showing .* again$/)).toBeVisible();
  await expect(card(page, 'Baby')).toContainText('1 picture');
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(card(page, 'Baby')).toHaveCount(0);
  await expect(hidden.getByRole('button', { name: 'Show Baby again' })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(card(page, 'Baby')).toContainText('1 picture');
  await expect(hidden.getByRole('listitem')).toHaveText([/^\s*Animal/]);

  await hidden.getByRole('button', { name: 'Show Animal again' }).click();
  await expect(card(page, 'Animal')).toContainText('2 pictures');
  await page.goto('/');
  await expect(tile(page, '1.jpg', 'Animal')).toBeVisible();
});

test('labels are accessible in light and dark, and nothing is cut off', async ({ page, person }) => {
  await library(person);
  await page.goto('/labels');
  await card(page, 'Animal').getByRole('button').click();
  await menu(page, 'Animal').getByRole('combobox', { name: 'New name' }).fill('A rather long name for an animal');
  await menu(page, 'Animal').getByRole('button', { name: 'Rename' }).click();
  await card(page, 'Baby').getByRole('button').click();
  await menu(page, 'Baby').getByRole('button', { name: 'Hide this label' }).click();
  await expect(progress(page)).toContainText('changed.');
  const check = (name: string) => checkAccessibility(page, name, [320, 390, 1024]);
  await check('labels');
  // The messages would cover what is clicked next.
  await endUndoTime(page);
  await view(page).getByRole('button', { name: 'Hide sensitive labels…' }).click();
  await check('sensitive');
  await page.keyboard.press('Escape');
  await card(page, 'Cat').getByRole('button').click();
  await check('menu');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a label is renamed by tapping', async ({ page, person }) => {
    await library(person);
    await page.goto('/labels');
    await card(page, 'Kitten').getByRole('button').tap();
    await menu(page, 'Kitten').getByRole('combobox', { name: 'New name' }).fill('Small Cat');
    await menu(page, 'Kitten').getByRole('button', { name: 'Rename' }).tap();
    await expect(card(page, 'Small Cat')).toContainText('1 picture');
  });
});
