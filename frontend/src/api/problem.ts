// The errors of requests to the API: an error response, no response, and nobody signed in.
import { text } from '../shared/text';

/** An error whose `message` is written for the person. The messages of all other errors are for developers. */
export class UserFacingError extends Error {}

/** The message to show for any error. Logs unexpected errors. */
export function messageFor(error: unknown, fallback: string = text.unexpected): string {
  if (error instanceof UserFacingError) return error.message;
  console.error(error);
  return fallback;
}

const PROBLEM = 'urn:image-label-generator:problem:';
const DAILY_LIMITS = ['too-many-images', 'too-many-images-in-total'].map((name) => PROBLEM + name);

/** The API or API Gateway returned an error. */
export class ApiError extends UserFacingError {
  override readonly name = 'ApiError';

  constructor(
    /** The HTTP status; 200 for a response that the page does not understand. */
    readonly status: number,
    message: string,
    /** The invalid field of the request, if the API names one. */
    readonly field?: string,
    /** The problem's type, a URN. Errors of API Gateway have none. */
    readonly type?: string,
    /** The picture that already has the file of an upload. */
    readonly existingImageId?: string,
  ) {
    super(message);
  }

  /** Whether the same request can succeed later. */
  get isTransient(): boolean {
    return this.status === 429 || this.status >= 500;
  }

  /** The problem's type without its prefix, such as `not-labeled`; `undefined` for errors of API Gateway. */
  get problem(): string | undefined {
    return this.type?.startsWith(PROBLEM) ? this.type.slice(PROBLEM.length) : undefined;
  }

  /** Whether the picture is already being labeled. */
  get isRunning(): boolean {
    return this.status === 409;
  }

  /** Whether the person, or all users together, may not have more pictures labeled today. */
  get isDailyLimit(): boolean {
    return this.type !== undefined && DAILY_LIMITS.includes(this.type);
  }
}

/** There was no response: no network, a dropped connection or a timeout. */
export class NetworkError extends UserFacingError {
  override readonly name = 'NetworkError';
}

/** Nobody is signed in, or the session has ended. */
export class SignedOutError extends UserFacingError {
  override readonly name = 'SignedOutError';

  constructor() {
    super(text.signIn.ended);
  }
}

/** Whether the same request can succeed later. */
export function isTransient(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && error.isTransient);
}

/**
 * Reads an error response: `application/problem+json` (RFC 9457) from the API, `{message}` from API Gateway, or any text
 * from a proxy.
 */
export function readProblem(status: number, body: unknown): ApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const { detail, title, field, type, imageId } = problem;
  const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  // API Gateway's `message` ("Too Many Requests") is not shown: the text for the status is more helpful.
  const sentence = textOf(detail) ?? textOf(title) ?? text.apiStatus(status);
  const existing = type === `${PROBLEM}already-uploaded` ? textOf(imageId) : undefined;
  return new ApiError(status, sentence, textOf(field), textOf(type), existing);
}
