// The event for files that were dropped, pasted or chosen.

/** Dispatched as `files`. It bubbles. */
export class FilesEvent extends Event {
  constructor(
    readonly files: readonly File[],
    /** How many files in folders were skipped, because they are not pictures. */
    readonly skipped = 0,
  ) {
    super('files', { bubbles: true, composed: true });
  }
}

declare global {
  interface HTMLElementEventMap {
    files: FilesEvent;
  }
}
