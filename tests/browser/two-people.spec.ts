// Two people use one deployment and cannot see each other's pictures.
import { drop, expect, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';
import { createPerson } from './people.ts';
import { stack } from './stack.ts';

test.use({ expectedError: /status of 404/ });

test('pictures of another person are not in the gallery, cannot be found, and cannot be opened', async ({ page, browser }) => {
  await page.goto('/');
  await drop(page, sample('cat.jpg'));
  await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
  const address = await tile(page, 'cat.jpg').getAttribute('href');

  const other = await createPerson();
  const localStorage = [{ name: 'ilg.tokens', value: JSON.stringify(other.tokens) }];
  const context = await browser.newContext({
    baseURL: stack.webUrl,
    storageState: { cookies: [], origins: [{ origin: stack.webUrl, localStorage }] },
  });
  const otherPage = await context.newPage();
  await otherPage.goto('/');
  await expect(otherPage.getByRole('heading', { name: "See what's in your pictures" })).toBeVisible();
  await otherPage.getByRole('combobox', { name: 'Search pictures by label' }).fill('c');
  await expect(otherPage.locator('ilg-find-bar').getByText('No matching labels')).toBeVisible();
  await otherPage.goto('/?label=Cat');
  await expect(otherPage.getByRole('heading', { name: 'No pictures found' })).toBeVisible();
  await otherPage.goto(address ?? '');
  await expect(otherPage.getByRole('dialog')).toContainText('Picture not found.');
  await expect(tiles(otherPage)).toHaveCount(0);
  await context.close();
});
