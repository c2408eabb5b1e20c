// The event for a label that the person points at, in the list or in the picture.

/** Dispatched as `highlight` with the label's name, or `undefined` when the person points at none. */
export class HighlightEvent extends Event {
  constructor(readonly label: string | undefined) {
    super('highlight');
  }
}

declare global {
  interface HTMLElementEventMap {
    highlight: HighlightEvent;
  }
}
