// A history that nobody has to wait for: records written straight into the table.
import { readFileSync } from 'node:fs';
import { AwsClient } from 'aws4fetch';
import { call, type Person } from './people.ts';
import { stack } from './stack.ts';

/**
 * The photographs of `samples/`, with their dimensions in pixels and what they show. `thumbnails/` has the small ones, as
 * the system makes them; the large ones are not larger than the photographs.
 */
export const PHOTOGRAPHS = [
  { file: 'cat.jpg', width: 451, height: 300, labels: ['Cat', 'Animal', 'Mammal', 'Pet'] },
  { file: 'coffee.jpg', width: 600, height: 400, labels: ['Cup', 'Coffee', 'Beverage'] },
  { file: 'astronaut.jpg', width: 512, height: 512, labels: ['Person', 'Astronaut', 'Adult'] },
  { file: 'photographer.jpg', width: 512, height: 512, labels: ['Person', 'Photography', 'Tripod'] },
] as const;

/** What a seeded picture has of its own. */
export interface Seeded {
  readonly file?: string;
  readonly labels?: readonly string[];
  readonly fileName?: string;
  /** Width and height in pixels, for the layout. */
  readonly width?: number;
  readonly height?: number;
  /** Whether thumbnails have been made of it. */
  readonly thumbnails?: boolean;
}

interface Thumbnail {
  readonly key: string;
  readonly width: number;
  readonly height: number;
}

/** The longer side of small thumbnails, in pixels. */
const SMALL = 320;
/** Small thumbnails of each photograph, each under a key of its own: of a page of the history, no two have one address. */
const COPIES = 25;
/** DynamoDB's limit for one write. */
const BATCH = 25;
/** Milliseconds between two pictures: eight a day. */
const APART = 3 * 3_600_000;

/** Gives a person so many labeled pictures, one every three hours, the newest from now. */
export async function seed(person: Person, count: number, of: (index: number) => Seeded = () => ({})): Promise<void> {
  const { sub } = person;
  await Promise.all(PHOTOGRAPHS.map(({ file }) => putPicture(file, Math.min(count, COPIES))));
  const now = Date.now();
  for (let start = 0; start < count; start += BATCH) {
    const items = Array.from({ length: Math.min(BATCH, count - start) }, (_, index) =>
      record(sub, start + index, now, of(start + index)),
    );
    await call('dynamodb', 'DynamoDB_20120810.BatchWriteItem', {
      RequestItems: { [stack.table]: items.map((Item) => ({ PutRequest: { Item } })) },
    });
  }
}

function record(owner: string, index: number, now: number, seeded: Seeded) {
  const { file = 'cat.jpg', labels = ['Cat', 'Animal'], fileName = `${index}.jpg`, thumbnails = true } = seeded;
  const { width = 451, height = 300 } = seeded;
  const createdAt = new Date(now - index * APART).toISOString();
  const imageId = `0193506a-7d2e-7c61-9a54-${index.toString(16).padStart(12, '0')}`;
  const S = (value: string) => ({ S: value });
  const N = (value: number) => ({ N: String(value) });
  const L = (values: object[]) => ({ L: values });
  const label = (name: string, place: number) => ({
    M: { name: S(name), confidence: N(99 - place), instances: L([]), parents: L([]), aliases: L([]), categories: L([]) },
  });
  const thumbnail = ({ key, width, height }: Thumbnail) => ({ M: { key: S(key), width: N(width), height: N(height) } });
  return {
    pk: S(`OWNER#${owner}`),
    sk: S(`IMAGE#${imageId}`),
    history: S(`${createdAt}#${imageId}`),
    imageId: S(imageId),
    owner: S(owner),
    status: S('LABELED'),
    createdAt: S(createdAt),
    updatedAt: S(createdAt),
    key: S(keyOf(file)),
    bucket: S(stack.bucket),
    fileName: S(fileName),
    format: S('JPEG'),
    size: N(20_000),
    width: N(width),
    height: N(height),
    labels: L(labels.map(label)),
    thumbnails: L(thumbnails ? thumbnailsOf(file, index % COPIES).map(thumbnail) : []),
    modelVersion: S('seeded'),
  };
}

/** A key without an owner: nothing is recorded for it, and whoever may read uploads may read it. */
function keyOf(file: string): string {
  return `uploads/seeded-${file}`;
}

/** Smallest first, as records have them. */
function thumbnailsOf(file: string, copy: number): [small: Thumbnail, large: Thumbnail] {
  const { width, height } = PHOTOGRAPHS.find((photograph) => photograph.file === file) ?? PHOTOGRAPHS[0];
  const shrink = SMALL / Math.max(width, height);
  return [
    { key: `thumbnails/seeded/${file}/${copy}`, width: Math.round(width * shrink), height: Math.round(height * shrink) },
    { key: `thumbnails/seeded/${file}/large`, width, height },
  ];
}

async function putPicture(file: string, copies: number): Promise<void> {
  const photograph = readFileSync(new URL(`../../samples/${file}`, import.meta.url));
  const small = readFileSync(new URL(`thumbnails/${file}`, import.meta.url));
  await put(keyOf(file), photograph);
  await put(thumbnailsOf(file, 0)[1].key, photograph);
  for (let copy = 0; copy < copies; copy += 1) await put(thumbnailsOf(file, copy)[0].key, small);
}

async function put(key: string, jpeg: Buffer): Promise<void> {
  const { accessKeyId, secretAccessKey, region, endpoint, bucket } = stack;
  const s3 = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3' });
  const response = await s3.fetch(`${endpoint}/${bucket}/${key}`, {
    method: 'PUT',
    headers: { 'content-type': 'image/jpeg' },
    body: new Uint8Array(jpeg),
  });
  if (!response.ok) throw new Error(`cannot put ${key}: ${response.status} ${await response.text()}`);
}
