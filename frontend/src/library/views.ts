// Addresses of pictures to show: presigned, so they expire, and are fetched only for what is seen.
import type { ApiClient } from '../api/client';
import type { Image } from '../api/types';
import { Slots } from '../upload/slots';

/** How many addresses are asked for at the same time. */
const AT_ONCE = 6;
/** So long a picture has to be in sight before anything is asked for it, in milliseconds: who scrolls fast sees nothing. */
const SETTLED = 200;
/** So long nothing is asked about a picture that has no address, or whose address could not be had, in milliseconds. */
const REST = 10_000;
/** An address is not used in its last seconds, in milliseconds: the picture has to be fetched with it. */
const MARGIN = 30_000;

interface Known {
  readonly url: string;
  readonly expiresAt: number;
}

/** Finds the address of a picture; dispatches `change` when one more is known. */
export class Views extends EventTarget {
  private readonly known = new Map<string, Known>();
  /** Object URLs of files that this page has uploaded itself: nothing needs to be fetched for them. */
  private readonly local = new Map<string, string>();
  private readonly asking = new Set<string>();
  /** Until when nothing is asked about a picture. */
  private readonly resting = new Map<string, number>();
  private readonly slots = new Slots(AT_ONCE);

  constructor(private readonly api: ApiClient) {
    super();
  }

  /** The address, if there is one now. An address in use stays the same: another would load the picture again. */
  get(imageId: string): string | undefined {
    return this.local.get(imageId) ?? this.known.get(imageId)?.url;
  }

  /** Remembers the file behind a picture. */
  keepLocal(imageId: string, objectUrl: string): void {
    this.local.set(imageId, objectUrl);
  }

  /** Remembers the address that came with an image. */
  keep({ imageId, view, thumbnails }: Image): void {
    const known = this.known.get(imageId);
    // A good address stays in use: another one for the same picture would load it again.
    if (!view || (known && known.expiresAt - Date.now() > MARGIN)) return;
    // The largest thumbnail is as large as a screen shows it, and every browser knows its format. Both expire together.
    this.known.set(imageId, { url: thumbnails.at(-1)?.url ?? view.url, expiresAt: Date.parse(view.expiresAt) });
    this.dispatchEvent(new Event('change'));
  }

  /** Asks for the address of a picture that is about to be seen, unless a good one is known. */
  want(imageId: string, stillWanted: () => boolean): void {
    const known = this.known.get(imageId);
    const good = known && known.expiresAt - Date.now() > MARGIN;
    if (good || this.local.has(imageId) || this.asking.has(imageId)) return;
    if ((this.resting.get(imageId) ?? 0) > Date.now()) return;
    this.asking.add(imageId);
    setTimeout(() => void this.ask(imageId, stillWanted).finally(() => this.asking.delete(imageId)), SETTLED);
  }

  private async ask(imageId: string, stillWanted: () => boolean): Promise<void> {
    try {
      await this.slots.run(async () => {
        // Scrolled away while it waited for its turn.
        if (!stillWanted()) return;
        const image = await this.api.getImage(imageId, new AbortController().signal);
        if (image.view) this.keep(image);
        else this.resting.set(imageId, Number.POSITIVE_INFINITY);
      });
    } catch {
      // The tile stays a placeholder; it asks again when it is next seen.
      this.resting.set(imageId, Date.now() + REST);
    }
  }

  /** Forgets an address that did not work, so that the next `want` asks again. */
  forget(imageId: string): void {
    this.known.delete(imageId);
    this.resting.delete(imageId);
  }

  /** Forgets a picture altogether. */
  drop(imageId: string): void {
    this.forget(imageId);
    const url = this.local.get(imageId);
    if (url) URL.revokeObjectURL(url);
    this.local.delete(imageId);
  }
}
