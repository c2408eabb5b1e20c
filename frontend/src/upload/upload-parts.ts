// Uploads a large file in parts. Continues after lost connections, while the page is open, and after a reload, if the person
// chooses the same file again. Reads a few parts at a time, never the whole file.
import type { ApiClient } from '../api/client';
import { ApiError, isTransient } from '../api/problem';
import type { Part, UploadRequest } from '../api/types';
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { whenOnline } from '../shared/page-state';
import { text } from '../shared/text';
import { sha256 } from './checksum';
import { handleOf } from './file-handles';
import type { SavedUploads } from './saved-uploads';
import { putObject } from './storage';
import { UploadError } from './upload-error';

/** How many parts of a file are uploaded at the same time. */
const CONCURRENT_PARTS = 3;
/** The connection can be lost for hours. */
const RETRY: Backoff = { first: 1_000, limit: 15_000 };
/** How often S3 may refuse a part, for example because it was damaged on its way. */
const MAX_REFUSALS = 3;
/** How often the parts are completed: some may be missing at the first time. */
const MAX_COMPLETIONS = 3;
/** How often an upload is started: one can have expired. */
const MAX_STARTS = 2;

/** What an upload waits for: there was no answer at all, or the service or S3 is busy. */
export type Waiting = 'connection' | 'service';

/** What `uploadParts` needs besides the file. */
export interface PartsOptions {
  readonly saved: SavedUploads;
  readonly signal: AbortSignal;
  /** Called with the id of the image, and again with another id if the first upload has expired. */
  readonly onImageId: (imageId: string) => void;
  /** Called with the minutes of video that can still be labeled today; `undefined` for pictures. */
  readonly onMinutesLeft: (minutes: number | undefined) => void;
  /** Called with the fraction sent, 0 to 1. */
  readonly onProgress: (sent: number) => void;
  /** Called when the upload waits, and with `undefined` when it continues. */
  readonly onWaiting: (waiting: Waiting | undefined) => void;
}

/** An upload that was started now or before. */
interface Started {
  readonly imageId: string;
  readonly partSize: number;
  readonly partCount: number;
  /** The checksums of the parts that have arrived, by their numbers. */
  readonly arrived: ReadonlyMap<number, string>;
}

/** Uploads a file in parts. Throws `UploadError`, `ApiError`, `SignedOutError` or the signal's reason. */
export async function uploadParts(
  api: ApiClient,
  request: UploadRequest,
  file: File,
  options: PartsOptions,
): Promise<void> {
  const { saved, signal, onImageId } = options;
  const persist = persistently(options);
  for (let starts = 1; ; starts += 1) {
    const known = await saved.find(file);
    const { imageId } = known ?? (await start(api, request, file, options));
    signal.throwIfAborted();
    onImageId(imageId);
    // Whether the upload may have ended before this page has continued it.
    let isOld = known !== undefined;
    try {
      await saved.exclusively(imageId, signal, async () => {
        const progress = await persist(() => api.listParts(imageId, signal));
        isOld = false;
        if (!progress.complete) await send(api, file, { imageId, ...startedOf(progress) }, options);
      });
      await saved.forget(imageId);
      return;
    } catch (error) {
      if (!isGone(error)) throw error;
      await saved.forget(imageId);
      // Otherwise the person has deleted the video while it was uploaded, and does not want it again.
      if (!isOld && !isExpired(error)) throw new UploadError(text.deleted);
      if (starts === MAX_STARTS) throw error;
    }
  }
}

/** Whether an error means that an upload does not exist anymore. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && [404, 410].includes(error.status);
}

/** Whether an upload has taken too long. */
function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410;
}

async function start(
  api: ApiClient,
  request: UploadRequest,
  file: File,
  { saved, signal, onMinutesLeft }: PartsOptions,
): Promise<{ readonly imageId: string }> {
  const { imageId, videoMinutesLeftToday } = await api.createUpload(request, signal);
  onMinutesLeft(videoMinutesLeftToday);
  // An upload that was canceled meanwhile is not offered to be continued.
  signal.throwIfAborted();
  await saved.save(imageId, file, handleOf(file));
  return { imageId };
}

function startedOf({ multipart, parts }: Awaited<ReturnType<ApiClient['listParts']>>): Omit<Started, 'imageId'> {
  if (!multipart) throw new UploadError(text.notUnderstood);
  const arrived = new Map(parts.map(({ number, sha256 }) => [number, sha256]));
  return { ...multipart, arrived };
}

/** Sends all parts and completes the upload. */
async function send(api: ApiClient, file: File, upload: Started, options: PartsOptions): Promise<void> {
  const { signal } = options;
  const { imageId } = upload;
  const persist = persistently(options);
  let { arrived } = upload;
  for (let completions = 1; ; completions += 1) {
    const parts = await sendParts(api, file, { ...upload, arrived }, options);
    try {
      await persist(() => api.completeUpload(imageId, parts, signal));
      return;
    } catch (error) {
      const isIncomplete = error instanceof ApiError && error.problem === 'parts-missing';
      if (!isIncomplete || completions === MAX_COMPLETIONS) throw error;
      const progress = await persist(() => api.listParts(imageId, signal));
      if (progress.complete) return;
      arrived = startedOf(progress).arrived;
    }
  }
}

/** Sends the parts that have not arrived, some at a time. Returns all parts in their order. */
async function sendParts(api: ApiClient, file: File, upload: Started, options: PartsOptions): Promise<Part[]> {
  // If one part fails, the others end.
  const failed = new AbortController();
  const stop = () => failed.abort(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener('abort', stop);
  const sent = new Map<number, number>();
  const report = (number: number, bytes: number): void => {
    sent.set(number, bytes);
    options.onProgress([...sent.values()].reduce((sum, part) => sum + part, 0) / file.size);
  };
  const inner = { ...options, signal: failed.signal };
  const parts: Part[] = [];
  let last = 0;
  const work = async (): Promise<void> => {
    while (last < upload.partCount) {
      last += 1;
      const number = last;
      parts[number - 1] = await sendPart(api, file, upload, number, (bytes) => report(number, bytes), inner);
    }
  };
  try {
    await Promise.all(
      Array.from({ length: CONCURRENT_PARTS }, () =>
        work().catch((error) => {
          failed.abort(error);
          throw error;
        }),
      ),
    );
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
  return parts;
}

/** Sends a part, unless it has arrived. Tries as long as there is no connection. */
async function sendPart(
  api: ApiClient,
  file: File,
  { imageId, partSize, arrived }: Started,
  number: number,
  onSent: (bytes: number) => void,
  options: PartsOptions,
): Promise<Part> {
  const { signal, onWaiting } = options;
  const persist = persistently(options);
  const bytes = file.slice((number - 1) * partSize, number * partSize);
  for (let attempt = 0, refusals = 0; ; attempt += 1) {
    const part = { number, sha256: await checksumOf(bytes) };
    signal.throwIfAborted();
    // A part of another file with the same name has another checksum.
    if (arrived.get(number) !== part.sha256) {
      const upload = await persist(() => api.createPartUpload(imageId, part, signal));
      const outcome = await putObject(upload, bytes, (sent) => onSent(sent * bytes.size), signal);
      if (outcome === 'rejected') {
        // The upload may have been canceled elsewhere.
        await persist(() => api.listParts(imageId, signal));
        refusals += 1;
        if (refusals === MAX_REFUSALS) throw new UploadError(text.upload.rejected);
      }
      if (outcome !== 'stored') {
        onSent(0);
        if (outcome === 'transient') onWaiting('connection');
        await sleep(backoffDelay(attempt, RETRY), signal);
        await whenOnline(signal);
        continue;
      }
    }
    onWaiting(undefined);
    onSent(bytes.size);
    return part;
  }
}

async function checksumOf(bytes: Blob): Promise<string> {
  try {
    return await sha256(bytes);
  } catch {
    throw new UploadError(text.check.unreadable);
  }
}

/** Repeats a request to the API until there is an answer. */
function persistently({ signal, onWaiting }: PartsOptions) {
  return async <T>(request: () => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt += 1) {
      await whenOnline(signal);
      try {
        return await request();
      } catch (error) {
        if (!isTransient(error) || (error instanceof ApiError && error.isDailyLimit)) throw error;
        onWaiting(error instanceof ApiError ? 'service' : 'connection');
      }
      await sleep(backoffDelay(attempt, RETRY), signal);
    }
  };
}
