import { expect, test } from 'vitest';
import { readConfig } from './config';

const SIGN_IN = {
  issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a',
  authorizationEndpoint: 'http://127.0.0.1:4566/oauth2/authorize',
  tokenEndpoint: 'http://127.0.0.1:4566/oauth2/token',
  revocationEndpoint: 'http://127.0.0.1:4566/oauth2/revoke',
  logoutEndpoint: 'http://127.0.0.1:4566/logout',
  clientId: 'abc',
  scopes: ['openid', 'email'],
};

test('reads a valid configuration', () => {
  expect(readConfig({ signIn: SIGN_IN })).toEqual(SIGN_IN);
});

test.each(Object.keys(SIGN_IN))('names a missing or invalid %s', (field) => {
  for (const wrong of [undefined, '', 'javascript:alert(1)', 7, [], null].filter(
    (value) => field !== 'clientId' || !value,
  )) {
    expect(() => readConfig({ signIn: { ...SIGN_IN, [field]: wrong } })).toThrow(`“${field}”`);
  }
});

test.each([undefined, null, 'text', {}, []])('rejects %j', (value) => {
  expect(() => readConfig(value)).toThrow('“issuer”');
});
