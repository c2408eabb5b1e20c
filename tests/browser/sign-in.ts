// Signing in as a person does: by the page's button and the user pool's own page.
import type { Page } from '@playwright/test';

/** From the signed-out page to the signed-in one. */
export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/oauth2/authorize?*');
  await page.locator('input[name=username]').fill(user);
  await page.locator('input[name=password]').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
