// Sign-in: the way in, the way out, and everything between that nobody should notice.
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

/** Changes the stored tokens, as time or an administrator would. */
async function changeTokens(page: Page, change: Partial<Tokens>): Promise<void> {
  await page.evaluate((changed) => {
    const tokens = JSON.parse(localStorage.getItem('ilg.tokens') ?? '{}');
    localStorage.setItem('ilg.tokens', JSON.stringify({ ...tokens, ...changed }));
  }, change);
}

/** How often the page asks the token endpoint from now on. */
function tokenRequests(page: Page): string[] {
  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/oauth2/token')) requests.push(request.postData() ?? '');
  });
  return requests;
}

const account = (page: Page, { email }: Pick<Person, 'email'>) => page.getByRole('button', { name: `Account ${email}` });

test.describe('signed out', () => {
  test.use({ signedIn: false });

  test('a stranger is told what this is, signs in, and comes back to the address that he asked for', async ({ page }) => {
    await page.goto('/?label=Dog');
    await expect(page.getByRole('heading', { name: 'See what is in your pictures' })).toBeVisible();
    await signIn(page, stack.demoUser, stack.demoPassword);
    await expect(account(page, { email: stack.demoUser })).toBeVisible();
    expect(new URL(page.url()).search).toBe('?label=Dog');
  });

  test('a way back that nobody asked for signs nobody in', async ({ page }) => {
    await page.goto('/?code=stolen&state=forged');
    await expect(page.getByRole('alert')).toContainText('another tab');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    expect(page.url()).not.toContain('stolen');
  });

  test('no request reaches the API', async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname.startsWith('/api/')) asked.push(request.url());
    });
    await page.goto('/images/0193506a-7d2e-7c61-9a54-3f1de1a8b0c1');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    expect(asked).toEqual([]);
  });

  test('signing out forgets the tokens, in every tab', async ({ page, context, person }) => {
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
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
  });

  test('a token that has expired is renewed once for all requests, before anything is sent', async ({ page, person }) => {
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

  test.describe('a token that the API refuses', () => {
    test.use({ provoked: /status of 401/ });

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
  test.use({ provoked: /status of 40[01]/ });

  test('asks to sign in again and returns to where one was', async ({ page, person }) => {
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
