// The installed page, and what it shows without a connection.
import type { Page } from '@playwright/test';
import { checkAccessibility } from './accessibility.ts';
import { expect, test, tile, tiles } from './app.ts';
import { signIn } from './people.ts';
import { seed, seededId } from './seed.ts';
import { stack } from './stack.ts';

test.use({ serviceWorkers: 'allow', contextOptions: { reducedMotion: 'reduce' } });

/** Opens the page, and again with a service worker. */
async function openWithServiceWorker(page: Page): Promise<void> {
  await page.goto('/');
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active?.state === 'activated') return;
    await new Promise<void>((resolve) =>
      active?.addEventListener('statechange', () => active.state === 'activated' && resolve()),
    );
  });
  await page.reload();
  expect(await page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}

/** The paths of all stored files. */
function storedPaths(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
}

test('browsers can install the page', async ({ page }) => {
  await page.goto('/');
  const session = await page.context().newCDPSession(page);
  const { errors, data, url } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(new URL(url).pathname).toBe('/manifest.webmanifest');
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // Tests run in private windows.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);

  const icons = [...JSON.parse(data ?? '{}').icons, { src: '/icons/apple-touch-icon.png', sizes: '180x180' }];
  for (const { src, sizes } of icons) {
    const response = await page.request.get(src);
    expect(response.headers()['content-type'], src).toBe('image/png');
    const png = await response.body();
    expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`, src).toBe(sizes);
  }
  await expect(page.locator('link[rel=apple-touch-icon]')).toHaveAttribute('href', '/icons/apple-touch-icon.png');
});

test.describe('without a connection', () => {
  test.use({ expectedError: /ERR_INTERNET_DISCONNECTED|Failed to fetch/ });

  test('says so, and opens the requested page as soon as there is a connection', async ({ page, context, person }) => {
    await seed(person, 3);
    await openWithServiceWorker(page);
    await context.setOffline(true);
    const address = `/images/${seededId(1)}`;
    // Chromium emulates being offline for requests, but not always for `navigator.onLine` of a page that is opened then.
    await page.evaluate(() => sessionStorage.setItem('offline', 'true'));
    await page.addInitScript(() =>
      Object.defineProperty(navigator, 'onLine', { get: () => sessionStorage.getItem('offline') === null }),
    );
    await page.goto(address);
    await expect(page.getByRole('heading', { name: "You're offline" })).toBeVisible();
    await expect(page.getByRole('heading', { name: "Can't reach the service" })).toBeHidden();
    await checkAccessibility(page, 'offline', [320, 1024]);
    await page.keyboard.press('Tab');
    await expect(page.getByRole('button', { name: 'Try again' })).toBeFocused();
    // What follows must not happen to the page that is being replaced.
    const reloaded = page.waitForEvent('load');
    await page.keyboard.press('Enter');
    await reloaded;
    await expect(page.getByRole('heading', { name: "You're offline" })).toBeVisible();

    await page.evaluate(() => sessionStorage.removeItem('offline'));
    await context.setOffline(false);
    await page.evaluate(() => window.dispatchEvent(new Event('online'))).catch(() => {});
    await expect(page.getByRole('dialog', { name: '1.jpg' })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe(address);
  });
});

test('the offline page says if the service is the problem', async ({ page }) => {
  await page.goto('/offline.html');
  await expect(page.getByRole('heading', { name: "Can't reach the service" })).toBeVisible();
  await expect(page.getByRole('heading', { name: "You're offline" })).toBeHidden();
  await checkAccessibility(page, 'service unreachable', [320, 1024]);
});

test('stores only the files of the offline page: no pictures, answers of the API or tokens', async ({ page, person }) => {
  await seed(person, 5);
  await openWithServiceWorker(page);
  await expect(tiles(page).first().locator('img[data-loaded]')).toBeVisible();
  await tile(page, '1.jpg').click();
  await expect(page.getByRole('dialog', { name: '1.jpg' }).getByRole('img')).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.reload();
  await expect(tiles(page)).toHaveCount(5);
  const paths = await storedPaths(page);
  expect(paths[0]).toBe('/offline.html');
  for (const path of paths.slice(1)) expect(path).toMatch(/^\/assets\/(offline|page|favicon)-[\w-]+\.(js|css|svg)$/);
});

test('removes the files of earlier versions', async ({ page }) => {
  await page.goto('/offline.html');
  await page.evaluate(async () => (await caches.open('offline-earlier')).put('/old', new Response('old')));
  await openWithServiceWorker(page);
  expect(await storedPaths(page)).not.toContain('/old');
});

test.describe('signed out', () => {
  test.use({ signedIn: false });

  test('signing in works with the service worker', async ({ page }) => {
    await openWithServiceWorker(page);
    await signIn(page, stack.demoUser, stack.demoPassword);
    await expect(page.getByRole('button', { name: `Account ${stack.demoUser}` })).toBeVisible();
  });

  test.describe('a new version is deployed', () => {
    test.use({ expectedError: /status of 404|dynamically imported module/ });

    test('the page reloads once with the service worker, too', async ({ page }) => {
      await openWithServiceWorker(page);
      let loads = 0;
      page.on('load', () => {
        loads += 1;
      });
      await page.route('**/assets/oauth-*.js', (route) => route.fulfill({ status: 404 }));
      await page.route(`${stack.webUrl}/`, (route) => {
        if (route.request().resourceType() === 'document') return route.fallback();
        return route.fulfill({ contentType: 'text/html', body: '<script type="module" src="/assets/index-later.js"></script>' });
      });
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect.poll(() => loads).toBe(1);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByRole('alert')).toContainText("Couldn't sign you in.");
      expect(loads).toBe(1);
    });
  });
});
