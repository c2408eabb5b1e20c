// Uploads one file: computes its checksum, gets a presigned URL, and sends the file.
import type { ApiClient } from '../api/client';
import { UserFacingError } from '../api/problem';
import type { Upload } from '../api/types';
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { whenOnline } from '../shared/page-state';
import { text } from '../shared/text';
import { sanitizedName } from './checks';
import { sha256 } from './checksum';
import { type PutOutcome, putObject } from './storage';

/** How often one PUT is sent. */
const MAX_ATTEMPTS = 3;
/** How many presigned URLs are requested: one can expire early, with the credentials that signed it. */
const MAX_URLS = 2;
const RETRY: Backoff = { first: 1_000, limit: 5_000 };

/** The file could not be stored. */
export class UploadError extends UserFacingError {
  override readonly name = 'UploadError';
}

export interface UploadOptions {
  readonly contentType: string;
  readonly signal: AbortSignal;
  /** Called with the id of the new image, and again with another id if the first URL expired. */
  readonly onImageId: (imageId: string) => void;
  /** Called with the fraction sent, 0 to 1. */
  readonly onProgress: (sent: number) => void;
}

/** Uploads a file. Throws `UploadError`, `ApiError` or `NetworkError`. */
export async function uploadFile(api: ApiClient, file: File, options: UploadOptions): Promise<void> {
  const { contentType, signal, onImageId, onProgress } = options;
  if (!globalThis.isSecureContext) throw new UploadError(text.upload.insecurePage);
  // Loading the worker can need a connection.
  await whenOnline(signal);
  const checksum = await sha256(file).catch(() => {
    throw new UploadError(text.check.unreadable);
  });
  const request = { fileName: sanitizedName(file.name), contentType, size: file.size, sha256: checksum };
  for (let urls = 1; ; urls += 1) {
    const { imageId, upload } = await api.createUpload(request, signal);
    onImageId(imageId);
    const outcome = await put(upload, file, onProgress, signal);
    if (outcome === 'stored') return;
    if (outcome !== 'expired' || urls === MAX_URLS) throw new UploadError(text.upload[outcome]);
  }
}

async function put(
  upload: Upload['upload'],
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
