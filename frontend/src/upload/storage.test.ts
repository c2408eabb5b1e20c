import { expect, test } from 'vitest';
import { outcome } from './storage';

const EXPIRED = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
const EXPIRED_TOKEN = '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
const MISMATCH = '<Error><Code>SignatureDoesNotMatch</Code></Error>';

test.each([
  ['stored', 200, ''],
  // The first PUT succeeded and only its response was lost. A retry with a new URL would store the picture twice.
  ['stored', 412, '<Error><Code>PreconditionFailed</Code></Error>'],
  ['expired', 403, EXPIRED],
  ['expired', 400, EXPIRED_TOKEN],
  ['expired', 403, EXPIRED_TOKEN],
  ['rejected', 403, MISMATCH],
  ['rejected', 403, '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'],
  ['rejected', 400, '<Error><Code>BadDigest</Code></Error>'],
  ['transient', 0, ''],
  // A connection that is too slow, not a file that has changed.
  ['transient', 400, '<Error><Code>RequestTimeout</Code></Error>'],
  ['transient', 503, '<Error><Code>SlowDown</Code></Error>'],
  ['transient', 409, '<Error><Code>ConditionalRequestConflict</Code></Error>'],
])('%s: a PUT with status %i', (expected, status, body) => {
  expect(outcome(status, body)).toBe(expected);
});
