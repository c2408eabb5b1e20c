// Two people at one deployment, without a trace of each other.
import { drop, expect, test, tile, tiles } from './app.ts';
import { sample } from './files.ts';
import { createPerson } from './people.ts';
import { stack } from './stack.ts';

test.use({ provoked: /status of 404/ });

test('the other’s pictures are neither in the gallery, nor found, nor opened by their address', async ({ page, browser }) => {
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
  const theirs = await context.newPage();
  await theirs.goto('/');
  await expect(theirs.getByRole('heading', { name: 'See what is in your pictures' })).toBeVisible();
  await theirs.getByRole('combobox', { name: 'Find pictures by label' }).fill('c');
  await expect(theirs.getByText('None of your pictures has such a label')).toBeVisible();
  await theirs.goto('/?label=Cat');
  await expect(theirs.getByRole('heading', { name: 'No picture matches' })).toBeVisible();
  await theirs.goto(address ?? '');
  await expect(theirs.getByRole('dialog')).toContainText('There is no picture under this address.');
  await expect(tiles(theirs)).toHaveCount(0);
  await context.close();
});
