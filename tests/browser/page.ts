// Tests a page that was built but not deployed: ILG_PAGE is the folder of `npm run build`. The API and everything else are
// the stack's, and so are the headers, among them the content security policy.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { stack } from './stack.ts';

const folder = process.env['ILG_PAGE'];

/** Serves the built page instead of the stack's, if there is one. */
export async function servePage(context: BrowserContext): Promise<void> {
  if (!folder) return;
  const { origin } = new URL(stack.webUrl);
  // The browser does not know that a page that a test serves comes from this machine.
  await context.grantPermissions(['local-network-access'], { origin });
  const { headers } = await fetch(stack.webUrl);
  const policy = headers.get('content-security-policy') ?? '';
  await context.route(
    (url) => url.origin === origin && !/^\/(api\/|config\.json$)/.test(url.pathname),
    (route) => {
      const file = join(folder, new URL(route.request().url()).pathname);
      const path = /\.\w+$/.test(file) && existsSync(file) ? file : join(folder, 'index.html');
      return route.fulfill({ path, headers: { 'content-security-policy': policy } });
    },
  );
}
