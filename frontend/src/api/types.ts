// The types of the HTTP API under the names that the page uses.
import type { components } from './schema';

type Schemas = components['schemas'];

/** The owner's stored settings, and the job that applies them. */
export type AppliedSettings = Schemas['AppliedSettings'];
export type BoundingBox = Readonly<Schemas['BoundingBox']>;
/** A picture after a correction of its labels. */
export type CorrectedImage = Schemas['CorrectedImage'];
/** A change of pictures' corrections: labels to add, to remove, and to leave to the model and the settings again. */
export interface CorrectionChange {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly reset?: readonly string[];
}
/** What became of one of several pictures. */
export type CorrectionResult = Schemas['CorrectionResult'];
export type Corrections = Readonly<Schemas['Corrections']>;
/** Pictures with identical files. */
export type DuplicateGroup = Schemas['DuplicateGroup'];
export type Execution = Schemas['Execution'];
/** A file of an export that has succeeded. */
export type ExportedFile = Schemas['File'];
export type ExportFormat = Schemas['ExportFormat'];
export type FilterPolicy = Schemas['FilterPolicy'];
export type Image = Schemas['Image'];
export type Job = Schemas['Job'];
/** The pictures of a job in a part of the library, and what they cost. */
export type JobPreview = Schemas['Preview'];
export type Label = Schemas['Label'];
/** Which labels count, and their names. */
export type LabelSettings = Schemas['LabelSettings'];
/** A label that the model found, but that does not count. */
export type OtherLabel = Schemas['OtherLabel'];
export type Rename = Schemas['Rename'];
/** One of the owner's labels, with the number of pictures that have it. */
export type CountedLabel = Schemas['LabelCount'];
/** A label of a picture in a list. */
export type LabelSummary = Schemas['LabelSummary'];
export type Status = Schemas['Status'];
export type Metadata = Schemas['Metadata'];
/** A status that pictures can be filtered by. */
export type ListedStatus = Exclude<Status, 'DELETED'>;
export type Step = Schemas['Step'];
/** A picture in a list. */
export type Summary = Schemas['ImageSummary'];
/** A part of a file, with its checksum. */
export type Part = Schemas['Part'];
/** A presigned PUT of a file or a part. */
export type PresignedPut = Readonly<Pick<Schemas['Upload'], 'url' | 'headers'>>;
export type Upload = Schemas['Created'];
/** The progress of a multipart upload. */
export type UploadProgress = Schemas['UploadProgress'];
export type UploadRequest = Schemas['NewUpload'];

/** Picture or video. */
export type MediaType = Schemas['MediaType'];
/** A box in a video at a time, in fractions of the width and height. */
export type BoxAt = Readonly<Schemas['VideoBox']>;
/** A part of a video in which a label is seen. */
export type Segment = Readonly<Omit<Schemas['VideoSegment'], 'boxes'>> & { readonly boxes: readonly BoxAt[] };
/** When a label is seen in a video. */
export interface Lane {
  readonly name: string;
  readonly segments: readonly Segment[];
}
/** A part of a video's timeline. */
export type VideoTimeline = Schemas['VideoTimeline'];

/** Whether a file is a video. */
export function isVideo({ type }: Pick<Summary, 'type'>): boolean {
  return type === 'VIDEO';
}

/** Whether processing has ended. */
export function isFinal(status: Status): boolean {
  return status !== 'AWAITING_UPLOAD' && status !== 'PROCESSING';
}
