// A history that nobody has to wait for: records written straight into the table.
import { readFileSync } from 'node:fs';
import { AwsClient } from 'aws4fetch';
import { call, type Person } from './people.ts';
import { stack } from './stack.ts';

/** The photographs of `samples/`, with their dimensions in pixels and what they show. */
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
}

/** DynamoDB's limit for one write. */
const BATCH = 25;
/** Milliseconds between two pictures: eight a day. */
const APART = 3 * 3_600_000;

/** Gives a person so many labeled pictures, one every three hours, the newest from now. */
export async function seed(person: Person, count: number, of: (index: number) => Seeded = () => ({})): Promise<void> {
  const { sub } = person;
  for (const { file } of PHOTOGRAPHS) await putPicture(file);
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
  const { file = 'cat.jpg', labels = ['Cat', 'Animal'], fileName = `${index}.jpg`, width = 451, height = 300 } = seeded;
  const createdAt = new Date(now - index * APART).toISOString();
  const imageId = `0193506a-7d2e-7c61-9a54-${index.toString(16).padStart(12, '0')}`;
  const S = (value: string) => ({ S: value });
  const N = (value: number) => ({ N: String(value) });
  const L = (values: object[]) => ({ L: values });
  const label = (name: string, place: number) => ({
    M: { name: S(name), confidence: N(99 - place), instances: L([]), parents: L([]), aliases: L([]), categories: L([]) },
  });
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
    modelVersion: S('seeded'),
  };
}

/** A key without an owner: nothing is recorded for it, and whoever may read uploads may read it. */
function keyOf(file: string): string {
  return `uploads/seeded-${file}`;
}

async function putPicture(file: string): Promise<void> {
  const { accessKeyId, secretAccessKey, region, endpoint, bucket } = stack;
  const s3 = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3' });
  const response = await s3.fetch(`${endpoint}/${bucket}/${keyOf(file)}`, {
    method: 'PUT',
    headers: { 'content-type': 'image/jpeg' },
    body: new Uint8Array(readFileSync(new URL(`../../samples/${file}`, import.meta.url))),
  });
  if (!response.ok) throw new Error(`cannot put ${file}: ${response.status} ${await response.text()}`);
}
