// The types of the HTTP API under the names that the page uses.
import type { components } from './schema';

type Schemas = components['schemas'];

export type BoundingBox = Readonly<Schemas['BoundingBox']>;
/** Pictures with identical files. */
export type DuplicateGroup = Schemas['DuplicateGroup'];
export type Execution = Schemas['Execution'];
export type FilterPolicy = Schemas['FilterPolicy'];
export type Image = Schemas['Image'];
export type Label = Schemas['Label'];
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
export type Upload = Schemas['Created'];
export type UploadRequest = Schemas['NewUpload'];

/** Whether processing has ended. */
export function isFinal(status: Status): boolean {
  return status !== 'AWAITING_UPLOAD' && status !== 'PROCESSING';
}
