// Files given to the page, however they were given.

/** Dispatched as `files`, up to the page's root. */
export class FilesEvent extends Event {
  constructor(
    readonly files: readonly File[],
    /** How many files of folders were no pictures and have been left out. */
    readonly left = 0,
  ) {
    super('files', { bubbles: true, composed: true });
  }
}

declare global {
  interface HTMLElementEventMap {
    files: FilesEvent;
  }
}
