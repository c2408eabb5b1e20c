// The one place that talks to the HTTP API.
import { text } from '../text';
import { ApiError, readProblem } from './problem';
import { type Credentials, patientFetch } from './transport';
import { type Image, readImage, readUploadTicket, type UploadRequest, type UploadTicket } from './types';

/**
 * A client for the API below `base`. Every method throws `ApiError`, `NetworkError` or `SignedOutError`, or the signal's
 * reason when it is aborted.
 */
export class ApiClient {
  private readonly fetch: (request: Request) => Promise<Response>;

  constructor(
    private readonly base: string,
    credentials: Credentials,
  ) {
    this.fetch = patientFetch(credentials);
  }

  /** Asks for leave to upload one file. */
  async createUpload(request: UploadRequest, signal: AbortSignal): Promise<UploadTicket> {
    return understood(readUploadTicket(await this.send('POST', '/uploads', signal, request)));
  }

  /** Reads one picture's record. */
  async getImage(imageId: string, signal: AbortSignal): Promise<Image> {
    return understood(readImage(await this.send('GET', `/images/${encodeURIComponent(imageId)}`, signal)));
  }

  private async send(method: string, path: string, signal: AbortSignal, body?: object): Promise<unknown> {
    const headers = new Headers({ accept: 'application/json, application/problem+json' });
    if (body) headers.set('content-type', 'application/json');
    const content = body ? { body: JSON.stringify(body) } : {};
    const response = await this.fetch(new Request(`${this.base}${path}`, { method, headers, signal, ...content }));
    const answer = await response.text();
    if (!response.ok) throw readProblem(response.status, answer);
    return parse(answer);
  }
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
