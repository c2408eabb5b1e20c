// The one place that talks to the HTTP API.
import createClient from 'openapi-fetch';
import type { Filter } from '../address';
import { text } from '../text';
import { ApiError, readProblem } from './problem';
import type { paths } from './schema';
import { type Credentials, patientFetch } from './transport';
import type { CountedLabel, Execution, FilterPolicy, Image, Summary, Upload, UploadRequest } from './types';

/** How many pictures a page of the history has. */
const PAGE = 100;
/** How many pictures can be asked for at once by their ids: the API's limit. */
export const MOST_IDS = 100;

/** A page of the history. */
export interface Page {
  readonly images: readonly Summary[];
  /** Absent at the end. */
  readonly nextCursor: string | undefined;
}

/**
 * A client for the API below `base`. Every method throws `ApiError`, `NetworkError` or `SignedOutError`, or the signal's
 * reason when it is aborted.
 */
export class ApiClient {
  private readonly client;

  constructor(base: string, credentials: Credentials) {
    this.client = createClient<paths>({ baseUrl: base, fetch: patientFetch(credentials) });
  }

  /** Asks for leave to upload one file. */
  createUpload(body: UploadRequest, signal: AbortSignal): Promise<Upload> {
    return answer(this.client.POST('/uploads', { body, signal }));
  }

  /** One page of the history, newest first. A filtered page may be short, or empty, and still have a cursor. */
  async listImages(filter: Filter, cursor: string | undefined, signal: AbortSignal): Promise<Page> {
    const { labels, minConfidence, status, from, to } = filter;
    const query = {
      limit: PAGE,
      ...(cursor ? { cursor } : {}),
      ...(labels.length > 0 ? { label: [...labels] } : {}),
      ...(minConfidence === undefined ? {} : { minConfidence }),
      ...(status ? { status } : {}),
      ...(from ? { from: startOf(from, 0) } : {}),
      ...(to ? { to: startOf(to, 1) } : {}),
    };
    const { images, nextCursor } = await answer(this.client.GET('/images', { params: { query }, signal }));
    return { images, nextCursor: nextCursor ?? undefined };
  }

  /** Several pictures at once, at most `MOST_IDS`; those that do not exist are left out. */
  async getImages(id: string[], signal: AbortSignal): Promise<readonly Summary[]> {
    const { images } = await answer(this.client.GET('/images', { params: { query: { id } }, signal }));
    return images;
  }

  /** One picture with everything that is known of it. */
  getImage(imageId: string, signal: AbortSignal): Promise<Image> {
    return answer(this.client.GET('/images/{imageId}', { params: { path: { imageId } }, signal }));
  }

  /** Deletes a picture; one that is gone already is deleted. `keepalive` lets the request outlive the page. */
  async deleteImage(imageId: string, keepalive = false): Promise<void> {
    const deleted = answer(this.client.DELETE('/images/{imageId}', { params: { path: { imageId } }, keepalive }));
    await deleted.catch((error) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }

  /** Starts labeling a picture again with the present settings. */
  async relabel(imageId: string): Promise<void> {
    await answer(this.client.POST('/images/{imageId}/relabel', { params: { path: { imageId } } }));
  }

  /** What the workflow did with a picture, step by step. */
  getExecution(imageId: string, signal: AbortSignal): Promise<Execution> {
    return answer(this.client.GET('/images/{imageId}/execution', { params: { path: { imageId } }, signal }));
  }

  /** The labels that begin with a prefix, most frequent first. */
  async listLabels(prefix: string, signal: AbortSignal): Promise<readonly CountedLabel[]> {
    const query = prefix ? { prefix } : {};
    const { labels } = await answer(this.client.GET('/labels', { params: { query }, signal }));
    return labels;
  }

  getSettings(signal: AbortSignal): Promise<FilterPolicy> {
    return answer(this.client.GET('/settings', { signal }));
  }

  putSettings(body: FilterPolicy): Promise<FilterPolicy> {
    return answer(this.client.PUT('/settings', { body }));
  }

  /** Goes back to the settings that hold for everybody without their own. */
  async deleteSettings(): Promise<void> {
    await answer(this.client.DELETE('/settings'));
  }

  /** Deletes a part of everything; to be called again until `done`. */
  deleteEverything(): Promise<{ done: boolean; deletedImages: number }> {
    return answer(this.client.DELETE('/account/data'));
  }
}

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

async function answer<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answered: Answer<T>;
  try {
    answered = await asked;
  } catch (error) {
    // What says that it is JSON and is not: a captive portal, a proxy's own page.
    if (error instanceof SyntaxError) throw new ApiError(200, text.notUnderstood);
    throw error;
  }
  const { data, error, response } = answered;
  if (!response.ok) throw readProblem(response.status, error);
  // 204 has nothing to say.
  if (data === undefined && response.status !== 204) throw new ApiError(200, text.notUnderstood);
  return data as T;
}

/** The instant at which a day begins by this machine's calendar, `later` days after it. */
function startOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
