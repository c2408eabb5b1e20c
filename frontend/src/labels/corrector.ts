// Corrects the labels of pictures, one or many, and undoes it.
import { type ApiClient, MAX_IDS } from '../api/client';
import { includesLabel, isSameLabel } from '../api/filter';
import { ApiError, messageFor } from '../api/problem';
import type { CorrectedImage, CorrectionChange, CorrectionResult, Corrections, Status, Summary } from '../api/types';
import { text } from '../shared/text';

/** A picture has other labels now; dispatched as `corrected`. */
export class CorrectedEvent extends Event {
  constructor(readonly image: Pick<CorrectedImage, 'imageId' | 'labels'> & Partial<CorrectedImage>) {
    super('corrected');
  }
}

/** Labels were changed; dispatched as `undoable`. */
export class UndoableEvent extends Event {
  constructor(
    readonly sentence: string,
    /** `undefined` if there is nothing to undo. */
    readonly undo: (() => Promise<void>) | undefined,
  ) {
    super('undoable', { bubbles: true, composed: true });
  }
}

/** The labels to add to pictures and to remove from them. No name is in both lists. */
export interface Edit {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Pictures with the same change, as many as one request can have. */
interface Batch {
  readonly ids: readonly string[];
  readonly change: CorrectionChange;
}

export interface BulkResult {
  readonly outcomes: Readonly<Record<CorrectionResult['outcome'], number>>;
  /** Pictures for which nothing is known, because their requests failed. */
  readonly failed: number;
  /** Why requests failed. */
  readonly causes: readonly unknown[];
  /** Restores the labels of the pictures that were changed; `undefined` if there are none. After an error, it can be called again. */
  readonly undo: (() => Promise<void>) | undefined;
}

type Api = Pick<ApiClient, 'correctLabels' | 'correctLabelsOfImages' | 'getImages'>;
type Labeled = Pick<Summary, 'imageId' | 'status' | 'labels'>;

/** Dispatches `corrected` for each picture with its new labels. */
export class Corrector extends EventTarget {
  /** Sends no more requests for several pictures after `signal` is aborted. */
  constructor(
    private readonly api: Api,
    private readonly signal: AbortSignal,
  ) {
    super();
  }

  /** Corrects one picture. Throws the API's error. */
  async correct(imageId: string, change: CorrectionChange): Promise<CorrectedImage> {
    const image = await this.api.correctLabels(imageId, change);
    this.dispatchEvent(new CorrectedEvent(image));
    return image;
  }

  /**
   * Corrects many pictures. Sends only what changes the labels of a picture, so that undoing restores them. Continues
   * after failed requests, and does not throw. Calls `onProgress` with the number of pictures that are done.
   */
  async correctAll(
    images: readonly Labeled[],
    edit: Edit,
    onProgress: (done: number) => void = () => {},
  ): Promise<BulkResult> {
    const batches = batchesOf(images, (image) => changeFor(image, edit));
    const sent = batches.reduce((sum, { ids }) => sum + ids.length, 0);
    const results = new Map<string, CorrectionResult['outcome']>();
    const causes: unknown[] = [];
    let done = images.length - sent;
    onProgress(done);
    for (const { ids, change } of batches) {
      if (this.signal.aborted) break;
      try {
        const answers = await this.api.correctLabelsOfImages(ids, change, this.signal);
        for (const { imageId, outcome } of answers) results.set(imageId, outcome);
      } catch (cause) {
        causes.push(cause);
      }
      done += ids.length;
      onProgress(done);
    }
    const outcomes = {
      CORRECTED: 0,
      UNCHANGED: images.length - sent,
      NO_SUCH_IMAGE: 0,
      NOT_LABELED: 0,
      TOO_MANY_CORRECTIONS: 0,
    };
    for (const outcome of results.values()) outcomes[outcome] += 1;
    const corrected = images.filter(({ imageId }) => results.get(imageId) === 'CORRECTED');
    await this.reload(corrected).catch((cause: unknown) => causes.push(cause));
    const undo = corrected.length > 0 ? this.restorer(corrected, edit) : undefined;
    return { outcomes, failed: sent - results.size, causes, undo };
  }

  /**
   * Returns a function that restores the labels that pictures had before an edit. It throws the first error, and continues
   * there when it is called again.
   */
  private restorer(before: readonly Labeled[], edit: Edit): () => Promise<void> {
    const unsent = batchesOf(before, (image) => restoring(image, edit));
    return async () => {
      for (let batch = unsent[0]; batch; batch = unsent[0]) {
        await this.api.correctLabelsOfImages(batch.ids, batch.change, this.signal);
        unsent.shift();
      }
      await this.removeAgain(before, edit);
    };
  }

  /** Removes the labels of an edit that the owner had removed before it. */
  private async removeAgain(before: readonly Labeled[], edit: Edit): Promise<void> {
    const after = new Map((await this.reload(before)).map((image) => [image.imageId, image]));
    // A list of pictures does not say which labels the owner had removed. They are those that come back now.
    const again = batchesOf(before, (image) => removedBefore(image, after.get(image.imageId), edit));
    for (const { ids, change } of again) await this.api.correctLabelsOfImages(ids, change, this.signal);
    if (again.length > 0) await this.reload(before);
  }

  /** Requests pictures, and dispatches `corrected` for each. */
  private async reload(images: readonly Labeled[]): Promise<readonly Summary[]> {
    const ids = images.map(({ imageId }) => imageId);
    const found: Summary[] = [];
    for (let start = 0; start < ids.length; start += MAX_IDS) {
      found.push(...(await this.api.getImages(ids.slice(start, start + MAX_IDS), this.signal)));
    }
    for (const image of found) this.dispatchEvent(new CorrectedEvent(image));
    return found;
  }
}

/** The change that restores a picture's corrections, as they were before `change`. */
export function inverse(
  { add = [], remove = [], reset = [] }: CorrectionChange,
  before: Corrections,
): CorrectionChange {
  const names = [...add, ...remove, ...reset];
  const wasAdded = (name: string) => includesLabel(before.added, name);
  const wasRemoved = (name: string) => includesLabel(before.removed, name);
  return {
    add: names.filter(wasAdded),
    remove: names.filter(wasRemoved),
    reset: names.filter((name) => !wasAdded(name) && !wasRemoved(name)),
  };
}

/** Why a correction failed, for people. */
export function correctionProblem(error: unknown): string {
  const known = error instanceof ApiError && error.problem ? text.corrections.problems[error.problem] : undefined;
  return known ?? messageFor(error);
}

/** The part of an edit that changes the labels of a picture. While it is being labeled, its next labels are unknown. */
function changeFor(image: Labeled, { add, remove }: Edit): CorrectionChange {
  if (isUnknown(image.status)) return { add, remove };
  return {
    add: add.filter((name) => !labelOf(image, name)),
    remove: remove.filter((name) => labelOf(image, name)),
  };
}

/** What undoes `changeFor`, as far as the labels of the picture say. */
function restoring(image: Labeled, edit: Edit): CorrectionChange {
  const { add = [], remove = [] } = changeFor(image, edit);
  const names = [...add, ...remove];
  return {
    add: names.filter((name) => labelOf(image, name)?.added),
    reset: names.filter((name) => !labelOf(image, name)?.added),
  };
}

/** The labels of an edit that a picture did not have before, but has now. */
function removedBefore(before: Labeled, after: Labeled | undefined, edit: Edit): CorrectionChange {
  if (!after || isUnknown(before.status)) return {};
  const names = [...edit.add, ...edit.remove];
  return { remove: names.filter((name) => !labelOf(before, name) && labelOf(after, name)) };
}

function isUnknown(status: Status): boolean {
  return status !== 'LABELED';
}

function labelOf({ labels }: Labeled, name: string) {
  return labels.find((label) => isSameLabel(label.name, name));
}

/** Groups pictures by their change, without those that have none. */
function batchesOf(images: readonly Labeled[], changeOf: (image: Labeled) => CorrectionChange): Batch[] {
  const groups = new Map<string, { readonly change: CorrectionChange; readonly ids: string[] }>();
  for (const image of images) {
    const change = changeOf(image);
    const { add = [], remove = [], reset = [] } = change;
    if (add.length + remove.length + reset.length === 0) continue;
    const key = JSON.stringify([add, remove, reset]);
    const group = groups.get(key) ?? { change, ids: [] };
    group.ids.push(image.imageId);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ change, ids }) =>
    Array.from({ length: Math.ceil(ids.length / MAX_IDS) }, (_, part) => ({
      change,
      ids: ids.slice(part * MAX_IDS, (part + 1) * MAX_IDS),
    })),
  );
}

declare global {
  interface HTMLElementEventMap {
    undoable: UndoableEvent;
  }
}
