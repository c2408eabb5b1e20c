// Uploads one file: computes its checksum, gets a presigned URL, and sends the file. Large videos are sent in parts.
import type { ApiClient } from '../api/client';
import { ApiError } from '../api/problem';
import type { PresignedPut, Upload, UploadRequest } from '../api/types';
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { utcOffset } from '../shared/local-time';
import { OneAtATime } from '../shared/one-at-a-time';
import { whenOnline } from '../shared/page-state';
import { text } from '../shared/text';
import { isInParts, sanitizedName } from './checks';
import { sha256 } from './checksum';
import { type PutOutcome, putObject } from './storage';
import { UploadError } from './upload-error';
import { type PartsOptions, uploadParts } from './upload-parts';

/** How often one PUT is sent. */
const MAX_ATTEMPTS = 3;
/** How many presigned URLs are requested: one can expire early, with the credentials that signed it. */
const MAX_URLS = 2;
const RETRY: Backoff = { first: 1_000, limit: 5_000 };

/** Identical files of a batch are uploaded one after another, so that the API knows the first one. */
const identicalFiles = new OneAtATime();

export interface UploadOptions extends PartsOptions {
  readonly contentType: string;
  /** The duration of a video, if it is known. */
  readonly durationMs: number | undefined;
  /** Whether to upload a file that a picture already has. */
  readonly allowDuplicate: (existingImageId: string) => boolean;
}

/**
 * Uploads a file. Returns the id of the picture that already has the file; `undefined` if it was uploaded. Throws
 * `UploadError`, `ApiError` or `NetworkError`.
 */
export async function uploadFile(api: ApiClient, file: File, options: UploadOptions): Promise<string | undefined> {
  const { contentType, durationMs, signal } = options;
  if (!globalThis.isSecureContext) throw new UploadError(text.upload.insecurePage);
  // Loading the worker can need a connection.
  await whenOnline(signal);
  const announced = {
    fileName: sanitizedName(file.name),
    contentType,
    size: file.size,
    utcOffset: utcOffset(new Date()),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
  if (isInParts(contentType, file.size)) {
    // A file that is added twice is uploaded twice, one after the other: both at once would continue the same saved upload.
    await identicalFiles.run(`${file.name}/${file.size}/${file.lastModified}`, () =>
      uploadParts(api, announced, file, options),
    );
    return undefined;
  }
  const checksum = await sha256(file).catch(() => {
    throw new UploadError(text.check.unreadable);
  });
  const request = { ...announced, sha256: checksum };
  return identicalFiles.run(checksum, () => send(api, request, file, options));
}

async function send(
  api: ApiClient,
  request: UploadRequest,
  file: File,
  { allowDuplicate, signal, onImageId, onMinutesLeft, onProgress }: UploadOptions,
): Promise<string | undefined> {
  for (let urls = 1; ; urls += 1) {
    const created = await create(api, request, allowDuplicate, signal);
    if (typeof created === 'string') return created;
    onMinutesLeft(created.videoMinutesLeftToday);
    onImageId(created.imageId);
    if (!created.upload) throw new UploadError(text.notUnderstood);
    const outcome = await put(created.upload, file, onProgress, signal);
    if (outcome === 'stored') return undefined;
    if (outcome !== 'expired' || urls === MAX_URLS) throw new UploadError(text.upload[outcome]);
  }
}

/** Creates an upload. Returns the id of the picture that already has the file instead, unless a duplicate is allowed. */
async function create(
  api: ApiClient,
  request: UploadRequest,
  allowDuplicate: UploadOptions['allowDuplicate'],
  signal: AbortSignal,
): Promise<Upload | string> {
  try {
    return await api.createUpload(request, signal);
  } catch (error) {
    const existing = error instanceof ApiError ? error.existingImageId : undefined;
    if (!existing) throw error;
    return allowDuplicate(existing) ? api.createUpload({ ...request, allowDuplicate: true }, signal) : existing;
  }
}

async function put(
  upload: PresignedPut,
  file: File,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<PutOutcome> {
  let outcome: PutOutcome = 'transient';
  for (let attempt = 0; attempt < MAX_ATTEMPTS && outcome === 'transient'; attempt += 1) {
    if (attempt > 0) await sleep(backoffDelay(attempt, RETRY), signal);
    await whenOnline(signal);
    // Use the same URL again: if the first PUT succeeded and only its response was lost, S3 returns 412.
    outcome = await putObject(upload, file, onProgress, signal);
  }
  return outcome;
}
