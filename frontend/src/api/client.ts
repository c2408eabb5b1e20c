// The one place that talks to the HTTP API.
import { type Backoff, backoffDelay, retryAfter, sleep } from '../backoff';
import { text } from '../text';
import { ApiError, NetworkError, readProblem } from './problem';
import { type Image, readImage, readUploadTicket, type UploadRequest, type UploadTicket } from './types';

/** A request that has no answer after this many milliseconds is given up; API Gateway gives up after 30 s. */
const TIMEOUT = 30_000;
/** How often a request is sent at most when the API says "not now" (429, 503). */
const ATTEMPTS = 5;
const THROTTLED: Backoff = { first: 500, limit: 8_000 };

/** Gives the access token to send, or `undefined` where nobody needs to be signed in. */
export type AccessToken = () => Promise<string | undefined>;

/** A client for one API. Every method throws `ApiError` or `NetworkError`, or the signal's reason when it is aborted. */
export class ApiClient {
  constructor(
    private readonly base: string,
    private readonly accessToken: AccessToken = async () => undefined,
  ) {}

  /** Asks for leave to upload one file. */
  async createUpload(request: UploadRequest, signal: AbortSignal): Promise<UploadTicket> {
    return understood(readUploadTicket(await this.send('POST', '/uploads', signal, request)));
  }

  /** Reads one picture's record. */
  async getImage(imageId: string, signal: AbortSignal): Promise<Image> {
    return understood(readImage(await this.send('GET', `/images/${encodeURIComponent(imageId)}`, signal)));
  }

  private async send(method: string, path: string, signal: AbortSignal, body?: object): Promise<unknown> {
    for (let attempt = 0; ; attempt += 1) {
      const { status, headers, answer } = await this.exchange(method, path, signal, body);
      if (status >= 200 && status < 300) return parse(answer);
      const notNow = status === 429 || status === 503;
      if (!notNow || attempt + 1 >= ATTEMPTS) throw readProblem(status, answer);
      await sleep(retryAfter(headers.get('retry-after')) ?? backoffDelay(attempt, THROTTLED), signal);
    }
  }

  private async exchange(method: string, path: string, signal: AbortSignal, body?: object): Promise<Exchange> {
    const headers = new Headers({ accept: 'application/json, application/problem+json' });
    const token = await this.accessToken();
    if (token) headers.set('authorization', `Bearer ${token}`);
    if (body) headers.set('content-type', 'application/json');
    try {
      const response = await fetch(`${this.base}${path}`, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        cache: 'no-store',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      });
      return { status: response.status, headers: response.headers, answer: await response.text() };
    } catch (error) {
      signal.throwIfAborted();
      throw new NetworkError(text.unreachable, { cause: error });
    }
  }
}

interface Exchange {
  readonly status: number;
  readonly headers: Headers;
  readonly answer: string;
}

function parse(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}

function understood<T>(value: T | undefined): T {
  if (value === undefined) throw new ApiError(200, text.notUnderstood);
  return value;
}
