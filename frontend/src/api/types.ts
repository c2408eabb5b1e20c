// The shapes of the HTTP API, and the reading of its answers. What comes over the network is checked here once, so that
// the rest of the page can trust its types.

/** Where a picture stands. `LABELED`, `REJECTED`, `FAILED` and `DELETED` are final. */
export type Status = 'AWAITING_UPLOAD' | 'PROCESSING' | 'LABELED' | 'REJECTED' | 'FAILED' | 'DELETED';

const STATUSES: readonly string[] = ['AWAITING_UPLOAD', 'PROCESSING', 'LABELED', 'REJECTED', 'FAILED', 'DELETED'];

/** A rectangle as fractions (0 to 1) of the picture's width and height, after EXIF orientation. */
export interface BoundingBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One place in the picture where the label was found. */
export interface Instance {
  /** 0 to 100. */
  readonly confidence: number;
  readonly boundingBox: BoundingBox;
}

/** Something seen in the picture. */
export interface Label {
  readonly name: string;
  /** 0 to 100. */
  readonly confidence: number;
  readonly instances: readonly Instance[];
  readonly parents: readonly string[];
  readonly aliases: readonly string[];
  readonly categories: readonly string[];
}

/** A picture's record, as `GET /images/{imageId}` answers. What is not known yet is absent. */
export interface Image {
  readonly imageId: string;
  readonly status: Status;
  readonly fileName: string | undefined;
  /** In bytes. */
  readonly size: number | undefined;
  /** In pixels, of the stored file. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Highest confidence first. */
  readonly labels: readonly Label[];
  readonly modelVersion: string | undefined;
  readonly error: { readonly name: string; readonly message: string } | undefined;
}

/** What `POST /uploads` wants to know. */
export interface UploadRequest {
  readonly fileName: string;
  readonly contentType: string;
  /** In bytes. */
  readonly size: number;
  /** Base64. */
  readonly sha256: string;
}

/** Leave to store one file, once, until `expiresAt`. */
export interface UploadTicket {
  readonly imageId: string;
  readonly url: string;
  /** To be sent exactly: the signature covers them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Whether nothing more will happen to a picture by itself. */
export function isFinal(status: Status): boolean {
  return status !== 'AWAITING_UPLOAD' && status !== 'PROCESSING';
}

/** Reads an answer to `GET /images/{imageId}`; `undefined` if it is no such answer. */
export function readImage(value: unknown): Image | undefined {
  const { imageId, status, fileName, size, width, height, labels, modelVersion, error } = record(value);
  if (typeof imageId !== 'string' || typeof status !== 'string' || !STATUSES.includes(status)) return undefined;
  const { name, message } = record(error);
  return {
    imageId,
    status: status as Status,
    fileName: string(fileName),
    size: number(size),
    width: number(width),
    height: number(height),
    labels: list(labels).flatMap(readLabel),
    modelVersion: string(modelVersion),
    error: error ? { name: string(name) ?? '', message: string(message) ?? '' } : undefined,
  };
}

/** Reads an answer to `POST /uploads`; `undefined` if it is no such answer. */
export function readUploadTicket(value: unknown): UploadTicket | undefined {
  const { imageId, upload } = record(value);
  const { method, url, headers } = record(upload);
  if (typeof imageId !== 'string' || typeof url !== 'string' || method !== 'PUT') return undefined;
  const pairs = Object.entries(record(headers)).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return { imageId, url, headers: Object.fromEntries(pairs) };
}

function readLabel(value: unknown): Label[] {
  const { name, confidence, instances, parents, aliases, categories } = record(value);
  if (typeof name !== 'string') return [];
  return [
    {
      name,
      confidence: number(confidence) ?? 0,
      instances: list(instances).flatMap(readInstance),
      parents: list(parents).filter((item) => typeof item === 'string'),
      aliases: list(aliases).filter((item) => typeof item === 'string'),
      categories: list(categories).filter((item) => typeof item === 'string'),
    },
  ];
}

function readInstance(value: unknown): Instance[] {
  const { confidence, boundingBox } = record(value);
  const { left, top, width, height } = record(boundingBox);
  const box = { left: number(left), top: number(top), width: number(width), height: number(height) };
  if (Object.values(box).includes(undefined)) return [];
  return [{ confidence: number(confidence) ?? 0, boundingBox: box as BoundingBox }];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
