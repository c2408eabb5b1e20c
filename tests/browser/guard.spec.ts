// Attacks from web pages of other origins on a local stack must fail.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, type Page, type Response, test } from '@playwright/test';
import { AwsClient } from 'aws4fetch';
import { call } from './people.ts';
import { stack } from './stack.ts';

/** Hosts of the attacking page: another site, and the same site with another port. */
const HOSTS = ['localhost', '127.0.0.1'];

let server: Server;
let port: number;

test.beforeAll(async () => {
  server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>another site</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

test.afterAll(() => void server.close());

/** The statuses of the responses to the requests that `act` makes the page send to an origin. */
async function statuses(page: Page, origin: string, act: () => Promise<void>): Promise<number[]> {
  const answered: number[] = [];
  const hear = (response: Response) => {
    if (response.url().startsWith(origin)) answered.push(response.status());
  };
  page.on('response', hear);
  await act();
  await expect.poll(() => answered.length, 'the attack reaches the server').toBeGreaterThan(0);
  page.off('response', hear);
  return answered;
}

/** Calls IAM with the stack's own access key. */
async function iam(action: string, parameters: Record<string, string>): Promise<string> {
  const { accessKeyId, secretAccessKey, region } = stack;
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: 'iam' });
  const response = await aws.fetch(stack.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }).toString(),
  });
  return response.text();
}

/** The code for a Lambda function: a zip file with an empty Python module. */
const CODE =
  'UEsDBAoAAAAAAAAAIQAAAAAAAAAAAAAAAAAIAAAAaW5kZXgucHlQSwECFAMKAAAAAAAAACEAAAAAAAAAAAAAAAAACAAAAAAAAAAAAAAAgAEAAAAAaW5kZXgucHlQ' +
  'SwUGAAAAAAEAAQA2AAAAJgAAAAAA';

/**
 * Sends a request from the page, signed in its URL with a well-known key. Browsers send these content types to other
 * origins without a preflight request. Returns the statuses of the responses, which the page itself cannot read.
 */
async function attack(page: Page, accessKeyId: string, service: string, path: string, type: string, body: string) {
  const aws = new AwsClient({ accessKeyId, secretAccessKey: 'test', region: stack.region, service });
  const { url } = await aws.sign(`${stack.endpoint}${path}`, { method: 'POST', body, aws: { signQuery: true } });
  return statuses(page, stack.endpoint, () =>
    page.evaluate(
      async ([target, contentType, content]) => {
        await fetch(target, { method: 'POST', mode: 'no-cors', headers: { 'content-type': contentType }, body: content });
      },
      [url, type, body] as const,
    ),
  );
}

for (const host of HOSTS) {
  test.describe(`a page on ${host}`, () => {
    test.beforeEach(({ page }) => page.goto(`http://${host}:${port}/`).then(() => {}));

    for (const key of ['test', '000000000000']) {
      // Without the guard, both requests succeed, and the function runs with the developer's permissions.
      test(`cannot create a role and a function with the key ${key}`, async ({ page }) => {
        const name = `attacker-${randomUUID()}`;
        const policy = {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
        };
        const role = new URLSearchParams({
          Action: 'CreateRole',
          Version: '2010-05-08',
          RoleName: name,
          AssumeRolePolicyDocument: JSON.stringify(policy),
        });
        const lambda = JSON.stringify({
          FunctionName: name,
          Runtime: 'python3.13',
          Role: `arn:aws:iam::000000000000:role/${name}`,
          Handler: 'index.handler',
          Code: { ZipFile: CODE },
        });
        const form = 'application/x-www-form-urlencoded';
        expect(await attack(page, key, 'iam', '/', form, role.toString())).toEqual([403]);
        expect(await attack(page, key, 'iam', `/?${role}`, 'text/plain', '')).toEqual([403]);
        expect(await attack(page, key, 'lambda', '/2015-03-31/functions', 'text/plain', lambda)).toEqual([403]);
        expect(await iam('GetRole', { RoleName: name })).toContain('NoSuchEntity');
        const { accessKeyId, secretAccessKey, region } = stack;
        const own = new AwsClient({ accessKeyId, secretAccessKey, region, service: 'lambda' });
        expect((await own.fetch(`${stack.endpoint}/2015-03-31/functions/${name}`)).status).toBe(404);
      });
    }

    test('cannot reset the stack with a form', async ({ page }) => {
      const answered = await statuses(page, stack.endpoint, () =>
        page.evaluate((action) => {
          const form = document.createElement('form');
          form.method = 'post';
          form.action = action;
          document.body.append(form);
          form.submit();
        }, `${stack.endpoint}/_ministack/reset`),
      );
      expect(answered).toEqual([403]);
      const pool = await call('cognito-idp', 'AWSCognitoIdentityProviderService.DescribeUserPool', {
        UserPoolId: stack.userPoolId,
      });
      expect(pool.UserPool.Id).toBe(stack.userPoolId);
    });

    test('cannot use the API, the Rekognition stand-in or the sign-in form', async ({ page }) => {
      for (const url of [
        `${stack.webUrl}/api/images`,
        `${stack.rekognitionUrl}/`,
        `${stack.endpoint}/login`,
        `${stack.endpoint}/oauth2/token`,
      ]) {
        const answered = await statuses(page, new URL(url).origin, () =>
          page.evaluate((target) => fetch(target, { method: 'POST', mode: 'no-cors', body: '{}' }).then(() => {}), url),
        );
        expect(answered, url).toEqual([403]);
      }
    });

    test('cannot embed the sign-in page in a frame', async ({ page }) => {
      const answered = await statuses(page, stack.endpoint, () =>
        page.evaluate((source) => {
          const frame = document.createElement('iframe');
          frame.src = source;
          document.body.append(frame);
        }, `${stack.endpoint}/oauth2/authorize?client_id=${stack.userPoolClientId}`),
      );
      expect(answered).toEqual([403]);
    });
  });
}
