// Deletes all data of the person. Each request deletes a part, so the page has to stay open, but not the settings.
import type { ApiClient } from '../api/client';
import { messageFor } from '../api/problem';
import { text } from '../shared/text';

export type DataDeletionState =
  | { readonly name: 'running' | 'done'; readonly deletedImages: number }
  | { readonly name: 'failed'; readonly reason: string };

/** Dispatches `change`, and `ended` when everything is deleted, or after an error. */
export class DataDeletion extends EventTarget {
  private current: DataDeletionState | undefined;

  /** Sends no more requests after `signal` is aborted. */
  constructor(
    private readonly api: Pick<ApiClient, 'deleteEverything'>,
    private readonly signal: AbortSignal,
  ) {
    super();
  }

  get state(): DataDeletionState | undefined {
    return this.current;
  }

  /** How it has ended, for the person. */
  get result(): { readonly sentence: string; readonly bad: boolean } | undefined {
    const { current } = this;
    if (!current || current.name === 'running') return undefined;
    if (current.name === 'failed') return { sentence: text.settings.notDeleted(current.reason), bad: true };
    return { sentence: text.settings.deleted(current.deletedImages), bad: false };
  }

  get isRunning(): boolean {
    return this.current?.name === 'running';
  }

  /** Deletes everything. Does not throw. */
  async start(): Promise<void> {
    if (this.isRunning) return;
    let deletedImages = 0;
    this.update({ name: 'running', deletedImages });
    try {
      for (let done = false; !done; ) {
        const part = await this.api.deleteEverything();
        this.signal.throwIfAborted();
        done = part.done;
        deletedImages += part.deletedImages;
        this.update({ name: done ? 'done' : 'running', deletedImages });
      }
    } catch (error) {
      if (this.signal.aborted) return;
      this.update({ name: 'failed', reason: messageFor(error) });
    }
    this.dispatchEvent(new Event('ended'));
  }

  /** Forgets how it has ended, after the person has seen that. */
  forget(): void {
    if (!this.isRunning) this.update(undefined);
  }

  private update(state: DataDeletionState | undefined): void {
    this.current = state;
    this.dispatchEvent(new Event('change'));
  }
}
