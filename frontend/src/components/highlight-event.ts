// A label pointed at, in the list or in the picture.

/** Dispatched as `highlight` with the label's name, or `undefined` when nothing is pointed at any more. */
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
