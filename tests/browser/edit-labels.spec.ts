// Adding labels to the selected pictures, and removing labels from them.
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { expect, test, tile, tiles } from './app.ts';
import type { Person } from './people.ts';
import { seed } from './seed.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const editor = (page: Page): Locator => page.getByRole('dialog', { name: /^Edit labels of/ });
const field = (page: Page, name: string): Locator => editor(page).getByRole('combobox', { name });

/** Opens a gallery of dogs, and selects all. */
async function selectDogs(page: Page, person: Person, count: number): Promise<void> {
  await seed(person, count, () => ({ labels: ['Dog', 'Animal'] }));
  await page.goto('/');
  await tile(page, '0.jpg', 'Dog').click({ modifiers: ['ControlOrMeta'] });
  await page.keyboard.press('ControlOrMeta+a');
  await expect(page.getByRole('toolbar')).toContainText(`${count} selected`);
}

async function openEditor(page: Page): Promise<void> {
  await page.getByRole('toolbar').getByRole('button', { name: 'Edit labels…' }).click();
  await expect(editor(page)).toBeVisible();
}

test('changes Dog to Cat on forty pictures, and undoes it', async ({ page, person }) => {
  await selectDogs(page, person, 40);
  await openEditor(page);
  await expect(field(page, 'Remove labels')).toBeFocused();
  await page.keyboard.type('dog');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await field(page, 'Add labels').fill('Cat');
  // Saved although it was not entered.
  await editor(page).getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Changed labels of 40 pictures')).toBeVisible();
  await expect(editor(page)).toBeHidden();
  await expect(page.getByRole('toolbar')).toHaveCount(0);
  await expect(tile(page, '0.jpg', 'Cat')).toBeVisible();
  await expect(tile(page, '0.jpg', 'Dog')).toHaveCount(0);

  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(tile(page, '0.jpg', 'Dog')).toBeVisible();
  await expect(tile(page, '0.jpg', 'Cat')).toHaveCount(0);
  await page.reload();
  await expect(tile(page, '0.jpg', 'Dog')).toBeVisible();
  await expect(tile(page, '0.jpg', 'Cat')).toHaveCount(0);
});

test('works with the keyboard only, and Escape closes suggestions before the dialog', async ({ page, person }) => {
  await selectDogs(page, person, 2);
  await page.keyboard.press('Alt+F10');
  for (let step = 0; step < 2; step += 1) await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('button', { name: 'Edit labels…' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(field(page, 'Remove labels')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(editor(page).getByRole('option').first()).toHaveText(/Dog\s*2 pictures/);
  await page.keyboard.press('Escape');
  await expect(editor(page).getByRole('option').first()).toBeHidden();
  await expect(editor(page)).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(editor(page).getByRole('button', { name: 'Keep Dog' })).toBeVisible();
  await page.keyboard.press('Backspace');
  await expect(editor(page).getByRole('button', { name: 'Keep Dog' })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(editor(page)).toBeHidden();
  await expect(page.getByRole('toolbar')).toContainText('2 selected');
});

test('a label cannot be added and removed', async ({ page, person }) => {
  await selectDogs(page, person, 2);
  await openEditor(page);
  await field(page, 'Remove labels').fill('Dog');
  await page.keyboard.press('Enter');
  await field(page, 'Add labels').fill('dog');
  await editor(page).getByRole('button', { name: 'Save' }).click();
  await expect(editor(page).getByRole('alert').filter({ hasText: 'is both added and removed' })).toBeVisible();
});

test.describe('a request that fails', () => {
  test.use({ expectedError: /status of 500/ });

  test('keeps the dialog open, and saving again continues', async ({ page, person }) => {
    await selectDogs(page, person, 2);
    let fails = true;
    await page.route('**/api/images/labels', (route) => (fails ? route.fulfill({ status: 500, json: {} }) : route.fallback()));
    await openEditor(page);
    await field(page, 'Add labels').fill('Cat');
    await editor(page).getByRole('button', { name: 'Save' }).click();
    await expect(editor(page).getByRole('alert').filter({ hasText: "Couldn't change 2 of 2 pictures." })).toBeVisible();
    await expect(editor(page).getByRole('button', { name: "Don't add Cat" })).toBeVisible();
    fails = false;
    await editor(page).getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Changed labels of 2 pictures')).toBeVisible();
    await expect(tile(page, '1.jpg', 'Cat')).toBeVisible();

    fails = true;
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(page.getByText("Couldn't undo it.")).toBeVisible();
    fails = false;
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(tile(page, '1.jpg', 'Cat')).toHaveCount(0);
    await expect(tile(page, '1.jpg', 'Dog')).toBeVisible();
  });
});

test('more than a hundred pictures are changed in several requests, with progress', async ({ page, person }) => {
  await seed(person, 130, () => ({ labels: ['Dog'] }));
  await page.goto('/');
  await tile(page, '0.jpg', 'Dog').click({ modifiers: ['ControlOrMeta'] });
  await expect(async () => {
    await page.mouse.wheel(0, 2_000);
    await expect(tile(page, '129.jpg')).toBeAttached({ timeout: 200 });
  }).toPass({ intervals: [50] });
  await page.getByRole('toolbar').getByRole('button', { name: 'Select all loaded' }).click();
  const sizes: number[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/api/images/labels', async (route) => {
    const { ids } = route.request().postDataJSON();
    sizes.push(ids.length);
    if (sizes.length === 2) await held;
    return route.fulfill({ json: { results: ids.map((imageId: string) => ({ imageId, outcome: 'CORRECTED' })) } });
  });
  await openEditor(page);
  await field(page, 'Add labels').fill('Pet');
  await editor(page).getByRole('button', { name: 'Save' }).click();
  await expect(editor(page).getByRole('status').filter({ hasText: '100 of 130 pictures' })).toBeVisible();
  // Another selection, which stays.
  await editor(page).getByRole('button', { name: 'Close' }).click();
  await page.getByRole('toolbar').getByRole('button', { name: 'Clear selection' }).click();
  await tiles(page).last().click({ modifiers: ['ControlOrMeta'] });
  release();
  await expect(page.getByText('Changed labels of 130 pictures')).toBeVisible();
  expect(sizes).toEqual([100, 30]);
  await expect(page.getByRole('toolbar')).toContainText('1 selected');
});

test('the highlighted suggestion is visible', async ({ page, person }) => {
  const animals = Array.from({ length: 8 }, (_, index) => ({ name: `Animal ${index}`, count: 9, parents: [], aliases: [], categories: [] }));
  await page.route('**/api/labels*', (route) => route.fulfill({ json: { labels: animals } }));
  await selectDogs(page, person, 2);
  await openEditor(page);
  await field(page, 'Add labels').fill('Animal');
  const options = editor(page).getByRole('option');
  await expect(options).toHaveCount(8);
  await page.keyboard.press('ArrowUp');
  await expect(options.last()).toHaveAttribute('aria-selected', 'true');
  await expect(options.last()).toBeInViewport();
  await page.keyboard.press('ArrowDown');
  await expect(options.first()).toHaveAttribute('aria-selected', 'true');
  await expect(options.first()).toBeInViewport();
});

test('the dialog is accessible in light and dark, at every width', async ({ page, person }) => {
  // The seeded pictures have no label counts.
  const animal = { name: 'Animal', count: 12, parents: [], aliases: [], categories: [] };
  await page.route('**/api/labels*', (route) => route.fulfill({ json: { labels: [animal] } }));
  await selectDogs(page, person, 12);
  await openEditor(page);
  await field(page, 'Remove labels').fill('Dog');
  await page.keyboard.press('Enter');
  await field(page, 'Add labels').fill('A');
  await expect(editor(page).getByRole('option').first()).toBeVisible();
  await checkAccessibility(page, 'edit-labels', [320, 390, 1024]);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the selected pictures get a label', async ({ page, person }) => {
    await seed(person, 3, () => ({ labels: ['Dog'] }));
    await page.goto('/');
    await expect(tiles(page)).toHaveCount(3);
    await page.getByRole('checkbox', { name: /^Select loaded pictures of/ }).first().tap();
    await page.getByRole('toolbar').getByRole('button', { name: 'Edit labels…' }).tap();
    await editor(page).getByRole('button', { name: /^Remove Dog, \d picture/ }).tap();
    await expect(editor(page).getByRole('button', { name: 'Keep Dog' })).toBeVisible();
    await field(page, 'Add labels').fill('Cat');
    await expect(editor(page).getByRole('button', { name: 'Save' })).toBeInViewport({ ratio: 1 });
    await page.keyboard.press('Enter');
    await editor(page).getByRole('button', { name: 'Save' }).tap();
    await expect(tile(page, '0.jpg', 'Cat')).toBeVisible();
    await expect(tile(page, '0.jpg', 'Dog')).toHaveCount(0);
    await expect(page.getByRole('toolbar')).toHaveCount(0);
  });
});
