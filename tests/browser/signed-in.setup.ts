// Signs the demo user in once, through the emulator's own sign-in page; every other test begins signed in.
import { expect, test as setup } from '@playwright/test';
import { signIn } from './sign-in.ts';
import { SIGNED_IN, stack } from './stack.ts';

setup('sign in', async ({ page }) => {
  await page.goto('/');
  await signIn(page, stack.demoUser, stack.demoPassword);
  await expect(page.getByRole('button', { name: `Account ${stack.demoUser}` })).toBeVisible();
  await page.context().storageState({ path: SIGNED_IN });
});
