// Sends a request to the API: with an access token, with a timeout, and with retries when the API is throttled.
import { type Backoff, backoffDelay, MAX_RETRY_AFTER, retryAfter, sleep } from '../shared/backoff';
import { text } from '../shared/text';
import { NetworkError, SignedOutError } from './problem';

/** In milliseconds. API Gateway times out after 30 s. */
const TIMEOUT = 30_000;
/** How often a request is sent if the API responds with 429 or 503. */
const MAX_ATTEMPTS = 5;
const THROTTLED: Backoff = { first: 500, limit: 8_000 };

/** Provides access tokens. `accessToken` and `renew` throw `SignedOutError` or `NetworkError`. */
export interface Credentials {
  accessToken(): Promise<string>;
  /** A new token, because the API rejected this one. */
  renew(rejected: string): Promise<string>;
  /** Called when the API rejects the new token, too. */
  end(): void;
}

/**
 * A `fetch` for the API. After a 401 response, it renews the token once and sends the request again. Throws
 * `NetworkError`, `SignedOutError`, or the reason of the request's signal.
 */
export function retryingFetch(credentials: Credentials): (request: Request) => Promise<Response> {
  return async (request) => {
    let token = await credentials.accessToken();
    let renewed = false;
    for (let attempt = 0; ; attempt += 1) {
      const response = await send(request, token);
      if (response.status === 401) {
        if (renewed) {
          credentials.end();
          throw new SignedOutError();
        }
        renewed = true;
        token = await credentials.renew(token);
        continue;
      }
      const throttled = response.status === 429 || response.status === 503;
      if (!throttled || attempt + 1 >= MAX_ATTEMPTS) return response;
      const delay = retryAfter(response.headers.get('retry-after')) ?? backoffDelay(attempt, THROTTLED);
      // A daily quota is used up: show now when it resets.
      if (delay > MAX_RETRY_AFTER) return response;
      await sleep(delay, request.signal);
    }
  };
}

async function send(request: Request, token: string): Promise<Response> {
  const { signal } = request;
  // Clone the request for each attempt: a body can be sent only once.
  const attempt = new Request(request.clone(), { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]) });
  attempt.headers.set('authorization', `Bearer ${token}`);
  try {
    const response = await fetch(attempt, { cache: 'no-store' });
    // Read the body here, so that the timeout includes it.
    const body = await response.arrayBuffer();
    const hasNoBody = [204, 205, 304].includes(response.status);
    return new Response(hasNoBody ? null : body, { status: response.status, headers: response.headers });
  } catch (error) {
    signal.throwIfAborted();
    throw new NetworkError(text.unreachable, { cause: error });
  }
}
