// The client of the HTTP API. All requests to the API go through it.
import createClient from 'openapi-fetch';
import { dayAfter } from '../shared/local-time';
import { text } from '../shared/text';
import { type Filter, writeParameters } from './filter';
import type { Listing } from './listing';
import { ApiError, readProblem } from './problem';
import type { paths } from './schema';
import { type Credentials, retryingFetch } from './transport';
import type {
  AppliedSettings,
  CorrectedImage,
  CorrectionChange,
  CorrectionResult,
  CountedLabel,
  DuplicateGroup,
  Execution,
  ExportFormat,
  Image,
  Job,
  JobPreview,
  LabelSettings,
  Part,
  PresignedPut,
  Summary,
  Upload,
  UploadProgress,
  UploadRequest,
  VideoTimeline,
} from './types';

/** How many pictures one page of the history has. */
export const PAGE_SIZE = 100;
/** The API's limit for ids in one request. */
export const MAX_IDS = 100;
/** The most labels that one response lists. */
export const MAX_LISTED_LABELS = 1000;

/** A page of the history. */
export interface Page {
  readonly images: readonly Summary[];
  /** `undefined` on the last page. */
  readonly nextCursor: string | undefined;
}

/** A page of the timeline. */
export interface MonthsPage {
  readonly months: readonly string[];
  /** `undefined` on the last page. */
  readonly nextCursor: string | undefined;
}

/** A page of duplicates. It can be empty and still have a cursor. */
export interface DuplicatesPage {
  readonly groups: readonly DuplicateGroup[];
  /** `undefined` on the last page. */
  readonly nextCursor: string | undefined;
}

/**
 * A client for the API below `base`. All methods throw `ApiError`, `NetworkError` or `SignedOutError`, or the signal's
 * reason when it is aborted.
 */
export class ApiClient {
  private readonly client;

  constructor(base: string, credentials: Credentials) {
    this.client = createClient<paths>({ baseUrl: base, fetch: retryingFetch(credentials) });
  }

  /**
   * Creates a presigned upload for one file. An `ApiError` with `existingImageId` means that a picture already has the
   * file, unless `allowDuplicate` is set.
   */
  createUpload(body: UploadRequest, signal: AbortSignal): Promise<Upload> {
    return dataOf(this.client.POST('/uploads', { body, signal }));
  }

  /** Presigns the upload of a part. */
  async createPartUpload(imageId: string, part: Part, signal: AbortSignal): Promise<PresignedPut> {
    const params = { path: { imageId } };
    const { parts } = await dataOf(
      this.client.POST('/uploads/{imageId}/parts', { params, body: { parts: [part] }, signal }),
    );
    if (!parts[0]) throw new ApiError(200, text.notUnderstood);
    return parts[0];
  }

  /** The parts that have arrived. */
  listParts(imageId: string, signal: AbortSignal): Promise<UploadProgress> {
    return dataOf(this.client.GET('/uploads/{imageId}/parts', { params: { path: { imageId } }, signal }));
  }

  /** Completes an upload, all of whose parts have arrived. Can be repeated. */
  async completeUpload(imageId: string, parts: Part[], signal: AbortSignal): Promise<void> {
    const params = { path: { imageId } };
    await dataOf(this.client.POST('/uploads/{imageId}/complete', { params, body: { parts }, signal }));
  }

  /** One page of the history. A filtered page can be short or empty and still have a cursor. */
  async listImages({ filter, order, boxes }: Listing, cursor: string | undefined, signal: AbortSignal): Promise<Page> {
    const query = {
      ...parametersOf(filter),
      ...(order === 'time' ? {} : { order }),
      ...(boxes && filter.labels.length > 0 ? { boxes } : {}),
      ...(cursor ? { cursor } : {}),
      limit: PAGE_SIZE,
    };
    const { images, nextCursor } = await dataOf(this.client.GET('/images', { params: { query }, signal }));
    return { images, nextCursor: nextCursor ?? undefined };
  }

  /** One page of the months that have pictures, newest first: `2015-07`. */
  async listMonths(cursor: string | undefined, signal: AbortSignal): Promise<MonthsPage> {
    const query = cursor ? { cursor } : {};
    const { months, nextCursor } = await dataOf(this.client.GET('/timeline', { params: { query }, signal }));
    return { months, nextCursor: nextCursor ?? undefined };
  }

  /** One page of pictures with identical files. */
  async listDuplicates(cursor: string | undefined, signal: AbortSignal): Promise<DuplicatesPage> {
    const query = cursor ? { cursor } : {};
    const { groups, nextCursor } = await dataOf(this.client.GET('/duplicates', { params: { query }, signal }));
    return { groups, nextCursor: nextCursor ?? undefined };
  }

  /** The newest picture with a label, as far as one request finds it. The name must not contain `|` or `>`. */
  async newestWith(label: string, signal: AbortSignal): Promise<Summary | undefined> {
    const query = { label: [label], limit: 1 };
    const { images } = await dataOf(this.client.GET('/images', { params: { query }, signal }));
    return images[0];
  }

  /** Several pictures, at most `MAX_IDS`. Pictures that do not exist are left out. */
  async getImages(id: string[], signal: AbortSignal): Promise<readonly Summary[]> {
    const { images } = await dataOf(this.client.GET('/images', { params: { query: { id } }, signal }));
    return images;
  }

  /** One picture with all its details. */
  getImage(imageId: string, signal: AbortSignal): Promise<Image> {
    return dataOf(this.client.GET('/images/{imageId}', { params: { path: { imageId } }, signal }));
  }

  /** A part of a video's timeline, from a time in milliseconds. */
  async getVideoTimeline(imageId: string, from: number | undefined, signal: AbortSignal): Promise<VideoTimeline> {
    const params = { path: { imageId }, query: from === undefined ? {} : { from } };
    return dataOf(this.client.GET('/images/{imageId}/timeline', { params, signal }));
  }

  /** Deletes a picture; succeeds if it does not exist. With `keepalive`, the request continues when the page is closed. */
  async deleteImage(imageId: string, keepalive = false): Promise<void> {
    const deleted = dataOf(this.client.DELETE('/images/{imageId}', { params: { path: { imageId } }, keepalive }));
    await deleted.catch((error) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }

  /** Starts labeling a picture again with the current settings. */
  async relabel(imageId: string): Promise<void> {
    await dataOf(this.client.POST('/images/{imageId}/relabel', { params: { path: { imageId } } }));
  }

  /** Corrects the labels of a picture. The same request can be repeated. */
  correctLabels(imageId: string, change: CorrectionChange): Promise<CorrectedImage> {
    const params = { path: { imageId } };
    return dataOf(this.client.PATCH('/images/{imageId}/labels', { params, body: bodyOf(change) }));
  }

  /** Corrects the labels of several pictures in the same way, at most `MAX_IDS`. The same request can be repeated. */
  async correctLabelsOfImages(
    ids: readonly string[],
    change: CorrectionChange,
    signal: AbortSignal,
  ): Promise<readonly CorrectionResult[]> {
    const body = { ids: [...ids], ...bodyOf(change) };
    const { results } = await dataOf(this.client.POST('/images/labels', { body, signal }));
    return results;
  }

  /** The steps of the workflow for a picture. */
  getExecution(imageId: string, signal: AbortSignal): Promise<Execution> {
    return dataOf(this.client.GET('/images/{imageId}/execution', { params: { path: { imageId } }, signal }));
  }

  /** The owner's labels that begin with a prefix, most frequent first, at most `MAX_LISTED_LABELS`. */
  async listLabels(prefix: string, signal: AbortSignal): Promise<readonly CountedLabel[]> {
    const query = prefix ? { prefix } : {};
    const { labels } = await dataOf(this.client.GET('/labels', { params: { query }, signal }));
    return labels;
  }

  getSettings(signal: AbortSignal): Promise<LabelSettings> {
    return dataOf(this.client.GET('/settings', { signal }));
  }

  /** Stores settings, and starts a job that applies them to all pictures. */
  putSettings(body: LabelSettings): Promise<AppliedSettings> {
    return dataOf(this.client.PUT('/settings', { body }));
  }

  /** Restores the default settings, and starts a job that applies them to all pictures. */
  deleteSettings(): Promise<AppliedSettings> {
    return dataOf(this.client.DELETE('/settings'));
  }

  /** Starts an export of the labels of the pictures that match a filter, or of these pictures, at most `MAX_IDS`. */
  startExport(format: ExportFormat, pictures: Filter | readonly string[]): Promise<Job> {
    return dataOf(this.client.POST('/jobs', { body: { kind: 'EXPORT', format, ...selectionOf(pictures) } }));
  }

  /**
   * Counts pictures that a job would label again, at most `MAX_IDS` or a part of those that match a filter: repeat it with
   * the cursor. `olderModel`: only pictures with labels of an older model.
   */
  previewRelabel(
    pictures: Filter | readonly string[],
    olderModel: boolean,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<JobPreview> {
    const query = cursor === undefined ? {} : { cursor };
    const body = { kind: 'RELABEL' as const, olderModel, ...selectionOf(pictures) };
    return dataOf(this.client.POST('/jobs/preview', { params: { query }, body, signal }));
  }

  /** Starts a job that labels the pictures that match a filter again. */
  startRelabel(filter: Filter, olderModel: boolean): Promise<Job> {
    return dataOf(this.client.POST('/jobs', { body: { kind: 'RELABEL', olderModel, search: searchOf(filter) } }));
  }

  /** Starts a job that corrects the labels of the pictures that match a filter. */
  startCorrection(filter: Filter, { add = [], remove = [] }: CorrectionChange): Promise<Job> {
    const body = { kind: 'CORRECT' as const, search: searchOf(filter), add: [...add], remove: [...remove] };
    return dataOf(this.client.POST('/jobs', { body }));
  }

  /** Counts pictures whose labels a job would change, in a part of the library: repeat it with the cursor. */
  previewCorrection(
    filter: Filter,
    { add = [], remove = [] }: CorrectionChange,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<JobPreview> {
    const query = cursor === undefined ? {} : { cursor };
    const body = { kind: 'CORRECT' as const, search: searchOf(filter), add: [...add], remove: [...remove] };
    return dataOf(this.client.POST('/jobs/preview', { params: { query }, body, signal }));
  }

  /** Counts pictures that match a filter and that a job would delete, in a part of the library: repeat it with the cursor. */
  previewDeletion(filter: Filter, cursor: string | undefined, signal: AbortSignal): Promise<JobPreview> {
    const query = cursor === undefined ? {} : { cursor };
    const body = { kind: 'DELETE' as const, search: searchOf(filter) };
    return dataOf(this.client.POST('/jobs/preview', { params: { query }, body, signal }));
  }

  /**
   * Starts a job that deletes the pictures that match a filter and were added before a time. With `keepalive`, the request
   * continues when the page is closed.
   */
  startDeletion(filter: Filter, createdBefore: string, keepalive = false): Promise<Job> {
    const body = { kind: 'DELETE' as const, search: searchOf(filter), createdBefore };
    return dataOf(this.client.POST('/jobs', { body, keepalive }));
  }

  /** Starts a job that undoes one that has corrected labels. */
  undoCorrection(jobId: string): Promise<Job> {
    return dataOf(this.client.POST('/jobs', { body: { kind: 'UNDO', jobId } }));
  }

  /** Running jobs first, then the newest others. */
  async listJobs(signal: AbortSignal): Promise<readonly Job[]> {
    const { jobs } = await dataOf(this.client.GET('/jobs', { signal }));
    return jobs;
  }

  getJob(jobId: string, signal: AbortSignal): Promise<Job> {
    return dataOf(this.client.GET('/jobs/{jobId}', { params: { path: { jobId } }, signal }));
  }

  /** Continues a job that is resumable, after it has failed or was canceled. */
  resumeJob(jobId: string): Promise<Job> {
    return dataOf(this.client.POST('/jobs/{jobId}/resume', { params: { path: { jobId } } }));
  }

  /** Cancels a job. Pictures that were processed keep the result. */
  cancelJob(jobId: string): Promise<Job> {
    return dataOf(this.client.DELETE('/jobs/{jobId}', { params: { path: { jobId } } }));
  }

  /** Deletes some of the owner's data. Call it until `done` is true. */
  deleteEverything(): Promise<{ done: boolean; deletedImages: number }> {
    return dataOf(this.client.DELETE('/account/data'));
  }
}

interface ApiResponse<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The data of a successful response. */
async function dataOf<T>(request: Promise<ApiResponse<T>>): Promise<T> {
  let result: ApiResponse<T>;
  try {
    result = await request;
  } catch (error) {
    // The response claims to be JSON but is not: it comes from a captive portal or a proxy.
    if (error instanceof SyntaxError) throw new ApiError(200, text.notUnderstood);
    throw error;
  }
  const { data, error, response } = result;
  if (!response.ok) throw readProblem(response.status, error);
  // A 204 response has no body.
  if (data === undefined && response.status !== 204) throw new ApiError(200, text.notUnderstood);
  return data as T;
}

/** The body of a correction. The generated types are mutable arrays. */
function bodyOf({ add, remove, reset }: CorrectionChange) {
  return {
    ...(add?.length ? { add: [...add] } : {}),
    ...(remove?.length ? { remove: [...remove] } : {}),
    ...(reset?.length ? { reset: [...reset] } : {}),
  };
}

/** The parameters of a filter. The API's `to` is the first moment that is not included. */
function parametersOf(filter: Filter) {
  const { to, ...others } = writeParameters(filter);
  const end = to && dayAfter(to);
  return { ...others, ...(end ? { to: end } : {}) };
}

/** The fields of a job's request that say which pictures it is about. */
function selectionOf(pictures: Filter | readonly string[]) {
  return 'labels' in pictures ? { search: searchOf(pictures) } : { ids: [...pictures] };
}

/** A filter as the text of a query. */
function searchOf(filter: Filter): string {
  const parameters = Object.entries(parametersOf(filter));
  const pairs = parameters.flatMap(([name, values]) => [values].flat().map((value) => [name, String(value)]));
  return new URLSearchParams(pairs).toString();
}
