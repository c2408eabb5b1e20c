// Where a ZIP is saved: in a file that the person chooses, which is written while the pictures arrive, or, in browsers
// that can't do that, in a Blob that the browser then downloads.
import { UserFacingError } from '../api/problem';
import { text } from '../shared/text';

/** The largest ZIP that is collected in a Blob, in bytes: 1 GB. Browsers may keep it in memory. */
export const MAX_BLOB_BYTES = 1024 ** 3;

const ZIP = 'application/zip';

/** Browsers based on Chromium have this function, on computers. */
type ShowSaveFilePicker = (options: {
  readonly suggestedName: string;
  readonly types: readonly { readonly description: string; readonly accept: Readonly<Record<string, string[]>> }[];
}) => Promise<FileSystemFileHandle>;

/** Whether the browser can write a ZIP of any size to a file. Otherwise, it collects up to `MAX_BLOB_BYTES`. */
export function canWriteFile(): boolean {
  return 'showSaveFilePicker' in globalThis;
}

/** A place for a ZIP. */
export interface Target {
  /** Writes the ZIP. Leaves nothing behind if `zip` fails or `signal` is aborted. */
  save(zip: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/** The ZIP can't be saved in this browser. */
export class TooLargeError extends UserFacingError {
  override readonly name = 'TooLargeError';
}

/**
 * Asks where to save a ZIP, if the browser can. Must be called for a click or a key. Returns `undefined` if the person
 * cancels. `bytes` is the size of the ZIP's pictures. Throws `TooLargeError`.
 */
export async function chooseTarget(name: string, bytes: number): Promise<Target | undefined> {
  const { showSaveFilePicker } = globalThis as { readonly showSaveFilePicker?: ShowSaveFilePicker };
  if (showSaveFilePicker) {
    const types = [{ description: text.download.fileType, accept: { [ZIP]: ['.zip'] } }];
    try {
      return new FileTarget(await showSaveFilePicker({ suggestedName: name, types }));
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return undefined;
      // The browser does not allow it here, for example by a policy of an organization.
    }
  }
  if (bytes > MAX_BLOB_BYTES) throw new TooLargeError(text.download.tooLarge(bytes, MAX_BLOB_BYTES));
  return new BlobTarget(name);
}

class FileTarget implements Target {
  constructor(private readonly handle: FileSystemFileHandle) {}

  async save(zip: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): Promise<void> {
    try {
      // The browser writes another file, and replaces this one at the end.
      await zip.pipeTo(await this.handle.createWritable(), { signal });
    } catch (error) {
      await this.removeEmptyFile();
      throw error;
    }
  }

  /** The browser creates an empty file when the person chooses a new one. */
  private async removeEmptyFile(): Promise<void> {
    // Not all browsers have `remove`, and TypeScript's types lack it.
    const handle = this.handle as FileSystemFileHandle & { remove?(): Promise<void> };
    try {
      if ((await handle.getFile()).size === 0) await handle.remove?.();
    } catch (error) {
      console.info('An empty file remains.', error);
    }
  }
}

class BlobTarget implements Target {
  constructor(private readonly name: string) {}

  async save(zip: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): Promise<void> {
    const blob = await new Response(zip, { headers: { 'content-type': ZIP } }).blob();
    signal.throwIfAborted();
    const url = URL.createObjectURL(blob);
    const link = document.createElement('a');
    link.href = url;
    link.download = this.name;
    link.click();
    // The browser reads the Blob after the click.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}
