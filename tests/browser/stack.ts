// The running stack, as its stack.json describes it.
import { readFileSync } from 'node:fs';

const path = process.env['ILG_STACK'];
if (!path) throw new Error('ILG_STACK is not set. It names the stack.json of a running stack: .local/stack.json.');

/** What the browser tests know of the stack: where the page is, where S3 and the user pool are, and who may sign in. */
export const stack = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly webUrl: string;
  readonly endpoint: string;
  readonly demoUser: string;
  readonly demoPassword: string;
};

/** Where the signed-in browser state is kept for the length of a run. */
export const SIGNED_IN = new URL('../test-results/signed-in.json', import.meta.url).pathname;
