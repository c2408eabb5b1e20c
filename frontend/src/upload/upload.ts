// One file's way into storage: checksum, ticket, PUT.
import type { ApiClient } from '../api/client';
import { type Backoff, backoffDelay, sleep } from '../backoff';
import { whenOnline } from '../page-state';
import { text } from '../text';
import { announcedName } from './checks';
import { sha256 } from './checksum';
import { type PutOutcome, putObject } from './storage';

/** How often one PUT is sent before the person is asked. */
const ATTEMPTS = 3;
const AGAIN: Backoff = { first: 1_000, limit: 5_000 };

/** The file could not be stored. `message` is a sentence for the person at the page. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
}

export interface UploadOptions {
  readonly contentType: string;
  readonly signal: AbortSignal;
  /** Hears the image's id as soon as there is one. */
  readonly onImageId: (imageId: string) => void;
  /** Hears the fraction sent, 0 to 1. */
  readonly onProgress: (sent: number) => void;
}

/** Uploads a file and returns once it is stored. Throws `UploadError`, `ApiError` or `NetworkError`. */
export async function uploadFile(api: ApiClient, file: File, options: UploadOptions): Promise<void> {
  const { contentType, signal, onImageId, onProgress } = options;
  if (!globalThis.isSecureContext) throw new UploadError(text.upload.insecurePage);
  // The worker's script may have to be fetched.
  await whenOnline(signal);
  const checksum = await sha256(file).catch(() => {
    throw new UploadError(text.check.unreadable);
  });
  const request = { fileName: announcedName(file.name), contentType, size: file.size, sha256: checksum };
  const ticket = await api.createUpload(request, signal);
  onImageId(ticket.imageId);

  let ended: PutOutcome = 'passing';
  for (let attempt = 0; attempt < ATTEMPTS && ended === 'passing'; attempt += 1) {
    if (attempt > 0) await sleep(backoffDelay(attempt, AGAIN), signal);
    await whenOnline(signal);
    // The same ticket again: if the first PUT did arrive and only its answer was lost, this one meets 412.
    ended = await putObject(ticket.upload, file, onProgress, signal);
  }
  if (ended !== 'stored') throw new UploadError(text.upload[ended]);
}
