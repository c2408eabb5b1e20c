// Uploads a file or a part of it to S3 with a presigned PUT. It uses XMLHttpRequest, because fetch does not report upload progress.
import type { PresignedPut } from '../api/types';

/** An upload is aborted after this many milliseconds without progress. */
const STALL_TIMEOUT = 60_000;

/**
 * The result of a PUT.
 *
 * - `stored`: the file is stored, by this PUT or an earlier one.
 * - `rejected`: the file is not the one that the URL was signed for.
 * - `expired`: the URL has expired, or the credentials that signed it.
 * - `transient`: no connection, or S3 is busy. The same PUT can succeed later.
 */
export type PutOutcome = 'stored' | 'rejected' | 'expired' | 'transient';

/** Sends the file. `onProgress` gets the fraction sent, 0 to 1. Throws only the signal's reason. */
export function putObject(
  upload: PresignedPut,
  file: Blob,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<PutOutcome> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let timer = 0;
    const resetTimer = () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => request.abort(), STALL_TIMEOUT);
    };
    const abort = () => request.abort();

    request.open('PUT', upload.url);
    for (const [name, value] of Object.entries(upload.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => {
      resetTimer();
      onProgress(total > 0 ? loaded / total : 0);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      window.removeEventListener('offline', abort);
      if (signal.aborted) reject(signal.reason);
      else resolve(outcome(request.status, request.responseText));
    };
    signal.addEventListener('abort', abort);
    // Without a connection, browsers can wait for a long time before a request fails.
    window.addEventListener('offline', abort);
    resetTimer();
    request.send(file);
  });
}

/** Reads S3's response. Status 0 means that there was none. */
export function outcome(status: number, body: string): PutOutcome {
  // 412: the object exists, and this URL can only store this file.
  if ((status >= 200 && status < 300) || status === 412) return 'stored';
  if (status === 0 || status === 409 || status === 429 || status >= 500) return 'transient';
  // A slow connection.
  if (/<Code>(RequestTimeout|SlowDown|InternalError)<\/Code>/.test(body)) return 'transient';
  // For an expired signature, S3 returns AccessDenied with the message "Request has expired"; for expired credentials,
  // ExpiredToken, with status 400 as documented or with 403.
  return /Request has expired|<Code>ExpiredToken<\/Code>/.test(body) ? 'expired' : 'rejected';
}
