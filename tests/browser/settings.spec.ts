// The settings, their preview, and deleting all data.
import type { Locator, Page } from '@playwright/test';
import { drop, expect, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';
import type { Person } from './people.ts';
import { seed } from './seed.ts';
import { stack } from './stack.ts';

const preview = (page: Page): Locator => page.getByRole('complementary', { name: 'Preview' });
const progress = (page: Page): Locator => page.getByRole('region', { name: 'Applying settings' });

test('a setting is previewed and saved, and applies to all pictures', async ({ page, person }) => {
  await seed(person, 3, (index) => ({ labels: index === 2 ? ['Dog'] : ['Cat', 'Animal'] }));
  await page.goto('/');
  await expect(tile(page, '0.jpg', 'Cat')).toBeVisible();
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('link', { name: 'Licenses' }), 'the menu is closed').toBeHidden();

  await expect(preview(page)).toContainText('Your newest picture gets 2 of 2 possible labels.');
  await page.getByRole('combobox', { name: 'Add a label to exclude' }).fill('Cat');
  await page.keyboard.press('Enter');
  await expect(preview(page).getByRole('deletion')).toHaveText('Cat');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(progress(page)).toContainText('Applied to all pictures. 2 pictures changed.');

  await page.getByRole('button', { name: 'Back' }).click();
  await expect(tile(page, '0.jpg', 'Animal')).toBeVisible();
  await expect(tile(page, '0.jpg', 'Cat')).toHaveCount(0);
  await page.goto('/settings');
  await expect(page.getByRole('button', { name: 'Remove Cat' })).toBeVisible();
  await expect(progress(page)).toHaveCount(0);
});

test('a lower minimum confidence previews what comes back, and brings it back', async ({ page, person }) => {
  await seed(person, 1, () => ({ labels: ['Cat'], others: { Lynx: 31.4 } }));
  await page.goto('/settings');
  await expect(preview(page).getByRole('deletion')).toHaveText('Lynx');
  await page.getByRole('slider', { name: /Minimum confidence/ }).fill('30');
  await expect(preview(page).getByRole('deletion')).toHaveCount(0);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(progress(page)).toContainText('1 picture changed.');
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(tile(page, '0.jpg', 'Lynx')).toBeVisible();
});

test('the progress is shown, also after a reload, and can be canceled', async ({ page }) => {
  const time = new Date().toISOString();
  const job = {
    jobId: '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1',
    kind: 'REFILTER',
    status: 'RUNNING',
    createdAt: time,
    updatedAt: time,
  };
  const running = { ...job, total: 10_000, processed: 1_200, changed: 310 };
  let current: object = running;
  await page.route('**/api/jobs', (route) => route.fulfill({ json: { jobs: [current] } }));
  await page.route('**/api/jobs/*', (route) => {
    if (route.request().method() === 'DELETE') current = { ...running, status: 'CANCELED' };
    return route.fulfill({ json: current });
  });
  await page.goto('/settings');
  const sentence = 'Applied to 1,200 of 10,000 pictures, 310 changed';
  await expect(progress(page)).toContainText(sentence);
  await page.reload();
  await expect(progress(page)).toContainText(sentence);
  await expect(progress(page).getByRole('progressbar')).toHaveAttribute('max', '10000');
  current = { ...running, processed: 9_999 };
  await expect(progress(page)).toContainText('Applied to 9,999 of 10,000 pictures');
  await progress(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(progress(page)).toContainText('Canceled. The settings are applied to 1,200 of 10,000 pictures.');

  await test.step('and continued', async () => {
    await page.unroute('**/api/jobs/*');
    await progress(page).getByRole('button', { name: 'Apply to all pictures' }).click();
    await expect(progress(page)).toContainText('Applied to all pictures. 0 pictures changed.');
  });
});

test('the gallery shows the progress, too, and why it has failed, and applies the settings again', async ({ page, person }) => {
  await seed(person, 2);
  const time = new Date().toISOString();
  const job = {
    jobId: '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1',
    kind: 'REFILTER',
    total: 2,
    processed: 1,
    changed: 1,
    resumable: false,
    createdAt: time,
    updatedAt: time,
  };
  let current: object = { ...job, status: 'RUNNING' };
  await page.route('**/api/jobs', (route) => route.fulfill({ json: { jobs: [current] } }));
  await page.route('**/api/jobs/*', (route) => route.fulfill({ json: current }));
  await page.goto('/');
  const panel = page.getByRole('article', { name: 'Apply settings' });
  await expect(panel).toContainText('Applying settings… 1 picture changed');
  current = { ...job, status: 'FAILED', error: 'Throttled' };
  await expect(panel).toContainText("Couldn't apply the settings to all pictures");
  await expect(panel).toContainText('The service was overloaded');
  await expect(page.getByRole('log')).toContainText("Couldn't apply the settings to all pictures");
  await page.unroute('**/api/jobs/*');
  await panel.getByRole('button', { name: 'Apply to all pictures' }).click();
  await expect(page.getByRole('log')).toContainText('Applied the settings. 0 pictures changed');
  await expect(panel).toHaveCount(0);
});

test('new settings replace a job that is running', async ({ page }) => {
  const time = new Date().toISOString();
  const job = { kind: 'REFILTER', status: 'RUNNING', changed: 0, createdAt: time, updatedAt: time };
  const first = { ...job, jobId: '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1', total: 10_000, processed: 1_200 };
  await page.route('**/api/jobs', (route) => route.fulfill({ json: { jobs: [first] } }));
  await page.route('**/api/jobs/*', (route) => {
    const isFirst = route.request().url().endsWith(first.jobId);
    return route.fulfill({
      json: isFirst ? first : { ...job, jobId: route.request().url().split('/').at(-1), total: null, processed: 0 },
    });
  });
  await page.goto('/settings');
  await expect(progress(page)).toContainText('Applied to 1,200 of 10,000 pictures');
  await page.getByRole('spinbutton', { name: 'Maximum labels per picture' }).fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  // The bar of the first job becomes that of the second one, whose images are not counted yet.
  await expect(progress(page)).toContainText('Applying to your pictures…');
  await expect(progress(page).getByRole('progressbar')).not.toHaveAttribute('value');
});

test('restores the defaults, also in a form with unsaved changes, and undoes it', async ({ page }) => {
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
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(most).toHaveValue('7');
  await page.getByRole('button', { name: 'Restore defaults' }).click();
  await expect(page.getByText('Defaults restored.')).toBeVisible();
  await expect(most).toHaveValue(usual);
  await page.reload();
  await expect(most).toHaveValue(usual);
});

test('changes that are not saved stay when the settings are closed', async ({ page }) => {
  await page.goto('/settings');
  const most = page.getByRole('spinbutton', { name: 'Maximum labels per picture' });
  await most.fill('7');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Settings' })).toHaveCount(0);
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByText('You have unsaved changes.')).toBeVisible();
  await expect(most).toHaveValue('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
});

/** Changes the settings like another tab or a script. */
async function changeElsewhere(person: Person, change: object): Promise<void> {
  const url = `${stack.webUrl}/api/settings`;
  const headers = { authorization: `Bearer ${person.tokens.accessToken}`, 'content-type': 'application/json' };
  const current = await (await fetch(url, { headers })).json();
  const stored = await fetch(url, { method: 'PUT', headers, body: JSON.stringify({ ...current, ...change }) });
  expect(stored.status).toBe(200);
}

test('a form keeps what another tab has changed since it was opened', async ({ page, person }) => {
  await page.goto('/settings');
  await expect(page.getByRole('spinbutton', { name: 'Maximum labels per picture' })).toBeVisible();
  await changeElsewhere(person, { exclude: ['Dog'], renames: [{ from: 'Cat', to: 'Kitty' }] });
  await page.getByRole('combobox', { name: 'Add a label to exclude' }).fill('Car');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved, together with changes that you made elsewhere.')).toBeVisible();
  for (const name of ['Dog', 'Car']) await expect(page.getByRole('button', { name: `Remove ${name}` })).toBeVisible();
  await page.goto('/labels');
  await expect(page.getByText('Cat → Kitty')).toBeVisible();
});

test.describe('a change at the same moment', () => {
  test.use({ expectedError: /status of 409/ });

  test('is kept', async ({ page, person }) => {
    let saved = 0;
    await page.route('**/api/settings', async (route) => {
      // The page has read the settings, and now stores them.
      if (route.request().method() === 'PUT' && (saved += 1) === 1) await changeElsewhere(person, { exclude: ['Dog'] });
      return route.fallback();
    });
    await page.goto('/settings');
    await page.getByRole('spinbutton', { name: 'Maximum labels per picture' }).fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Saved, together with changes that you made elsewhere.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Remove Dog' })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('button', { name: 'Remove Dog' })).toBeVisible();
    await expect(page.getByRole('spinbutton', { name: 'Maximum labels per picture' })).toHaveValue('7');
    expect(saved).toBe(2);
  });
});

test.describe('without a connection', () => {
  test.use({ expectedError: /Failed to load resource/ });

  for (const [path, request, shown] of [
    ['/settings', '**/api/settings', 'Maximum labels per picture'],
    ['/labels', '**/api/labels*', 'Group by'],
  ] as const) {
    test(`${path} says why nothing is shown, and tries again`, async ({ page }) => {
      await page.route(request, (route) => route.abort());
      await page.goto(path);
      await expect(page.getByRole('alert').filter({ hasText: "Can't reach the service." })).toBeVisible();
      await expect(page.getByText(/^Loading (settings|labels)/)).toHaveCount(0);
      await page.unroute(request);
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.getByLabel(shown)).toBeVisible();
    });
  }
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

test('deleting everything continues while the settings are closed', async ({ page, person }) => {
  await seed(person, 3);
  const answers = [
    { done: false, deletedImages: 2 },
    { done: true, deletedImages: 1 },
  ];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let requests = 0;
  await page.route('**/api/account/data', async (route) => {
    requests += 1;
    if (requests > 1) await released;
    return route.fulfill({ json: answers[requests - 1] });
  });
  await page.goto('/');
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Delete everything' }).click();
  const question = page.getByRole('dialog', { name: 'Delete all your pictures?' });
  await question.getByRole('button', { name: 'Delete everything' }).click();
  await expect(page.getByText('Deleting… 2 pictures so far')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByText('Deleting… 2 pictures so far')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page.getByRole('dialog', { name: 'Settings' })).toHaveCount(0);
  release();
  await expect(page.getByText('Everything is deleted: 3 pictures.')).toBeVisible();
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
