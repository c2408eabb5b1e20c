import { expect, test } from 'vitest';
import description from '../../../api/openapi.json?raw';
import types from './schema.d.ts?raw';

test('schema.d.ts matches api/openapi.json: run `npm run types` if it does not', async () => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(description));
  const sum = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  expect(types.split('\n', 1)[0]).toContain(sum);
});
