// Downloads pictures as one ZIP. Pictures are fetched shortly before they are written, so that only a few are in memory.
import { makeZip } from 'client-zip';
import type { ApiClient } from '../api/client';
import { messageFor } from '../api/problem';
import type { Image, Summary } from '../api/types';
import { text } from '../shared/text';
import { type FetchedPicture, fetchPicture } from './fetch-picture';
import { FileNames, originalName } from './file-names';
import { chooseTarget, type Target } from './target';

/** How many pictures are fetched at the same time. */
const CONCURRENT_PICTURES = 3;
/** No further picture is fetched while those that wait for their turn have more bytes than this: 256 MB. Videos can be large. */
const MAX_BYTES_AHEAD = 256 * 1024 ** 2;

/** What is known of a picture before it is fetched. */
export type Listed = Pick<Summary, 'imageId' | 'fileName' | 'format' | 'size'>;

/** The current download, or how the last one ended. */
export type DownloadState =
  /** `finished` pictures of `total` are in the ZIP, or can't be fetched. `fraction` is 0 to 1, by bytes. */
  | { readonly name: 'running'; readonly finished: number; readonly total: number; readonly fraction: number }
  /** `missing` has the names of pictures that could not be fetched. A text file in the ZIP says why. */
  | { readonly name: 'saved'; readonly saved: number; readonly missing: readonly string[] }
  | { readonly name: 'failed'; readonly reason: string };

/** A file of the ZIP. */
interface Entry {
  readonly name: string;
  readonly input: Blob;
  readonly lastModified: Date;
}

/** A picture with its file, or with the reason why there is none. */
type Fetched = { readonly summary: Listed } & (
  | { readonly picture: FetchedPicture }
  | { readonly picture: undefined; readonly cause: unknown }
);

/** Runs one download at a time. Dispatches `change` when `state` changes. */
export class Downloads extends EventTarget {
  private current: DownloadState | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly api: Pick<ApiClient, 'getImage'>,
    private readonly choose: typeof chooseTarget = chooseTarget,
  ) {
    super();
  }

  /** `undefined` if there was no download, it was canceled, or its result was dismissed. */
  get state(): DownloadState | undefined {
    return this.current;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /**
   * Downloads pictures to a ZIP that is offered under this name. Call it for a click or a key. Does nothing while another
   * download is running. Does not throw.
   */
  async start(images: readonly Listed[], zipName: string): Promise<void> {
    if (this.running || images.length === 0) return;
    const controller = new AbortController();
    this.running = controller;
    const { signal } = controller;
    try {
      const target = await this.choose(zipName, totalSize(images));
      if (target && !signal.aborted) await this.save(images, target, signal);
    } catch (error) {
      if (!signal.aborted) this.show({ name: 'failed', reason: messageFor(error, text.download.notSaved) });
    } finally {
      // Ends requests for pictures that are not needed anymore.
      controller.abort();
      this.running = undefined;
      this.dispatchEvent(new Event('change'));
    }
  }

  cancel(): void {
    if (!this.running) return;
    this.running.abort();
    this.show(undefined);
  }

  /** Forgets how the last download ended. */
  dismiss(): void {
    if (!this.running) this.show(undefined);
  }

  private async save(images: readonly Listed[], target: Target, signal: AbortSignal): Promise<void> {
    const changed = () => {
      if (!signal.aborted) this.show({ name: 'running', ...contents.progress });
    };
    const contents = new Contents(this.api, images, signal, changed);
    changed();
    try {
      await target.save(makeZip(contents.entries()), signal);
    } catch (error) {
      // Browsers replace the error of a stream that they read into a Blob.
      throw contents.error ?? error;
    }
    const { missing } = contents;
    this.show({ name: 'saved', saved: images.length - missing.length, missing });
  }

  private show(state: DownloadState | undefined): void {
    this.current = state;
    this.dispatchEvent(new Event('change'));
  }
}

/** The size of pictures in bytes, as far as it is known. */
export function totalSize(images: readonly Listed[]): number {
  return images.reduce((sum, { size }) => sum + (size ?? 0), 0);
}

/** The files of one ZIP. */
class Contents {
  private readonly names = new FileNames();
  private readonly failures: { readonly name: string; readonly cause: unknown }[] = [];
  private readonly size: number;
  private received = 0;
  /** Why the ZIP has no contents. */
  error: unknown;
  private finished = 0;
  /** The percentage that was reported last. */
  private reported = 0;

  /** Calls `changed` when `progress` has changed visibly. */
  constructor(
    private readonly api: Pick<ApiClient, 'getImage'>,
    private readonly images: readonly Listed[],
    private readonly signal: AbortSignal,
    private readonly changed: () => void,
  ) {
    this.size = totalSize(images);
  }

  get progress(): { finished: number; total: number; fraction: number } {
    const { finished, received, size } = this;
    const total = this.images.length;
    // Sizes can be unknown, and pictures that can't be fetched have no bytes.
    return { finished, total, fraction: Math.max(received / Math.max(size, received, 1), finished / total) };
  }

  /** The names of the pictures that could not be fetched. */
  get missing(): readonly string[] {
    return this.failures.map(({ name }) => name);
  }

  /** The pictures, in their order, and a list of those that are missing. Throws the reason if all are. */
  async *entries(): AsyncGenerator<Entry> {
    for await (const fetched of this.fetchInOrder()) {
      const { summary, picture } = fetched;
      const name = originalName(picture?.image ?? summary);
      if (picture) yield { name: this.names.add(name), input: picture.file, lastModified: timeOf(picture.image) };
      else this.failures.push({ name, cause: fetched.cause });
      this.finished += 1;
      this.changed();
    }
    const [first] = this.failures;
    if (!first) return;
    if (this.failures.length === this.images.length) {
      this.error = first.cause;
      throw first.cause;
    }
    const { fileName, heading, line } = text.download.missingFile;
    const lines = this.failures.map(({ name, cause }) => line(name, messageFor(cause)));
    const input = new Blob([[heading, '', ...lines, ''].join('\r\n')]);
    yield { name: this.names.add(fileName), input, lastModified: new Date() };
  }

  private async *fetchInOrder(): AsyncGenerator<Fetched> {
    const ahead: { readonly image: Listed; readonly fetched: Promise<Fetched> }[] = [];
    let index = 0;
    for (;;) {
      while (ahead.length < CONCURRENT_PICTURES && totalSize(ahead.map(({ image }) => image)) < MAX_BYTES_AHEAD) {
        const image = this.images[index];
        if (!image) break;
        index += 1;
        ahead.push({ image, fetched: this.fetch(image) });
      }
      const next = await ahead.shift()?.fetched;
      this.signal.throwIfAborted();
      if (!next) return;
      yield next;
    }
  }

  /** Does not throw. */
  private async fetch(summary: Listed): Promise<Fetched> {
    let own = 0;
    const onBytes = (bytes: number) => {
      this.received += bytes - own;
      own = bytes;
      this.report();
    };
    try {
      return { summary, picture: await fetchPicture(this.api, summary.imageId, onBytes, this.signal) };
    } catch (cause) {
      onBytes(0);
      return { summary, picture: undefined, cause };
    }
  }

  private report(): void {
    const percent = Math.floor(this.progress.fraction * 100);
    if (percent === this.reported) return;
    this.reported = percent;
    this.changed();
  }
}

/** When a picture was taken, or added. A ZIP has local times without a time zone, like cameras. */
function timeOf({ metadata, createdAt }: Image): Date {
  const taken = metadata?.takenAt && new Date(metadata.takenAt.slice(0, 'YYYY-MM-DDThh:mm:ss'.length));
  return taken && isInZip(taken) ? taken : new Date(createdAt);
}

/** Whether a ZIP can store a time: from 1980 to 2107. */
function isInZip(time: Date): boolean {
  return time.getFullYear() >= 1980 && time.getFullYear() <= 2107;
}
