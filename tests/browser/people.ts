// Accounts. Each test has its own, so that tests do not see each other's pictures.
import { randomUUID } from 'node:crypto';
import type { Page } from '@playwright/test';
import { AwsClient } from 'aws4fetch';
import { stack } from './stack.ts';

export interface Person {
  readonly email: string;
  readonly password: string;
  /** The owner of the person's pictures. */
  readonly sub: string;
  /** What the page stores after signing in. */
  readonly tokens: {
    readonly accessToken: string;
    readonly refreshToken: string;
    readonly expiresAt: number;
    readonly email: string;
  };
}

const { accessKeyId, secretAccessKey, region } = stack;

/** Creates an account and signs it in with the administrator's API. */
export async function createPerson(): Promise<Person> {
  const email = `${randomUUID()}@example.com`;
  const password = randomUUID();
  const pool = { UserPoolId: stack.userPoolId };
  const { User } = await call('cognito-idp', 'AWSCognitoIdentityProviderService.AdminCreateUser', {
    ...pool,
    Username: email,
    MessageAction: 'SUPPRESS',
    UserAttributes: [
      { Name: 'email', Value: email },
      { Name: 'email_verified', Value: 'true' },
    ],
  });
  await call('cognito-idp', 'AWSCognitoIdentityProviderService.AdminSetUserPassword', {
    ...pool,
    Username: email,
    Password: password,
    Permanent: true,
  });
  const { AuthenticationResult: result } = await call(
    'cognito-idp',
    'AWSCognitoIdentityProviderService.AdminInitiateAuth',
    {
      ...pool,
      ClientId: stack.userPoolClientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: email, PASSWORD: password },
    },
  );
  const sub = User.Attributes.find(({ Name }: { Name: string }) => Name === 'sub').Value;
  const expiresAt = Date.now() + result.ExpiresIn * 1000;
  return {
    email,
    password,
    sub,
    tokens: { accessToken: result.AccessToken, refreshToken: result.RefreshToken, expiresAt, email },
  };
}

/** How many pictures the API lists for a person, at most those of one page; `undefined` if it does not answer. */
export async function pictureCount({ tokens }: Person): Promise<number | undefined> {
  const answer = await fetch(`${stack.webUrl}/api/images`, { headers: { authorization: `Bearer ${tokens.accessToken}` } });
  if (!answer.ok) return undefined;
  const { images } = (await answer.json()) as { images: unknown[] };
  return images.length;
}

/** Signs in on the user pool's sign-in page. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/oauth2/authorize?*');
  await page.locator('input[name=username]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Calls an AWS service of the stack with the JSON protocol. */
export async function call(service: string, target: string, body: object): Promise<any> {
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service });
  const response = await aws.fetch(service === 'dynamodb' ? stack.dynamodbUrl : stack.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${target}: ${response.status} ${answer}`);
  return JSON.parse(answer || '{}');
}
