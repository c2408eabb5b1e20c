// The running stack, as its stack.json describes it.
import { readFileSync } from 'node:fs';

const path = process.env['ILG_STACK'];
if (!path) throw new Error('ILG_STACK is not set. It names the stack.json of a running stack: .local/stack.json.');

/** What the browser tests know of the stack. */
export const stack = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly webUrl: string;
  /** Where S3, Cognito and all the rest are. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  readonly table: string;
  readonly userPoolId: string;
  readonly userPoolClientId: string;
  readonly demoUser: string;
  readonly demoPassword: string;
};
