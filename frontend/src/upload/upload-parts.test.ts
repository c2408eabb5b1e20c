import { beforeEach, expect, test, vi } from 'vitest';
import type { ApiClient } from '../api/client';
import { ApiError, NetworkError } from '../api/problem';
import type { Part, UploadProgress } from '../api/types';
import { text } from '../shared/text';
import type { SavedUpload, SavedUploads } from './saved-uploads';
import type { PutOutcome } from './storage';
import { uploadParts, type Waiting } from './upload-parts';

const PROBLEM = 'urn:image-label-generator:problem:';
const PART_SIZE = 10;

/** S3, as far as the upload sees it. */
const s3 = { parts: new Map<number, string>(), outcomes: [] as PutOutcome[], running: 0, maxRunning: 0, puts: 0 };

vi.mock('./checksum', () => ({ sha256: async (bytes: Blob) => `sha-${await bytes.text()}` }));
vi.mock('./storage', () => ({
  putObject: async (upload: { url: string }, bytes: Blob, onProgress: (sent: number) => void): Promise<PutOutcome> => {
    s3.puts += 1;
    s3.running += 1;
    s3.maxRunning = Math.max(s3.maxRunning, s3.running);
    onProgress(0.5);
    const text = await bytes.text();
    s3.running -= 1;
    const outcome = s3.outcomes.shift() ?? 'stored';
    if (outcome === 'stored') s3.parts.set(Number(upload.url), `sha-${text}`);
    return outcome;
  },
}));
vi.mock('../shared/backoff', () => ({ backoffDelay: () => 0, sleep: async () => undefined }));
vi.mock('../shared/page-state', () => ({ whenOnline: async () => undefined }));

/** 45 bytes, all different within a part: five parts. */
const file = new File(['aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeee'], 'beach.mp4', { lastModified: 1 });
const request = { fileName: file.name, contentType: 'video/mp4', size: file.size };

class Service {
  started = 0;
  complete = false;
  /** Errors of the next requests of each kind. */
  errors: Partial<Record<'list' | 'complete' | 'presign', (Error | undefined)[]>> = {};

  get api(): ApiClient {
    const fail = (kind: keyof Service['errors']) => {
      const error = this.errors[kind]?.shift();
      if (error) throw error;
    };
    return {
      createUpload: async () => {
        this.started += 1;
        s3.parts.clear();
        return { imageId: `image-${this.started}` };
      },
      createPartUpload: async (_: string, { number }: Part) => {
        fail('presign');
        return { url: String(number), headers: {} };
      },
      listParts: async (): Promise<UploadProgress> => {
        fail('list');
        const parts = [...s3.parts].map(([number, sha256]) => ({ number, sha256 }));
        return { complete: this.complete, multipart: { partSize: PART_SIZE, partCount: 5 }, parts };
      },
      completeUpload: async (_: string, parts: Part[]) => {
        fail('complete');
        expect(parts.map(({ number, sha256 }) => [number, sha256])).toEqual([...s3.parts].sort(([a], [b]) => a - b));
        this.complete = true;
      },
    } as unknown as ApiClient;
  }
}

class Saved {
  uploads: Pick<SavedUpload, 'imageId'>[] = [];
  find = async () => this.uploads[0];
  save = async (imageId: string) => {
    this.uploads.push({ imageId });
  };
  forget = async (imageId: string) => {
    this.uploads = this.uploads.filter((saved) => saved.imageId !== imageId);
  };
  exclusively = (_: string, __: AbortSignal, task: () => Promise<void>) => task();
}

let service: Service;
let saved: Saved;
let progress: number[];
let waiting: (Waiting | undefined)[];
let ids: string[];

const upload = (signal = new AbortController().signal) =>
  uploadParts(service.api, request, file, {
    saved: saved as unknown as SavedUploads,
    signal,
    onImageId: (id) => ids.push(id),
    onProgress: (sent) => progress.push(sent),
    onMinutesLeft: () => {},
    onWaiting: (now) => waiting.push(now),
  });

beforeEach(() => {
  Object.assign(s3, { parts: new Map(), outcomes: [], running: 0, maxRunning: 0, puts: 0 });
  [service, saved, progress, waiting, ids] = [new Service(), new Saved(), [], [], []];
});

test('sends all parts, three at a time, and completes the upload', async () => {
  await upload();
  expect(service.complete).toBe(true);
  expect(s3.puts).toBe(5);
  expect(s3.maxRunning).toBe(3);
  expect(progress.at(-1)).toBe(1);
  expect(saved.uploads).toEqual([]);
});

test('continues a saved upload with the parts that are missing or belong to another file', async () => {
  saved.uploads = [{ imageId: 'image-0' }];
  s3.parts = new Map([
    [1, 'sha-aaaaaaaaaa'],
    [2, 'sha-of another file'],
    [5, 'sha-eeeee'],
  ]);
  await upload();
  expect(ids).toEqual(['image-0']);
  expect(service.started).toBe(0);
  expect(s3.puts).toBe(3);
  expect(service.complete).toBe(true);
});

test('a saved upload that was completed is not sent again', async () => {
  saved.uploads = [{ imageId: 'image-0' }];
  service.complete = true;
  await upload();
  expect(s3.puts).toBe(0);
  expect(saved.uploads).toEqual([]);
});

test('waits for the connection, and sends a part again', async () => {
  s3.outcomes = ['transient', 'expired', 'transient'];
  service.errors = { presign: [new NetworkError('offline')], complete: [new ApiError(503, 'busy')] };
  await upload();
  expect(service.complete).toBe(true);
  expect(s3.puts).toBe(8);
  expect(waiting).toContain('connection');
  expect(waiting).toContain('service');
  expect(progress.at(-1)).toBe(1);
});

test('starts again if the saved upload has expired', async () => {
  saved.uploads = [{ imageId: 'image-0' }];
  service.errors = { list: [new ApiError(410, 'expired', undefined, `${PROBLEM}upload-expired`)] };
  await upload();
  expect(ids).toEqual(['image-0', 'image-1']);
  expect(service.complete).toBe(true);
});

test('starts again if the upload expires while it is continued', async () => {
  saved.uploads = [{ imageId: 'image-0' }];
  service.errors = { list: [undefined, new ApiError(410, 'expired', undefined, `${PROBLEM}upload-expired`)] };
  s3.outcomes = ['rejected'];
  await upload();
  expect(ids).toEqual(['image-0', 'image-1']);
  expect(service.complete).toBe(true);
});

// A video that the person has deleted must not come back.
test.each([false, true])('ends when the video is deleted while it is uploaded; continued: %s', async (continued) => {
  if (continued) saved.uploads = [{ imageId: 'image-0' }];
  service.errors = { presign: [new ApiError(404, 'gone', undefined, `${PROBLEM}no-such-image`)] };
  await expect(upload()).rejects.toThrow(text.deleted);
  expect(service.started).toBe(continued ? 0 : 1);
  expect(saved.uploads).toEqual([]);
});

test('sends a part again that S3 has lost', async () => {
  service.errors = { complete: [new ApiError(409, 'missing', 'parts', `${PROBLEM}parts-missing`)] };
  await upload();
  expect(service.complete).toBe(true);
});

test('gives up if S3 keeps refusing a part, and the upload can be continued', async () => {
  s3.outcomes = Array.from({ length: 15 }, () => 'rejected');
  await expect(upload()).rejects.toThrow();
  expect(saved.uploads).toHaveLength(1);
});

test('stops when the person cancels', async () => {
  const controller = new AbortController();
  controller.abort(new Error('canceled'));
  await expect(upload(controller.signal)).rejects.toThrow('canceled');
  expect(s3.puts).toBe(0);
});
