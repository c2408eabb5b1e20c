import { expect, test } from 'vitest';
import { outcome } from './storage';

const EXPIRED = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
const MISMATCH = '<Error><Code>SignatureDoesNotMatch</Code></Error>';

test.each([
  ['stored', 200, ''],
  // The first PUT arrived and only its answer was lost: calling this a failure would store the picture twice.
  ['stored', 412, '<Error><Code>PreconditionFailed</Code></Error>'],
  ['expired', 403, EXPIRED],
  ['refused', 403, MISMATCH],
  ['refused', 400, '<Error><Code>BadDigest</Code></Error>'],
  ['passing', 0, ''],
  ['passing', 503, '<Error><Code>SlowDown</Code></Error>'],
  ['passing', 409, '<Error><Code>ConditionalRequestConflict</Code></Error>'],
])('%s is what a PUT answered with %i is', (expected, status, body) => {
  expect(outcome(status, body)).toBe(expected);
});
