// The HTTP API's shapes under the names that the page uses.
import type { components } from './schema';

type Schemas = components['schemas'];

export type BoundingBox = Readonly<Schemas['BoundingBox']>;
export type Execution = Schemas['Execution'];
export type FilterPolicy = Schemas['FilterPolicy'];
export type Image = Schemas['Image'];
export type Label = Schemas['Label'];
/** A label of the owner's, with the number of pictures that have it. */
export type CountedLabel = Schemas['LabelCount'];
/** A label as lists have it. */
export type SeenLabel = Schemas['LabelSummary'];
export type Status = Schemas['Status'];
export type Metadata = Schemas['Metadata'];
/** A status that pictures can be looked for by. */
export type ListedStatus = Exclude<Status, 'DELETED'>;
export type Step = Schemas['Step'];
/** A picture as lists have it. */
export type Summary = Schemas['ImageSummary'];
export type Upload = Schemas['Created'];
export type UploadRequest = Schemas['NewUpload'];

/** Whether nothing more will happen to a picture by itself. */
export function isFinal(status: Status): boolean {
  return status !== 'AWAITING_UPLOAD' && status !== 'PROCESSING';
}
