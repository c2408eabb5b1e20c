// Correcting the labels of a picture in its large view.
import type { Locator, Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { endUndoTime, expect, label, picture, test, tile } from './app.ts';
import type { Person } from './people.ts';
import { seed } from './seed.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

/** Opens a picture with labels, and one more that the model has found. */
async function open(page: Page, person: Person): Promise<Locator> {
  await seed(person, 1, () => ({ labels: ['Cat', 'Mammal', 'Animal'], others: { Lynx: 31.4, Fox: 22 } }));
  await page.goto('/');
  await tile(page, '0.jpg', 'Cat').click();
  const view = picture(page, '0.jpg');
  await expect(label(view, 'Cat')).toBeVisible();
  return view;
}

/** The row of a label that has no confidence, because a person added it. */
function added(view: Locator, name: string): Locator {
  return view.getByRole('listitem').filter({ hasText: name }).filter({ hasText: 'Added by you' });
}

function field(view: Locator): Locator {
  return view.getByRole('combobox', { name: 'Add a label' });
}

function remove(view: Locator, name: string): Locator {
  return view.getByRole('button', { name: `Remove ${name}`, exact: true });
}

async function addLabel(page: Page, view: Locator, name: string): Promise<void> {
  await field(view).fill(name);
  await page.keyboard.press('Enter');
  await expect(field(view)).toHaveValue('');
}

test('a label is removed, restored, and the removal undone', async ({ page, person }) => {
  const view = await open(page, person);
  await remove(view, 'Cat').click();
  await expect(label(view, 'Cat')).toHaveCount(0);
  const removed = view.getByRole('list', { name: 'Removed' });
  await expect(removed.getByRole('deletion')).toHaveText('Cat');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(label(view, 'Cat')).toBeVisible();
  await expect(removed).toHaveCount(0);

  await remove(view, 'Cat').click();
  await expect(label(view, 'Cat')).toHaveCount(0);
  await page.reload();
  await expect(removed.getByRole('deletion')).toHaveText('Cat');
  await view.getByRole('button', { name: 'Restore Cat' }).click();
  await expect(label(view, 'Cat')).toBeVisible();
  await expect(removed).toHaveCount(0);
});

test('a label is added, also shown in the gallery, and found', async ({ page, person }) => {
  const view = await open(page, person);
  await addLabel(page, view, 'Maine Coon');
  await expect(added(view, 'Maine Coon')).toBeVisible();
  await expect(view.getByRole('meter', { name: 'Confidence of Maine Coon' })).toHaveCount(0);
  await page.goto('/?label=maine+coon');
  await expect(tile(page, '0.jpg', 'Maine Coon')).toBeVisible();

  await tile(page, '0.jpg').click();
  await remove(view, 'Maine Coon').click();
  await expect(added(view, 'Maine Coon')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(added(view, 'Maine Coon')).toBeVisible();
});

test('a label that the picture has already is not added again', async ({ page, person }) => {
  const view = await open(page, person);
  await field(view).fill('cat');
  await page.keyboard.press('Enter');
  await expect(view.getByRole('alert').filter({ hasText: 'This picture already has “Cat”.' })).toBeVisible();
  await expect(added(view, 'Cat')).toHaveCount(0);
});

test('what the model also found can be added', async ({ page, person }) => {
  const view = await open(page, person);
  const others = view.getByRole('list', { name: 'Also found' });
  await expect(others.getByRole('listitem')).toHaveText([/Lynx\s+31\.4%/, /Fox\s+22\.0%/]);
  await others.getByRole('button', { name: 'Add Lynx' }).click();
  await expect(added(view, 'Lynx')).toBeVisible();
  await expect(others.getByRole('listitem')).toHaveText([/Fox/]);
});

test('an alias offers its label', async ({ page, person }) => {
  const view = await open(page, person);
  await page.route('**/api/labels*', async (route) => {
    const answer = await (await route.fetch()).json();
    const phone = { name: 'Cell Phone', count: 2, parents: ['Phone'], aliases: ['Mobile Phone'], categories: [] };
    const prefix = new URL(route.request().url()).searchParams.get('prefix');
    return route.fulfill({ json: { labels: prefix ? answer.labels : [...answer.labels, phone] } });
  });
  await field(view).fill('mobile ph');
  await expect(view.getByRole('option')).toHaveText(/Cell Phone\s+Mobile Phone\s+2 pictures/);
  await field(view).fill('mobile phone');
  await page.keyboard.press('Enter');
  await expect(added(view, 'Cell Phone')).toBeVisible();
});

test('corrects labels with the keyboard only', async ({ page, person }) => {
  const view = await open(page, person);
  await remove(view, 'Cat').focus();
  await page.keyboard.press('Enter');
  await expect(label(view, 'Cat')).toHaveCount(0);
  await expect(remove(view, 'Mammal'), 'the next label has the focus').toBeFocused();
  await page.keyboard.press('Control+z');
  await expect(label(view, 'Cat')).toBeVisible();

  await field(view).focus();
  await page.keyboard.type('Tiger');
  await page.keyboard.press('Enter');
  await expect(added(view, 'Tiger')).toBeVisible();
  await expect(field(view)).toBeFocused();
  await expect(page.getByRole('status').filter({ hasText: 'Added Tiger' })).toBeVisible();
});

test('a label is hidden on all pictures after a question, and shown again', async ({ page, person }) => {
  const view = await open(page, person);
  await view.getByRole('button', { name: 'More for Cat' }).click();
  const question = page.getByRole('dialog', { name: 'Never show “Cat”?' });
  await expect(question).toContainText('Labels that you added stay');
  await page.keyboard.press('Escape');
  await expect(question).toBeHidden();
  await expect(view, 'Escape closed only the question').toBeVisible();

  await view.getByRole('button', { name: 'More for Cat' }).click();
  await question.getByRole('button', { name: 'Never show this label' }).click();
  await expect(label(view, 'Cat')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(label(view, 'Cat')).toBeVisible();
});

test('a label that is added while a picture is being labeled is part of the result', async ({ page, person }) => {
  const view = await open(page, person);
  let isRunning = true;
  await page.route(/\/api\/images(\/[^/]+$|\?id=)/, async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const image of body.images ?? [body]) {
      if (isRunning) Object.assign(image, { status: 'PROCESSING', labels: [], otherLabels: [] });
    }
    return route.fulfill({ response, json: body });
  });
  await page.reload();
  await expect(view.getByText('Your changes will be part of the result.')).toBeVisible();
  await addLabel(page, view, 'Maine Coon');
  await expect(added(view, 'Maine Coon')).toBeVisible();
  isRunning = false;
  await expect(label(view, 'Cat')).toBeVisible();
  await expect(added(view, 'Maine Coon')).toBeVisible();
});

test.describe('a correction that fails', () => {
  test.use({ expectedError: /status of (404|409)|ERR_INTERNET_DISCONNECTED/ });

  for (const [status, type, sentence] of [
    [409, 'too-many-corrections', 'Restore some of them first.'],
    [409, 'not-labeled', 'This picture has no labels'],
    [404, 'no-such-image', 'This picture was deleted.'],
  ] as const) {
    test(`${type}: says why, and keeps the text`, async ({ page, person }) => {
      const view = await open(page, person);
      await page.route('**/api/images/*/labels', (route) =>
        route.fulfill({
          status,
          contentType: 'application/problem+json',
          json: { type: `urn:image-label-generator:problem:${type}`, title: '', status, detail: 'no' },
        }),
      );
      await field(view).fill('Tiger');
      await page.keyboard.press('Enter');
      await expect(view.getByRole('alert').filter({ hasText: sentence })).toBeVisible();
      await expect(field(view)).toHaveValue('Tiger');
      await expect(label(view, 'Cat')).toBeVisible();
    });
  }

  test('offline: says so, keeps the text, and works afterwards', async ({ page, person, context }) => {
    const view = await open(page, person);
    await context.setOffline(true);
    await field(view).fill('Tiger');
    await page.keyboard.press('Enter');
    await expect(view.getByRole('alert').filter({ hasText: "Can't reach the service." })).toBeVisible();
    await expect(field(view)).toHaveValue('Tiger');
    await context.setOffline(false);
    await field(view).press('Enter');
    await expect(added(view, 'Tiger')).toBeVisible();
  });
});

test('corrections are accessible in light and dark, and nothing is cut off', async ({ page, person }) => {
  const view = await open(page, person);
  await addLabel(page, view, 'A label with quite a long name that somebody has thought of');
  await remove(view, 'Cat').click();
  await expect(view.getByRole('button', { name: 'Restore Cat' })).toBeVisible();
  const check = (name: string) => checkAccessibility(page, name, [320, 390, 1024]);
  await view.getByRole('button', { name: 'Restore Cat' }).scrollIntoViewIfNeeded();
  await check('corrections');
  // The messages would cover what is clicked next.
  await endUndoTime(page);
  await view.getByRole('button', { name: 'More for Mammal' }).click();
  await check('never-show');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('buttons are large enough to tap', async ({ page, person }) => {
    const view = await open(page, person);
    await remove(view, 'Cat').tap();
    const restore = view.getByRole('button', { name: 'Restore Cat' });
    await expect(restore).toBeVisible();
    for (const button of [remove(view, 'Mammal'), view.getByRole('button', { name: 'More for Mammal' }), restore]) {
      const box = await button.boundingBox();
      expect(box?.width).toBeGreaterThanOrEqual(44);
      expect(box?.height).toBeGreaterThanOrEqual(44);
    }
    await restore.tap();
    await expect(label(view, 'Cat')).toBeVisible();
  });
});
