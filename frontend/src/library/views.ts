// Addresses of pictures to show. They are presigned and expire; lists carry those of thumbnails, and for what a list could
// not know yet, or knew too long ago, they are asked for: many pictures at once, and only what is seen.
import { type ApiClient, MOST_IDS } from '../api/client';
import type { Image, Summary } from '../api/types';
import { type Backoff, backoffDelay } from '../backoff';
import { Slots } from '../upload/slots';

/** So long a picture has to be in sight before anything is asked for it, in milliseconds: who scrolls fast sees nothing. */
const SETTLED = 200;
/** How long the address of a thumbnail is good, in milliseconds: the API's hour. */
const THUMBNAIL_LIFE = 3_600_000;
/** An address is not used in its last seconds, in milliseconds: the picture has to be fetched with it. */
const MARGIN = 30_000;
/** Pauses before it is asked again, in milliseconds. */
const AGAIN: Backoff = { first: 1_000, limit: 60_000 };
/** Thumbnails are made some moments after the labels, in milliseconds: what has none by then will have none. */
const MOMENTS = 20_000;
/** The same in questions, where the clocks of the page and the API differ. */
const QUESTIONS = 8;
/** How many pictures without thumbnails are asked for at the same time. */
const AT_ONCE = 3;
/** A thumbnail may be stretched to this many times its pixels: nobody sees it. */
const STRETCH = 1.25;

/** One picture in one size. */
interface Source {
  readonly url: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

interface Known {
  /** Smallest first. */
  readonly sources: readonly Source[];
  readonly expiresAt: number;
}

/** The size that a picture is shown in, in pixels of the screen. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Finds the addresses of pictures; dispatches `change` when more are known, or may be asked for. */
export class Views extends EventTarget {
  private readonly known = new Map<string, Known>();
  /** Object URLs of files that this page has uploaded itself: nothing needs to be fetched for them. */
  private readonly local = new Map<string, string>();
  /** What is about to be asked for, and whether it is still to be seen. */
  private wanted = new Map<string, { readonly image: Summary; readonly stillWanted: () => boolean }>();
  private readonly asking = new Set<string>();
  /** How often was asked in vain for a picture as it stands. */
  private readonly questions = new Map<string, number>();
  /** Pictures for which nothing is asked as they stand. */
  private readonly resting = new Set<string>();
  private readonly slots = new Slots(AT_ONCE);

  constructor(private readonly api: Pick<ApiClient, 'getImage' | 'getImages'>) {
    super();
  }

  /** The address of the smallest version that fills a size, or of the largest there is. Not known: `undefined`. */
  get(imageId: string, size?: Size): string | undefined {
    const local = this.local.get(imageId);
    if (local) return local;
    const sources = this.known.get(imageId)?.sources ?? [];
    const fills = ({ width, height }: Source) =>
      size && width * STRETCH >= size.width && height * STRETCH >= size.height;
    return (sources.find(fills) ?? sources.at(-1))?.url;
  }

  /** Remembers the file behind a picture. */
  keepLocal(imageId: string, objectUrl: string): void {
    this.local.set(imageId, objectUrl);
  }

  /** Remembers the addresses that a list carries. */
  learn({ imageId, thumbnails }: Summary | Image): void {
    if (thumbnails.length > 0) this.remember(imageId, { sources: thumbnails, expiresAt: Date.now() + THUMBNAIL_LIFE });
  }

  /** Remembers the addresses that came with an image: its own, where it has no thumbnails. */
  keep(image: Image): void {
    const { imageId, view, thumbnails } = image;
    if (thumbnails.length > 0 || !view) this.learn(image);
    else {
      const original = { url: view.url, width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };
      this.remember(imageId, { sources: [original], expiresAt: Date.parse(view.expiresAt) });
    }
    this.changed();
  }

  /** Asks for the addresses of a picture that is seen, unless good ones are known. */
  want(image: Summary, stillWanted: () => boolean): void {
    const { imageId, status } = image;
    if (status === 'AWAITING_UPLOAD' || this.local.has(imageId) || isGood(this.known.get(imageId))) return;
    if (this.asking.has(imageId) || this.resting.has(asItStands(image))) return;
    if (this.wanted.size === 0) setTimeout(() => this.ask(), SETTLED);
    this.wanted.set(imageId, { image, stillWanted });
  }

  /** Forgets addresses, for the picture is gone or they do not work: the next `want` asks again. */
  forget(imageId: string): void {
    this.known.delete(imageId);
    const url = this.local.get(imageId);
    if (url) URL.revokeObjectURL(url);
    this.local.delete(imageId);
  }

  private ask(): void {
    // What was scrolled away meanwhile is asked for when it comes back.
    const images = [...this.wanted.values()].filter(({ stillWanted }) => stillWanted()).map(({ image }) => image);
    this.wanted = new Map();
    for (const { imageId } of images) this.asking.add(imageId);
    const listed = images.filter((image) => this.mayBeListed(image));
    for (let start = 0; start < listed.length; start += MOST_IDS) {
      void this.askForMany(listed.slice(start, start + MOST_IDS));
    }
    for (const image of images.filter((image) => !listed.includes(image))) void this.askForOne(image);
  }

  /** Whether a list can be expected to carry a picture's thumbnails. */
  private mayBeListed(image: Summary): boolean {
    if ((this.questions.get(asItStands(image)) ?? 0) >= QUESTIONS) return false;
    const justLabeled = image.status === 'LABELED' && Date.now() - Date.parse(image.updatedAt) < MOMENTS;
    return image.thumbnails.length > 0 || justLabeled;
  }

  private async askForMany(images: readonly Summary[]): Promise<void> {
    const imageIds = images.map(({ imageId }) => imageId);
    const listed = await this.api.getImages(imageIds, new AbortController().signal).catch(() => []);
    for (const image of listed) this.learn(image);
    this.asked(images);
  }

  /** The API hands out the address of a picture itself one by one. */
  private async askForOne(asked: Summary): Promise<void> {
    const answer = this.slots.run(() => this.api.getImage(asked.imageId, new AbortController().signal));
    const image = await answer.catch(() => undefined);
    if (image) this.keep(image);
    if (image && !this.known.has(asked.imageId)) {
      // There is no picture in it.
      this.asking.delete(asked.imageId);
      this.resting.add(asItStands(asked));
    } else this.asked([asked]);
  }

  private asked(images: readonly Summary[]): void {
    for (const image of images) {
      this.asking.delete(image.imageId);
      const one = asItStands(image);
      if (isGood(this.known.get(image.imageId))) {
        this.questions.delete(one);
        continue;
      }
      const questions = this.questions.get(one) ?? 0;
      this.questions.set(one, questions + 1);
      this.resting.add(one);
      setTimeout(
        () => {
          this.resting.delete(one);
          this.changed();
        },
        backoffDelay(questions, AGAIN),
      );
    }
    this.changed();
  }

  private remember(imageId: string, addresses: Known): void {
    const known = this.known.get(imageId);
    // A good address stays in use: another one for the same picture would load it again.
    if (known && isGood(known) && isSame(known, addresses)) return;
    this.known.set(imageId, addresses);
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** A picture until something changes about it: labeled again, it may have what it had not. */
function asItStands({ imageId, updatedAt }: Summary): string {
  return `${imageId} ${updatedAt}`;
}

function isGood(known: Known | undefined): boolean {
  return known !== undefined && known.expiresAt - Date.now() > MARGIN;
}

/** Whether two lead to the same objects, however they are signed. */
function isSame(one: Known, other: Known): boolean {
  const objects = ({ sources }: Known) => sources.map(({ url }) => url.split('?', 1)[0]).join();
  return objects(one) === objects(other);
}
