// What can go wrong between the page and the API, as three kinds of error: an answer that says no, no answer,
// and nobody there to ask.
import { text } from '../text';

/** The API, or API Gateway before it, answered with an error. `message` is a sentence for the person at the page. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** The HTTP status; 200 for an answer that the page does not understand. */
    readonly status: number,
    message: string,
    /** The field of the request at fault, where the API names one. */
    readonly field?: string,
  ) {
    super(message);
  }

  /** Whether the same request may succeed a little later. */
  get passing(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** No answer: no network, a dropped connection, or too long a wait. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** Nobody is signed in, or not any more. */
export class SignedOutError extends Error {
  override readonly name = 'SignedOutError';

  constructor() {
    super(text.signIn.ended);
  }
}

/**
 * Reads an error answer: `application/problem+json` (RFC 9457) from the API, `{message}` from API Gateway itself, text
 * of any kind from what may stand between.
 */
export function readProblem(status: number, body: unknown): ApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const { detail, title, field } = problem;
  // API Gateway's own `message` ("Too Many Requests") is no sentence for people: the status says as much.
  const sentence = [detail, title].find((part) => typeof part === 'string' && part !== '') as string | undefined;
  return new ApiError(status, sentence ?? text.apiStatus(status), typeof field === 'string' ? field : undefined);
}
