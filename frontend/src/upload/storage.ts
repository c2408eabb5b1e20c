// Sending one file to storage with a presigned PUT. XMLHttpRequest, because fetch cannot tell how far an upload is.
import type { Upload } from '../api/types';

/** An upload without progress for this many milliseconds is given up. */
const STALLED = 60_000;

/**
 * How a PUT ended: `stored` (also if it was there already), `refused` (the file is not the one announced),
 * `expired` (the ticket came too late), `passing` (no connection, or storage is busy: the same PUT may succeed).
 */
export type PutOutcome = 'stored' | 'refused' | 'expired' | 'passing';

/** Sends the file; `onProgress` hears the fraction sent, 0 to 1. Throws only the signal's reason. */
export function putObject(
  ticket: Upload['upload'],
  file: File,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<PutOutcome> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let stalled = 0;
    const alive = () => {
      clearTimeout(stalled);
      stalled = window.setTimeout(() => request.abort(), STALLED);
    };
    const stop = () => request.abort();

    request.open('PUT', ticket.url);
    for (const [name, value] of Object.entries(ticket.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => {
      alive();
      onProgress(total > 0 ? loaded / total : 0);
    };
    request.onloadend = () => {
      clearTimeout(stalled);
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else resolve(outcome(request.status, request.responseText));
    };
    signal.addEventListener('abort', stop);
    alive();
    request.send(file);
  });
}

/** Reads S3's answer; status 0 is no answer. */
export function outcome(status: number, body: string): PutOutcome {
  // 412: the object exists, and only this very file could have been stored under this ticket.
  if ((status >= 200 && status < 300) || status === 412) return 'stored';
  if (status === 0 || status === 409 || status === 429 || status >= 500) return 'passing';
  // S3 answers an expired signature with 403 AccessDenied and the message "Request has expired".
  return status === 403 && /expired/i.test(body) ? 'expired' : 'refused';
}
