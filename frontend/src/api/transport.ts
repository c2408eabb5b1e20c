// One request to the API, sent with patience: signed in, within a time limit, again when the API says "not now".
import { type Backoff, backoffDelay, retryAfter, sleep } from '../backoff';
import { text } from '../text';
import { NetworkError, SignedOutError } from './problem';

/** A request that has no answer after this many milliseconds is given up; API Gateway gives up after 30 s. */
const TIMEOUT = 30_000;
/** How often a request is sent at most when the API says "not now" (429, 503). */
const ATTEMPTS = 5;
const THROTTLED: Backoff = { first: 500, limit: 8_000 };

/** Gives access tokens. `Session` does; both methods throw `SignedOutError` or `NetworkError`. */
export interface Credentials {
  accessToken(): Promise<string>;
  /** A token in place of one that the API refused. */
  renew(refused: string): Promise<string>;
  /** Told when even a new token is refused. */
  end(): void;
}

/**
 * A `fetch` for the API. A 401 renews the token once and sends the request again. Throws `NetworkError`,
 * `SignedOutError`, or the request's own signal's reason.
 */
export function patientFetch(credentials: Credentials): (request: Request) => Promise<Response> {
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
      const notNow = response.status === 429 || response.status === 503;
      if (!notNow || attempt + 1 >= ATTEMPTS) return response;
      await sleep(retryAfter(response.headers.get('retry-after')) ?? backoffDelay(attempt, THROTTLED), request.signal);
    }
  };
}

async function send(request: Request, token: string): Promise<Response> {
  const { signal } = request;
  // A clone each time: a body can be sent once.
  const attempt = new Request(request.clone(), { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]) });
  attempt.headers.set('authorization', `Bearer ${token}`);
  try {
    const response = await fetch(attempt, { cache: 'no-store' });
    // Read here, within the time limit: an answer that breaks off is no answer.
    const body = await response.arrayBuffer();
    const empty = [204, 205, 304].includes(response.status);
    return new Response(empty ? null : body, { status: response.status, headers: response.headers });
  } catch (error) {
    signal.throwIfAborted();
    throw new NetworkError(text.unreachable, { cause: error });
  }
}
