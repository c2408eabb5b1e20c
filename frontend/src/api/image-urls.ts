// The URLs of pictures and thumbnails. They are presigned and expire. Lists contain the URLs of thumbnails. URLs that a
// list did not contain, or that have expired, are requested for many pictures at once, and only for visible ones.
import { type Backoff, backoffDelay, sleep } from '../shared/backoff';
import { ConcurrencyLimiter } from '../shared/concurrency-limiter';
import { whenVisible } from '../shared/page-state';
import { type ApiClient, MAX_IDS } from './client';
import { LATE_THUMBNAILS } from './thumbnails';
import { type Image, isVideo, type Summary } from './types';

/** A picture's URL is requested after it was visible for this long, in milliseconds: fast scrolling requests nothing. */
const REQUEST_DELAY = 200;
/** How long the API signs the URLs of thumbnails for, in milliseconds. */
const THUMBNAIL_LIFETIME = 3_600_000;
/** A URL is not used if it expires in less than this, in milliseconds: the browser still has to fetch the picture. */
const EXPIRY_MARGIN = 30_000;
const RETRY: Backoff = { first: 1_000, limit: 60_000 };
/** How long after the labels thumbnails can appear, in milliseconds. */
const THUMBNAIL_DELAY = 20_000;
/** The same limit as a number of requests, in case the clocks of the page and the API differ. */
const MAX_ATTEMPTS = 8;
/** How many pictures without thumbnails are requested at the same time. */
const CONCURRENT_REQUESTS = 3;
/** A thumbnail can be enlarged this much without a visible difference. */
const MAX_ENLARGEMENT = 1.25;

/** One picture in one size. */
interface Source {
  readonly url: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

interface Sources {
  /** Smallest first. */
  readonly sources: readonly Source[];
  readonly expiresAt: number;
}

/** The size of a picture on the screen, in physical pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Keeps the URLs of pictures. Dispatches `change` when URLs are added, and when a request can be repeated. */
export class ImageUrls extends EventTarget {
  private readonly known = new Map<string, Sources>();
  /** Object URLs of files that this page has uploaded itself. */
  private readonly local = new Map<string, string>();
  private requested = new Map<string, { readonly image: Summary; readonly isVisible: () => boolean }>();
  private readonly inFlight = new Set<string>();
  /** How often a version of a picture was requested without success. */
  private readonly attempts = new Map<string, number>();
  /** Versions of pictures that are not requested at the moment. */
  private readonly backingOff = new Set<string>();
  /** Pictures whose files the browser cannot display. */
  private readonly withoutThumbnails = new Set<string>();
  /** Whether these are being requested. */
  private isAwaiting = false;
  private readonly limiter = new ConcurrencyLimiter(CONCURRENT_REQUESTS);

  constructor(private readonly api: Pick<ApiClient, 'getImage' | 'getImages'>) {
    super();
  }

  /** The URL of the smallest version that fills a size, or of the largest version; `undefined` if none is known. */
  get(imageId: string, size?: Size): string | undefined {
    const local = this.local.get(imageId);
    if (local) return local;
    const sources = this.known.get(imageId)?.sources ?? [];
    const fills = ({ width, height }: Source) =>
      size && width * MAX_ENLARGEMENT >= size.width && height * MAX_ENLARGEMENT >= size.height;
    return (sources.find(fills) ?? sources.at(-1))?.url;
  }

  /** Uses a local file for a picture. */
  setLocal(imageId: string, objectUrl: string): void {
    this.local.set(imageId, objectUrl);
  }

  /** Stores the URLs of a picture's thumbnails. A video has a poster before it has thumbnails. */
  addThumbnails({ imageId, thumbnails, video }: Summary | Image): void {
    const poster = video?.posterUrl ? [{ url: video.posterUrl, width: video.width, height: video.height }] : [];
    const sources = thumbnails.length > 0 ? thumbnails : poster;
    if (sources.length > 0) this.store(imageId, { sources, expiresAt: Date.now() + THUMBNAIL_LIFETIME });
  }

  /** Stores the URLs of a picture's thumbnails, or of its file if there are none. */
  add(image: Image): void {
    const { imageId, view, thumbnails } = image;
    if (thumbnails.length > 0 || isVideo(image) || !view) this.addThumbnails(image);
    else {
      const original = { url: view.url, width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };
      this.store(imageId, { sources: [original], expiresAt: Date.parse(view.expiresAt) });
    }
    this.changed();
  }

  /** Requests the URLs of a visible picture, unless valid ones are known. */
  request(image: Summary, isVisible: () => boolean): void {
    const { imageId, status } = image;
    if (status === 'AWAITING_UPLOAD' || this.local.has(imageId) || isValid(this.known.get(imageId))) return;
    if (this.inFlight.has(imageId) || this.backingOff.has(versionOf(image))) return;
    if (this.requested.size === 0) setTimeout(() => this.send(), REQUEST_DELAY);
    this.requested.set(imageId, { image, isVisible });
  }

  /** Requests a picture whose file the browser cannot display, such as HEIC, until it has thumbnails. */
  awaitThumbnails(imageId: string): void {
    this.withoutThumbnails.add(imageId);
    if (this.isAwaiting) return;
    this.isAwaiting = true;
    void this.requestThumbnails();
  }

  /** Requests all of them at once, less and less often. Those that will never have thumbnails are requested, too. */
  private async requestThumbnails(): Promise<void> {
    const { signal } = new AbortController();
    for (let attempt = 0; this.withoutThumbnails.size > 0; attempt += 1) {
      await sleep(backoffDelay(attempt, LATE_THUMBNAILS), signal);
      await whenVisible(signal);
      const ids = [...this.withoutThumbnails];
      for (let start = 0; start < ids.length; start += MAX_IDS) {
        const requested = ids.slice(start, start + MAX_IDS);
        const listed = await this.api.getImages(requested, signal).catch(() => undefined);
        if (!listed) continue;
        for (const image of listed) this.addThumbnails(image);
        // Those that are not listed are gone.
        const late = new Set(listed.filter(({ thumbnails }) => thumbnails.length === 0).map(({ imageId }) => imageId));
        for (const id of requested.filter((id) => !late.has(id))) this.withoutThumbnails.delete(id);
      }
      this.changed();
    }
    this.isAwaiting = false;
  }

  /** Removes the URLs of a picture, because it is gone or they do not work. The next `request` fetches new ones. */
  remove(imageId: string): void {
    this.known.delete(imageId);
    const url = this.local.get(imageId);
    if (url) URL.revokeObjectURL(url);
    this.local.delete(imageId);
  }

  private send(): void {
    // Pictures that were scrolled away in the meantime are requested when they are visible again.
    const images = [...this.requested.values()].filter(({ isVisible }) => isVisible()).map(({ image }) => image);
    this.requested = new Map();
    for (const { imageId } of images) this.inFlight.add(imageId);
    const listed = images.filter((image) => this.expectsThumbnails(image));
    for (let start = 0; start < listed.length; start += MAX_IDS) {
      void this.fetchList(listed.slice(start, start + MAX_IDS));
    }
    for (const image of images.filter((image) => !listed.includes(image))) void this.fetchImage(image);
  }

  /** Whether a list can contain a picture's thumbnails, now or in a moment. */
  private expectsThumbnails(image: Summary): boolean {
    if ((this.attempts.get(versionOf(image)) ?? 0) >= MAX_ATTEMPTS) return false;
    const justLabeled = image.status === 'LABELED' && Date.now() - Date.parse(image.updatedAt) < THUMBNAIL_DELAY;
    return image.thumbnails.length > 0 || justLabeled;
  }

  private async fetchList(images: readonly Summary[]): Promise<void> {
    const imageIds = images.map(({ imageId }) => imageId);
    const listed = await this.api.getImages(imageIds, new AbortController().signal).catch(() => []);
    for (const image of listed) this.addThumbnails(image);
    this.finish(images);
  }

  /** Lists do not contain the URL of the file itself, so this takes one request for each picture. */
  private async fetchImage(requested: Summary): Promise<void> {
    const response = this.limiter.run(() => this.api.getImage(requested.imageId, new AbortController().signal));
    const image = await response.catch(() => undefined);
    if (image) this.add(image);
    if (image && !this.known.has(requested.imageId)) {
      // The file cannot be displayed.
      this.inFlight.delete(requested.imageId);
      this.backingOff.add(versionOf(requested));
    } else this.finish([requested]);
  }

  private finish(images: readonly Summary[]): void {
    for (const image of images) {
      this.inFlight.delete(image.imageId);
      const version = versionOf(image);
      if (isValid(this.known.get(image.imageId))) {
        this.attempts.delete(version);
        continue;
      }
      const attempts = this.attempts.get(version) ?? 0;
      this.attempts.set(version, attempts + 1);
      this.backingOff.add(version);
      setTimeout(
        () => {
          this.backingOff.delete(version);
          this.changed();
        },
        backoffDelay(attempts, RETRY),
      );
    }
    this.changed();
  }

  private store(imageId: string, sources: Sources): void {
    const known = this.known.get(imageId);
    // A valid URL stays in use: with another signature, the browser would load the same picture again.
    if (known && isValid(known) && hasSameObjects(known, sources)) return;
    this.known.set(imageId, sources);
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** Identifies a picture until something about it changes. After it is labeled again, it can have thumbnails. */
function versionOf({ imageId, updatedAt }: Summary): string {
  return `${imageId} ${updatedAt}`;
}

function isValid(sources: Sources | undefined): boolean {
  return sources !== undefined && sources.expiresAt - Date.now() > EXPIRY_MARGIN;
}

/** The URL of the object that a presigned URL signs. */
export function withoutSignature(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

/** Whether two have the same objects, regardless of signatures. */
function hasSameObjects(one: Sources, other: Sources): boolean {
  const objects = ({ sources }: Sources) => sources.map(({ url }) => withoutSignature(url)).join();
  return objects(one) === objects(other);
}
