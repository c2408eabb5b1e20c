// The whole way from a library with too few labels to keywords in another program, without another call of the model.
import { execFileSync } from 'node:child_process';
import type { Page } from '@playwright/test';
import { expect, test, tile, tiles } from './app.ts';
import { seed, type Seeded } from './seed.ts';
import { button, toolbar } from './selecting.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const DOGS = 40;

/** Forty dogs of 2020, and beaches that the model is not sure of: of two years, with and without people. */
function picture(index: number): Seeded {
  if (index < DOGS) return { labels: ['Dog', 'Animal'], time: `2020-05-17T10:${String(index).padStart(2, '0')}:00.000` };
  const year = index % 2 === 0 ? 2015 : 2014;
  const labels = index % 4 < 2 ? ['Sea'] : ['Sea', 'Person'];
  const takenAt = `${year}-07-13T18:20:${index}`;
  return { labels, others: { Beach: 41.5 }, time: `${takenAt}.000`, takenAt };
}

async function search(page: Page, query: string): Promise<void> {
  await page.getByRole('combobox', { name: /^Search/ }).fill(query);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
}

test('more labels, other labels, a search and an export', async ({ page, person }) => {
  await seed(person, DOGS + 8, picture);

  await test.step('a lower threshold shows more labels everywhere', async () => {
    await page.goto('/settings');
    await page.getByRole('slider', { name: /Minimum confidence/ }).fill('40');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('region', { name: 'Applying settings' })).toContainText('8 pictures changed.');
    await page.getByRole('button', { name: 'Back' }).click();
    await page.goto('/?from=2015-01-01&to=2015-12-31');
    await expect(tile(page, `${DOGS}.jpg`, 'Beach')).toBeVisible();
  });

  await test.step('forty dogs become cats: select, edit, save', async () => {
    await page.goto('/?from=2020-01-01&to=2020-12-31');
    const day = page.getByRole('checkbox', { name: 'Select loaded pictures of Sun, May 17, 2020' });
    // The mark can be clicked once the pointer is on its day.
    await day.hover({ force: true });
    await day.click();
    await expect(toolbar(page)).toContainText('40 selected');
    await button(page, 'Edit labels…').click();
    const editor = page.getByRole('dialog', { name: 'Edit labels of 40 pictures' });
    await editor.getByRole('button', { name: 'Remove Dog, 40 pictures' }).click();
    await editor.getByRole('combobox', { name: 'Add labels' }).fill('Cat');
    await editor.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Changed labels of 40 pictures')).toBeVisible();
    await expect(tile(page, '39.jpg', 'Cat')).toBeVisible();
    await expect(page.locator('ilg-gallery').getByRole('link', { name: /Dog/ })).toHaveCount(0);
  });

  await test.step('all beaches of 2015 without people', async () => {
    await page.goto('/');
    await search(page, 'beach taken:2015 -person');
    await expect(tiles(page)).toHaveCount(2);
    for (const name of ['40.jpg', '44.jpg']) await expect(tile(page, name, 'Beach')).toBeVisible();
  });

  await test.step('are exported with keywords', async () => {
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('button', { name: 'Export labels…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Export labels' });
    await dialog.getByRole('radio', { name: /XMP/ }).check();
    await dialog.getByRole('button', { name: 'Export', exact: true }).click();
    const file = page.getByRole('region', { name: 'Export labels' }).getByRole('link', { name: /^Download / });
    const downloading = page.waitForEvent('download');
    await file.click();
    const path = await (await downloading).path();
    const read = 'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as z: print(json.dumps([z.read(n).decode() for n in z.namelist()]))';
    const sidecars = JSON.parse(execFileSync('python3', ['-c', read, path], { encoding: 'utf8' })) as string[];
    expect(sidecars).toHaveLength(2);
    for (const sidecar of sidecars) expect(sidecar).toMatch(/<dc:subject>[\s\S]*<rdf:li>Beach<\/rdf:li>[\s\S]*<\/dc:subject>/);
  });
});
