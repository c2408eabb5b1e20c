// The running stack, described by its stack.json.
import { readFileSync } from 'node:fs';

const path = process.env['ILG_STACK'];
if (!path) throw new Error('ILG_STACK is not set. Set it to the stack.json of a running stack, for example .local/stack.json.');

/** The part of stack.json that the browser tests use. */
export const stack = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly webUrl: string;
  /** The endpoint of S3, Cognito and the other AWS services. */
  readonly endpoint: string;
  /** The endpoint of DynamoDB. */
  readonly dynamodbUrl: string;
  readonly rekognitionUrl: string;
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
