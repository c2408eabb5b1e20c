// Signing in and out, and renewing tokens.
import type { Page } from '@playwright/test';
import { drop, expect, test, tile } from './app.ts';
import { sample } from './files.ts';
import { type Person, signIn } from './people.ts';
import { stack } from './stack.ts';

interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresAt: number;
}

/** Changes the stored tokens. */
async function changeTokens(page: Page, change: Partial<Tokens>): Promise<void> {
  await page.evaluate((changed) => {
    const tokens = JSON.parse(localStorage.getItem('ilg.tokens') ?? '{}');
    localStorage.setItem('ilg.tokens', JSON.stringify({ ...tokens, ...changed }));
  }, change);
}

/** The page's requests to the token endpoint from now on. */
function tokenRequests(page: Page): string[] {
  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/oauth2/token')) requests.push(request.postData() ?? '');
  });
  return requests;
}

/** The status of the token endpoint's response to a refresh token. */
async function refresh(refreshToken: string): Promise<number> {
  const form = { grant_type: 'refresh_token', client_id: stack.userPoolClientId, refresh_token: refreshToken };
  const response = await fetch(`${stack.endpoint}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) });
  return response.status;
}

const account = (page: Page, { email }: Pick<Person, 'email'>) => page.getByRole('button', { name: `Account ${email}` });

test.describe('signed out', () => {
  test.use({ signedIn: false });

  test('signing in returns to the requested address', async ({ page }) => {
    await page.goto('/?label=Dog');
    await expect(page.getByRole('heading', { name: "See what's in your pictures" })).toBeVisible();
    await signIn(page, stack.demoUser, stack.demoPassword);
    await expect(account(page, { email: stack.demoUser })).toBeVisible();
    expect(new URL(page.url()).search).toBe('?label=Dog');
  });

  test('an unexpected callback does not sign in', async ({ page }) => {
    await page.goto('/?code=stolen&state=forged');
    await expect(page.getByRole('alert')).toContainText('another tab');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    expect(page.url()).not.toContain('stolen');
  });

  test('sends no request to the API', async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname.startsWith('/api/')) asked.push(request.url());
    });
    await page.goto('/images/0193506a-7d2e-7c61-9a54-3f1de1a8b0c1');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    expect(asked).toEqual([]);
  });

  test('signing out removes the tokens, in every tab', async ({ page, context, person }) => {
    await page.goto('/');
    await signIn(page, person.email, person.password);
    await expect(account(page, person)).toBeVisible();
    const other = await context.newPage();
    await other.goto('/settings');
    await expect(other.getByRole('heading', { name: 'Settings' })).toBeVisible();
    await account(page, person).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible();
    // All tabs share localStorage. The first tab is still being redirected by Cognito's sign-out.
    expect(await other.evaluate(() => localStorage.length)).toBe(0);
  });

  test('signing out revokes the refresh token', async ({ page, person }) => {
    await page.goto('/');
    await signIn(page, person.email, person.password);
    await expect(account(page, person)).toBeVisible();
    const refreshToken = await page.evaluate(() => JSON.parse(localStorage.getItem('ilg.tokens') ?? '{}').refreshToken);
    expect(await refresh(refreshToken)).toBe(200);
    const revoked = page.waitForResponse('**/oauth2/revoke');
    await account(page, person).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect((await revoked).status()).toBe(200);
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    expect(await refresh(refreshToken)).toBe(400);
  });

  test('a path that starts with two slashes stays on this host, and the code is removed from the address bar', async ({
    page,
    person,
  }) => {
    await page.goto(`${stack.webUrl}//evil.example/?label=Dog`);
    await signIn(page, person.email, person.password);
    await expect(account(page, person)).toBeVisible();
    expect(page.url()).toBe(`${stack.webUrl}//evil.example/?label=Dog`);
  });

  test('an expired token is renewed once for all requests', async ({ page, person }) => {
    await page.goto('/');
    await signIn(page, person.email, person.password);
    await expect(account(page, person)).toBeVisible();
    await changeTokens(page, { expiresAt: 0 });
    const renewals = tokenRequests(page);
    await page.reload();
    await drop(page, sample('cat.jpg', 'one.jpg'), sample('cat.jpg', 'two.jpg'));
    for (const name of ['one.jpg', 'two.jpg']) await expect(tile(page, name, 'Cat')).toBeVisible();
    expect(renewals).toHaveLength(1);
  });

  test.describe('a token that the API rejects', () => {
    test.use({ expectedError: /status of 401/ });

    test('is renewed and the request is sent again', async ({ page, person }) => {
      await page.goto('/');
      await signIn(page, person.email, person.password);
      await expect(account(page, person)).toBeVisible();
      await changeTokens(page, { accessToken: 'worth.nothing.now' });
      await page.reload();
      await drop(page, sample('cat.jpg'));
      await expect(tile(page, 'cat.jpg', 'Cat')).toBeVisible();
    });
  });
});

test.describe('a session that has ended', () => {
  test.use({ expectedError: /status of 40[01]/ });

  test('asks to sign in again, and returns to the same address', async ({ page, person }) => {
    await page.goto('/settings?label=Dog');
    await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
    await changeTokens(page, { expiresAt: 0, refreshToken: 'worth-nothing' });
    await page.reload();
    await expect(page.getByRole('alert')).toContainText('Your session has ended.');
    await signIn(page, person.email, person.password);
    await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
    expect(new URL(page.url()).search).toBe('?label=Dog');
  });
});
