// Counts the pictures of a job before it starts, and what it costs. One response of the API is about a part of the library.
import { type ApiClient, MAX_IDS } from './client';
import type { Filter } from './filter';
import type { CorrectionChange, JobPreview } from './types';

/** The pictures that match a filter, or these pictures. */
export type Pictures = Filter | readonly string[];

/** What labeling pictures again would do. */
export interface RelabelPreview {
  readonly images: number;
  /** Minutes of the videos among them. */
  readonly videoMinutes: number;
  /** Videos that are too long for a job, and not among them. */
  readonly skippedVideos: number;
  /** About how much it costs, in US dollars. */
  readonly dollars: number;
  /** How many pictures the person can still label today. */
  readonly leftToday: number;
  /** How many minutes of video the person can still label today. */
  readonly minutesLeftToday: number;
}

const NOTHING: RelabelPreview = {
  images: 0,
  videoMinutes: 0,
  skippedVideos: 0,
  dollars: 0,
  leftToday: 0,
  minutesLeftToday: 0,
};

/** Counts pictures that would be labeled again. Calls `onProgress` with what is counted so far. Throws the API's error. */
export async function previewRelabel(
  api: Pick<ApiClient, 'previewRelabel'>,
  pictures: Pictures,
  olderModel: boolean,
  signal: AbortSignal,
  onProgress: (preview: RelabelPreview) => void = () => {},
): Promise<RelabelPreview> {
  let counted = NOTHING;
  for (const part of partsOf(pictures)) {
    for await (const answer of pagesOf((cursor) => api.previewRelabel(part, olderModel, cursor, signal))) {
      counted = {
        images: counted.images + answer.images,
        videoMinutes: counted.videoMinutes + answer.videoMinutes,
        skippedVideos: counted.skippedVideos + answer.skippedVideos,
        dollars: counted.dollars + answer.dollars,
        leftToday: answer.imagesLeftToday,
        minutesLeftToday: answer.videoMinutesLeftToday,
      };
      if (answer.nextCursor !== null) onProgress(counted);
    }
  }
  return counted;
}

/** Counts pictures whose labels a change of all results would change. Throws the API's error. */
export async function previewCorrection(
  api: Pick<ApiClient, 'previewCorrection'>,
  filter: Filter,
  change: CorrectionChange,
  signal: AbortSignal,
): Promise<number> {
  let images = 0;
  for await (const answer of pagesOf((cursor) => api.previewCorrection(filter, change, cursor, signal))) {
    images += answer.images;
  }
  return images;
}

/** What deleting all results would do. */
export interface DeletionPreview {
  readonly images: number;
  /** When they were counted. */
  readonly countedAt: string;
}

/** Counts pictures that would be deleted. Calls `onProgress` with how many are counted so far. Throws the API's error. */
export async function previewDeletion(
  api: Pick<ApiClient, 'previewDeletion'>,
  filter: Filter,
  signal: AbortSignal,
  onProgress: (images: number) => void,
): Promise<DeletionPreview> {
  let images = 0;
  let countedAt = '';
  for await (const answer of pagesOf((cursor) => api.previewDeletion(filter, cursor, signal))) {
    images += answer.images;
    // Pictures that are added while the others are counted are not among them.
    countedAt ||= answer.examinedAt;
    onProgress(images);
  }
  return { images, countedAt };
}

/** The responses about all parts of the library. */
async function* pagesOf(request: (cursor: string | undefined) => Promise<JobPreview>): AsyncGenerator<JobPreview> {
  let cursor: string | undefined;
  do {
    const answer = await request(cursor);
    yield answer;
    cursor = answer.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** As many pictures as a request can have. */
function partsOf(pictures: Pictures): readonly Pictures[] {
  if ('labels' in pictures) return [pictures];
  const parts = Math.ceil(pictures.length / MAX_IDS);
  return Array.from({ length: parts }, (_, part) => pictures.slice(part * MAX_IDS, (part + 1) * MAX_IDS));
}
