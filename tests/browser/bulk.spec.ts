// Actions on all results of a search: labeling them again, changing their labels, downloading and deleting them.
import { readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import { checkAccessibility } from './accessibility.ts';
import { endUndoTime, expect, tabTo, test, tile, tiles } from './app.ts';
import { seed } from './seed.ts';
import { button, openGallery, select, toolbar } from './selecting.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

/** More pictures than the gallery loads at once. */
const MANY = 260;

function relabelPanel(page: Page): Locator {
  return page.getByRole('article', { name: 'Label pictures again' });
}

function correctPanel(page: Page): Locator {
  return page.getByRole('article', { name: 'Edit labels' });
}

function undoPanel(page: Page): Locator {
  return page.getByRole('article', { name: 'Undo label changes' });
}

/** Selects all results of the search, also those that are not loaded. */
async function selectFound(page: Page): Promise<void> {
  await tile(page, '0.jpg').click({ modifiers: ['ControlOrMeta'] });
  await button(page, 'Select all loaded').click();
  await button(page, 'Select all results').click();
  await expect(toolbar(page)).toContainText('All results selected');
}

test('all results are labeled again after the price is shown, and that can be canceled', async ({ page, person }) => {
  // Labeled at 5 pictures per second, they take so long that the job is still running when a busy machine cancels it.
  await seed(person, 1_000);
  await page.goto('/');
  await selectFound(page);
  await button(page, 'Label again').click();
  const question = page.getByRole('dialog', { name: 'Label 1,000 pictures again?' });
  await expect(question).toContainText(/This costs about \$1\.00\. You can label [\d,]+ more pictures today\./);
  await checkAccessibility(page, 'question about all results', [320, 1280]);
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(toolbar(page)).toContainText('All results selected');

  await button(page, 'Label again').click();
  await question.getByRole('button', { name: 'Label again' }).click();
  await expect(toolbar(page)).toHaveCount(0);
  await expect(relabelPanel(page)).toContainText(/Labeling again… [1-9]\d* pictures?/);
  await checkAccessibility(page, 'relabel panel', [320, 1280]);
  // The page finds the job again.
  await page.reload();
  await expect(relabelPanel(page)).toContainText('Labeling again…');
  await relabelPanel(page).getByRole('button', { name: 'Cancel relabeling' }).click();
  await expect(relabelPanel(page)).toContainText(/Relabeling was canceled after \d+ pictures?/);
  await page.reload();
  await expect(relabelPanel(page)).toContainText(/Relabeling was canceled after \d+ pictures?/);
  await relabelPanel(page).getByRole('button', { name: 'Resume' }).click();
  await relabelPanel(page).getByRole('button', { name: 'Cancel relabeling' }).click();
  await expect(relabelPanel(page)).toContainText(/Relabeling was canceled after \d+ pictures?/);
  await relabelPanel(page).getByRole('button', { name: 'Close' }).click();
  await expect(relabelPanel(page)).toHaveCount(0);
  const listed = page.waitForResponse('**/api/jobs');
  await page.reload();
  await listed;
  await expect(tile(page, '0.jpg')).toBeVisible();
  await expect(relabelPanel(page)).toHaveCount(0);
});

test('the labels of all results are changed, with the keyboard', async ({ page, person }) => {
  await seed(person, MANY, (index) => ({ labels: index % 2 === 0 ? ['Dog', 'Animal'] : ['Cat'] }));
  await page.goto('/');
  await expect(tile(page, '0.jpg')).toBeVisible();
  await tile(page, '0.jpg').focus();
  await page.keyboard.press('x');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('ControlOrMeta+a');
  await expect(toolbar(page)).toContainText('All results selected');
  await page.keyboard.press('Alt+F10');
  await tabTo(page, button(page, 'Edit labels…'));
  await page.keyboard.press('Enter');
  const editor = page.getByRole('dialog', { name: 'Edit labels of all results' });
  await expect(editor).toContainText("also those that aren't loaded.");
  await checkAccessibility(page, 'labels of all results', [320, 1280]);
  await editor.getByRole('combobox', { name: 'Add labels' }).fill('Pet');
  await page.keyboard.press('Enter');
  await expect(editor.getByRole('status').filter({ hasText: 'This changes 260 pictures.' })).toBeVisible();
  await tabTo(page, editor.getByRole('button', { name: 'Save' }));
  await page.keyboard.press('Enter');
  await expect(correctPanel(page)).toContainText('Changed labels of 260 pictures');
  await expect(page.getByRole('log')).toContainText('Changed labels of 260 pictures');
  await page.goto('/?label=pet&label=dog');
  await expect(tile(page, '0.jpg', 'Pet')).toBeVisible();
  await expect(tile(page, '1.jpg')).toHaveCount(0);
});

test('a change of all results is undone, with the button and with Ctrl+Z', async ({ page, person }) => {
  await seed(person, MANY, (index) => ({ labels: index % 2 === 0 ? ['Dog', 'Animal'] : ['Cat'] }));
  await page.goto('/');
  const change = async () => {
    await selectFound(page);
    await button(page, 'Edit labels…').click();
    const editor = page.getByRole('dialog', { name: 'Edit labels of all results' });
    await editor.getByRole('combobox', { name: 'Remove labels' }).fill('Dog');
    await page.keyboard.press('Enter');
    await editor.getByRole('combobox', { name: 'Add labels' }).fill('Puppy');
    await editor.getByRole('button', { name: 'Save' }).click();
    await expect(correctPanel(page)).toContainText('Changed labels of 260 pictures');
    await expect(tile(page, '0.jpg', 'Puppy')).toBeVisible();
    await expect(tile(page, '0.jpg', 'Dog')).toHaveCount(0);
  };
  const isRestored = async () => {
    await expect(undoPanel(page)).toContainText('Restored labels of 260 pictures');
    await expect(page.getByRole('log')).toContainText('Restored labels of 260 pictures');
    await expect(correctPanel(page)).toHaveCount(0);
    await expect(tile(page, '0.jpg', 'Dog')).toBeVisible();
    await expect(page.locator('ilg-gallery').getByRole('link', { name: /Puppy/ })).toHaveCount(0);
  };
  await change();
  await checkAccessibility(page, 'a job that can be undone', [320, 1280]);
  await correctPanel(page).getByRole('button', { name: 'Undo' }).click();
  await isRestored();
  await undoPanel(page).getByRole('button', { name: 'Close' }).click();
  await expect(undoPanel(page)).toHaveCount(0);

  await change();
  await page.keyboard.press('ControlOrMeta+z');
  await isRestored();
});

test('jobs that were started in quick succession are all shown', async ({ page, person }) => {
  await seed(person, MANY);
  await page.goto('/');
  const started: string[] = [];
  const time = new Date().toISOString();
  const job = (jobId: string) => {
    const state = { kind: 'CORRECT', status: 'RUNNING', total: 260, processed: 100, changed: 100, resumable: false };
    return { ...state, jobId, createdAt: time, updatedAt: time };
  };
  await page.route('**/api/jobs', (route) => {
    started.push(`0193506a-7d2e-7c61-9a54-00000000000${started.length}`);
    return route.fulfill({ status: 202, json: job(started.at(-1) ?? '') });
  });
  const ended = new Set<string>();
  await page.route('**/api/jobs/*', (route) => {
    const id = route.request().url().split('/').at(-1) ?? '';
    return route.fulfill({ json: ended.has(id) ? { ...job(id), status: 'SUCCEEDED', changed: 260 } : job(id) });
  });
  for (const name of ['Pet', 'Boat', 'Car']) {
    await selectFound(page);
    await button(page, 'Edit labels…').click();
    const editor = page.getByRole('dialog', { name: 'Edit labels of all results' });
    await editor.getByRole('combobox', { name: 'Add labels' }).fill(name);
    await editor.getByRole('button', { name: 'Save' }).click();
    await expect(editor).toBeHidden();
  }
  await expect(correctPanel(page)).toHaveCount(3);
  ended.add(started[0] ?? '');
  await expect(correctPanel(page).filter({ hasText: 'Changed labels of 260 pictures' })).toHaveCount(1);
  await expect(correctPanel(page).filter({ hasText: 'Changing labels… 100 pictures' })).toHaveCount(2);
});

test('another selection ends the selection of all results', async ({ page, person }) => {
  await seed(person, MANY, (index) => ({ labels: index < 3 ? ['Unicorn'] : ['Cat'] }));
  await page.goto('/');
  await selectFound(page);
  await tile(page, '0.jpg').click();
  await expect(toolbar(page)).toContainText(/^\s*[\d,]+ selected/);
  await expect(button(page, 'Delete')).not.toHaveAttribute('aria-disabled');
  await button(page, 'Select all loaded').click();
  await button(page, 'Select all results').click();
  await page.keyboard.press('Escape');
  await expect(toolbar(page)).toHaveCount(0);
});

test('pictures with labels of an older model can be labeled again from the settings', async ({ page, person }) => {
  await seed(person, 3, (index) => ({ modelVersion: index === 0 ? '3.0' : '2.0' }));
  await page.goto('/settings');
  const offer = page.getByRole('region', { name: 'Newer model' });
  await expect(offer).toContainText('2 pictures were labeled by an older model. Label them again for about $0.002.');
  await checkAccessibility(page, 'newer model', [320, 1280]);
  await offer.getByRole('button', { name: 'Label again…' }).click();
  const question = page.getByRole('dialog', { name: 'Label 2 pictures again?' });
  await question.getByRole('button', { name: 'Label again' }).click();
  await expect(offer).toHaveCount(0);
  await expect(relabelPanel(page)).toContainText('Labeling 2 pictures again');
  // Not only in the page, but in front of the settings.
  await relabelPanel(page).getByRole('button', { name: 'Close' }).click({ trial: true });
  // The button had the focus, and has disappeared.
  await expect(page.getByRole('heading', { name: 'Settings', exact: true })).toBeFocused();
});

test('all results are downloaded as one ZIP and deleted, and that can be undone for a few seconds', async ({ page, person }) => {
  // Browsers without this dialog download a Blob.
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  await seed(person, MANY);
  await page.goto('/');
  await selectFound(page);

  await test.step('download', async () => {
    await button(page, 'Download').click();
    const size = page.getByRole('dialog', { name: 'Download 260 files?' });
    await expect(size).toContainText(/The files total [\d.]+ MB and are saved as one ZIP file\./);
    // A narrow window would load all results.
    await checkAccessibility(page, 'download of all results', [1280]);
    const downloading = page.waitForEvent('download');
    await size.getByRole('button', { name: 'Download' }).click();
    const zip = unzipSync(readFileSync(await (await downloading).path()));
    expect(Object.keys(zip)).toHaveLength(260);
    expect(Object.keys(zip)).toContain('258.jpg');
  });

  await test.step('a deletion that can still be undone is sent before pictures are counted', async () => {
    await button(page, 'Clear selection').click();
    await tile(page, '2.jpg').click({ modifiers: ['ControlOrMeta'] });
    await button(page, 'Delete').click();
    await expect(tile(page, '2.jpg')).toHaveCount(0);
    await selectFound(page);
    await button(page, 'Label again').click();
    const question = page.getByRole('dialog', { name: 'Label 259 pictures again?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByRole('button', { name: 'Undo' })).toHaveCount(0);
  });

  const confirm = async () => {
    const question = page.getByRole('dialog', { name: 'Delete 259 pictures?' });
    await expect(question).toContainText('permanently');
    return question.getByRole('button', { name: 'Delete' });
  };
  await button(page, 'Delete').click();
  const submit = await confirm();
  await checkAccessibility(page, 'deletion of all results', [1280]);
  await submit.click();
  await expect(tiles(page)).toHaveCount(0);
  await expect(page.getByText('Deleting 259 pictures')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(tile(page, '0.jpg')).toBeVisible();

  await selectFound(page);
  await tile(page, '0.jpg').focus();
  await page.keyboard.press('Delete');
  await (await confirm()).press('Enter');
  await expect(tiles(page)).toHaveCount(0);
  await endUndoTime(page);
  const panel = page.getByRole('article', { name: 'Delete pictures' });
  await expect(panel).toContainText('Deleted 259 pictures');
  await checkAccessibility(page, 'deleted pictures', [320, 1280]);
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Choose pictures' })).toBeVisible();
  await expect(panel).toHaveCount(0);
});

test('selected pictures cannot be labeled again when nothing is left of the daily limit', async ({ page, person }) => {
  await seed(person, 3);
  await page.route('**/api/jobs/preview', (route) =>
    route.fulfill({
      json: {
        images: 1,
        videoMinutes: 0,
        skippedVideos: 0,
        dollars: 0.001,
        imagesLeftToday: 0,
        videoMinutesLeftToday: 0,
        nextCursor: null,
      },
    }),
  );
  await openGallery(page, 3);
  await select(page, '1.jpg');
  await button(page, 'Label again').click();
  const question = page.getByRole('dialog', { name: 'Label 1 picture again?' });
  await expect(question).toContainText(/You can't label more pictures today\. Try again after [A-Z]/);
  await expect(question.getByRole('button', { name: 'Label again' })).toBeDisabled();
});

test('videos that are too long for a job are named before it starts', async ({ page, person }) => {
  await seed(person, MANY);
  await page.route('**/api/jobs/preview', (route) =>
    route.fulfill({
      json: {
        images: 2,
        videoMinutes: 0,
        skippedVideos: 1,
        dollars: 0.002,
        imagesLeftToday: 9,
        videoMinutesLeftToday: 48,
        nextCursor: null,
      },
    }),
  );
  await page.goto('/');
  await selectFound(page);
  await button(page, 'Label again').click();
  const question = page.getByRole('dialog', { name: 'Label 2 pictures again?' });
  await expect(question).toContainText(
    "1 video is too long and won't be labeled again: jobs use at most 80% of the daily minutes of video.",
  );
});

test('jobs say when they continue and why they have stopped, until they are dismissed', async ({ page, person }) => {
  await seed(person, 1);
  const time = new Date().toISOString();
  const job = {
    jobId: '0193506a-7d2e-7c61-9a54-3f1de1a8b0c1',
    kind: 'RELABEL',
    status: 'RUNNING',
    total: 12_310,
    processed: 5_200,
    changed: 5_000,
    waitsUntil: '2030-01-01T00:00:00Z',
    createdAt: time,
    updatedAt: time,
    resumable: false,
  };
  const stopped = { total: 9, processed: 5, changed: 5, createdAt: time, updatedAt: time, resumable: true };
  const jobs = [
    job,
    { ...stopped, jobId: '0193506a-7d2e-7c61-9a54-000000000001', kind: 'DELETE', status: 'FAILED', error: 'Throttled' },
    { ...stopped, jobId: '0193506a-7d2e-7c61-9a54-000000000002', kind: 'EXPORT', status: 'FAILED', resumable: false },
    { ...stopped, jobId: '0193506a-7d2e-7c61-9a54-000000000003', kind: 'CORRECT', status: 'CANCELED' },
    { ...stopped, jobId: '0193506a-7d2e-7c61-9a54-000000000004', kind: 'IMPORT', status: 'FAILED', resumable: false },
    { ...stopped, jobId: '0193506a-7d2e-7c61-9a54-000000000005', kind: 'CORRECT', status: 'FAILED' },
  ];
  await page.route('**/api/jobs', (route) => route.fulfill({ json: { jobs } }));
  // The job that waits is polled once a minute.
  await page.route(`**/api/jobs/${job.jobId}`, (route) => route.fulfill({ json: job }));
  await page.goto('/');
  await expect(relabelPanel(page)).toContainText('Labeling again… 5,000 pictures');
  await expect(relabelPanel(page)).toContainText(
    /The daily limit is reached\. Continues on (Dec 31, 2029|Jan 1, 2030), \d/,
  );
  const deletion = page.getByRole('article', { name: 'Delete pictures' });
  await expect(deletion).toContainText("Couldn't delete all pictures");
  await expect(deletion).toContainText('The service was overloaded or unavailable for too long.');
  await expect(deletion.getByRole('button', { name: 'Resume' })).toBeVisible();
  const exported = page.getByRole('region', { name: 'Export labels' });
  await expect(exported).toContainText("Couldn't export the labels");
  // Several jobs of this kind can be shown at once.
  const canceled = correctPanel(page).filter({ hasText: 'Changing labels was canceled after 5 pictures' });
  const failed = correctPanel(page).filter({ hasText: "Couldn't change the labels of all pictures" });
  await expect(failed).toBeVisible();
  const imported = page.getByRole('article', { name: 'Import pictures' });
  await expect(imported).toContainText("Couldn't import all pictures");
  const panels = [deletion, exported, canceled, failed, imported];
  await page.setViewportSize({ width: 390, height: 320 });
  for (const panel of panels) {
    await panel.getByRole('button', { name: 'Close' }).click({ trial: true });
  }
  await checkAccessibility(page, 'jobs that wait or have stopped', [320, 1280]);
  for (const panel of panels) {
    await panel.getByRole('button', { name: 'Close' }).click();
  }
  await page.reload();
  await expect(relabelPanel(page)).toContainText('Labeling again… 5,000 pictures');
  for (const panel of panels) await expect(panel).toHaveCount(0);
});

test.describe('a second job', () => {
  test.use({ expectedError: /status of 409/ });

  test('is refused with the reason, and the selection stays', async ({ page, person }) => {
    await seed(person, MANY);
    await page.goto('/');
    await selectFound(page);
    await page.route('**/api/jobs', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        json: {
          type: 'urn:image-label-generator:problem:too-many-jobs',
          title: 'Too many jobs',
          status: 409,
          detail: 'You already have 1 job of this kind in progress. Wait until it is done, or cancel it.',
        },
      }),
    );
    await button(page, 'Label again').click();
    const question = page.getByRole('dialog', { name: 'Label 260 pictures again?' });
    await question.getByRole('button', { name: 'Label again' }).click();
    await expect(question.getByRole('alert')).toContainText('You already have 1 job of this kind in progress.');
    await question.getByRole('button', { name: 'Cancel' }).click();
    await expect(toolbar(page)).toContainText('All results selected');
  });
});

test('the selection of a few pictures is still labeled picture by picture', async ({ page, person }) => {
  await seed(person, 6);
  await openGallery(page, 6);
  await select(page, '1.jpg');
  await button(page, 'Select all loaded').click();
  await expect(button(page, 'Select all loaded')).toHaveAttribute('title', 'All loaded pictures are selected');
  await button(page, 'Label again').click();
  await expect(page.getByRole('dialog', { name: 'Label 6 pictures again?' })).toContainText('This costs about $0.006.');
});
