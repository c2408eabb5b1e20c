// A tab that stays open while a new version of the page is deployed.
import { expect, test } from './app.ts';
import { stack } from './stack.ts';

test.use({ signedIn: false, expectedError: /status of 404|dynamically imported module/ });

test('the page reloads once if a module no longer exists, and never in a loop', async ({ page }) => {
  let loads = 0;
  page.on('load', () => {
    loads += 1;
  });
  // Only the module for signing in is missing. The page's own request for its HTML gets the new version.
  await page.route('**/assets/oauth-*.js', (route) => route.fulfill({ status: 404 }));
  await page.route(`${stack.webUrl}/`, (route) => {
    if (route.request().resourceType() === 'document') return route.fallback();
    return route.fulfill({ contentType: 'text/html', body: '<script type="module" src="/assets/index-later.js"></script>' });
  });
  await page.goto('/');
  const signIn = page.getByRole('button', { name: 'Sign in' });
  await signIn.click();
  await expect.poll(() => loads).toBe(2);
  await signIn.click();
  await expect(page.getByRole('alert')).toContainText("Couldn't sign you in.");
  await expect(signIn).toBeEnabled();
  expect(loads).toBe(2);

  await page.unrouteAll();
  await page.reload();
  await signIn.click();
  await page.waitForURL('**/oauth2/authorize?*');
});
