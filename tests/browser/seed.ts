// Seeds a person's history by writing records directly to the table.
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { AwsClient } from 'aws4fetch';
import { call, type Person } from './people.ts';
import { stack } from './stack.ts';

/**
 * The photographs of `samples/`, with their dimensions in pixels and their labels. `thumbnails/` contains their small
 * thumbnails. The photographs are also used as large thumbnails.
 */
export const PHOTOGRAPHS = [
  { file: 'cat.jpg', width: 451, height: 300, labels: ['Cat', 'Animal', 'Mammal', 'Pet'] },
  { file: 'coffee.jpg', width: 600, height: 400, labels: ['Cup', 'Coffee', 'Beverage'] },
  { file: 'astronaut.jpg', width: 512, height: 512, labels: ['Person', 'Astronaut', 'Adult'] },
  { file: 'photographer.jpg', width: 512, height: 512, labels: ['Person', 'Photography', 'Tripod'] },
] as const;

/** The properties of a seeded picture that differ from the defaults. */
export interface Seeded {
  readonly file?: string;
  readonly labels?: readonly string[];
  /** What the model also found, with confidences that are too low to count. */
  readonly others?: Readonly<Record<string, number>>;
  readonly fileName?: string;
  /** When it was taken, by the camera's clock: `2015-07-13T18:20:00.000`. By default when it was added, in UTC. */
  readonly time?: string;
  /** When the file says that it was taken: `2015-07-13T18:20:00`. */
  readonly takenAt?: string;
  /** The SHA-256 of the file, in base64. */
  readonly checksum?: string;
  /** In pixels, for the layout. */
  readonly width?: number;
  readonly height?: number;
  /** The version of the model that found the labels. */
  readonly modelVersion?: string;
  /** Whether it has thumbnails. */
  readonly thumbnails?: boolean;
  /** Why it has none. */
  readonly thumbnailsError?: string;
  /** Whether a part of the picture is missing from its file. */
  readonly incomplete?: boolean;
}

interface Thumbnail {
  readonly key: string;
  readonly width: number;
  readonly height: number;
}

/** The longer side of small thumbnails, in pixels. */
const SMALL = 320;
/** How many copies of each small thumbnail are stored, so that the pictures on a screen have different URLs. */
const COPIES = 25;
/** Pictures in one write: DynamoDB accepts 25 items, and each picture has two. */
const BATCH = 12;
/**
 * When the newest picture was added, in UTC. A fixed time: which days pictures belong to must not depend on when a test runs. In
 * a past year: the page leaves out the year of days in the current one.
 */
const NEWEST = Date.UTC(2025, 0, 31, 21);
/** The time between two pictures, in milliseconds. Each day has eight. */
const INTERVAL = 3 * 3_600_000;

/** Adds labeled pictures to a person's history, one for every three hours before January 31, 2025, 9 p.m. (UTC). */
export async function seed(person: Person, count: number, of: (index: number) => Seeded = () => ({})): Promise<void> {
  const { sub } = person;
  await Promise.all(PHOTOGRAPHS.map(({ file }) => putPicture(sub, file, Math.min(count, COPIES))));
  for (let start = 0; start < count; start += BATCH) {
    const items = Array.from({ length: Math.min(BATCH, count - start) }, (_, index) =>
      image(sub, start + index, of(start + index)),
    ).flat();
    await call('dynamodb', 'DynamoDB_20120810.BatchWriteItem', {
      RequestItems: { [stack.table]: items.map((Item) => ({ PutRequest: { Item } })) },
    });
  }
}

/** The execution in the records. It does not exist. */
const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:label-image:seeded';

/** The id of a seeded picture. */
export function seededId(index: number): string {
  return `0193506a-7d2e-7c61-9a54-${index.toString(16).padStart(12, '0')}`;
}

/** A picture's record and its result. */
function image(owner: string, index: number, seeded: Seeded) {
  const { file = 'cat.jpg', labels = ['Cat', 'Animal'], fileName = `${index}.jpg`, thumbnails = true } = seeded;
  const { width = 451, height = 300, thumbnailsError, incomplete = false, checksum, others = {} } = seeded;
  const { modelVersion = 'seeded', takenAt } = seeded;
  const createdAt = new Date(NEWEST - index * INTERVAL).toISOString();
  const { time = createdAt.slice(0, -'Z'.length) } = seeded;
  const imageId = seededId(index);
  const S = (value: string) => ({ S: value });
  const N = (value: number) => ({ N: String(value) });
  const L = (values: object[]) => ({ L: values });
  const brief = (name: string, place: number) => ({ name: S(name), confidence: N(99 - place) });
  const found = (name: string, confidence: number) => {
    return { name, confidence, instances: [], parents: [], aliases: [], categories: [] };
  };
  const answer = [
    ...labels.map((name, place) => found(name, 99 - place)),
    ...Object.entries(others).map(([name, confidence]) => found(name, confidence)),
  ];
  const thumbnail = ({ key, width, height }: Thumbnail) => ({ M: { key: S(key), width: N(width), height: N(height) } });
  const result = {
    pk: S(`OWNER#${owner}`),
    sk: S(`RESULT#${imageId}`),
    executionArn: S(EXECUTION),
    answer: { B: deflateSync(JSON.stringify(answer)).toString('base64') },
  };
  const record = {
    pk: S(`OWNER#${owner}`),
    sk: S(`IMAGE#${imageId}`),
    history: S(`${time}#${imageId}`),
    imageId: S(imageId),
    owner: S(owner),
    status: S('LABELED'),
    createdAt: S(createdAt),
    updatedAt: S(createdAt),
    key: S(keyOf(owner, file)),
    bucket: S(stack.bucket),
    fileName: S(fileName),
    format: S('JPEG'),
    size: N(20_000),
    width: N(width),
    height: N(height),
    executionArn: S(EXECUTION),
    sequencer: S('0a'.padStart(64, '0')),
    labels: L(labels.map((name, place) => ({ M: brief(name, place) }))),
    thumbnails: L(thumbnails ? thumbnailsOf(file, index % COPIES).map(thumbnail) : []),
    ...(thumbnailsError ? { thumbnailsError: { M: { name: S('TooComplex'), message: S(thumbnailsError) } } } : {}),
    ...(incomplete ? { incomplete: { BOOL: true } } : {}),
    ...(checksum ? { checksum: S(checksum) } : {}),
    ...(takenAt ? { metadata: { M: { takenAt: S(takenAt) } } } : {}),
    modelVersion: S(modelVersion),
  };
  return [record, result];
}

/**
 * A key below `uploads/` without the folder of an owner: the API can sign it, and the workflow ignores it. Each person has
 * other files, because deleting a picture deletes its file.
 */
function keyOf(owner: string, file: string): string {
  return `uploads/seeded-${owner}-${file}`;
}

/** Smallest first, like in a record. */
function thumbnailsOf(file: string, copy: number): [small: Thumbnail, large: Thumbnail] {
  const { width, height } = PHOTOGRAPHS.find((photograph) => photograph.file === file) ?? PHOTOGRAPHS[0];
  const shrink = SMALL / Math.max(width, height);
  return [
    { key: `thumbnails/seeded/${file}/${copy}`, width: Math.round(width * shrink), height: Math.round(height * shrink) },
    { key: `thumbnails/seeded/${file}/large`, width, height },
  ];
}

/** The objects that this process has already stored, or is storing, by key. */
const stored = new Map<string, Promise<void>>();

async function putPicture(owner: string, file: string, copies: number): Promise<void> {
  const photograph = readFileSync(new URL(`../../samples/${file}`, import.meta.url));
  const small = readFileSync(new URL(`thumbnails/${file}`, import.meta.url));
  await putOnce(keyOf(owner, file), photograph);
  await putOnce(thumbnailsOf(file, 0)[1].key, photograph);
  for (let copy = 0; copy < copies; copy += 1) await putOnce(thumbnailsOf(file, copy)[0].key, small);
}

/** Stores an object that seeded histories share. */
function putOnce(key: string, jpeg: Buffer): Promise<void> {
  const storing = stored.get(key) ?? put(key, jpeg);
  stored.set(key, storing);
  return storing;
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
