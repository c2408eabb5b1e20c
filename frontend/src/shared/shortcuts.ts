// The keys of all keyboard shortcuts, by view. The handlers and the overview both use them, so that they agree.

/** Named like `KeyboardEvent.key`. `Control+` also means Command. */
export const KEYS = {
  everywhere: {
    shortcuts: '?',
    undo: 'Control+z',
    /** Browsers dispatch it as `paste`. */
    paste: 'Control+v',
  },
  library: {
    search: '/',
    previous: 'ArrowLeft',
    next: 'ArrowRight',
    above: 'ArrowUp',
    below: 'ArrowDown',
    first: 'Home',
    last: 'End',
  },
  selection: {
    toggle: 'x',
    toggleRange: 'Shift+x',
    all: 'Control+a',
    editLabels: 'l',
    download: 'd',
    delete: 'Delete',
    toolbar: 'Alt+F10',
    nextTool: 'ArrowRight',
    previousTool: 'ArrowLeft',
    clear: 'Escape',
  },
  timeline: {
    newer: 'ArrowUp',
    older: 'ArrowDown',
    newerYear: 'PageUp',
    olderYear: 'PageDown',
    newest: 'Home',
    oldest: 'End',
  },
  field: {
    nextSuggestion: 'ArrowDown',
    previousSuggestion: 'ArrowUp',
    accept: 'Enter',
    closeSuggestions: 'Escape',
    removeLast: 'Backspace',
  },
  picture: {
    previous: 'ArrowLeft',
    next: 'ArrowRight',
    addLabel: 'l',
    download: 'd',
    delete: 'Delete',
    back: 'Escape',
  },
  video: {
    previousSegment: 'ArrowLeft',
    nextSegment: 'ArrowRight',
    previousLane: 'ArrowUp',
    nextLane: 'ArrowDown',
    firstSegment: 'Home',
    lastSegment: 'End',
  },
  settings: {
    back: 'Escape',
  },
  labels: {
    back: 'Escape',
  },
  duplicates: {
    back: 'Escape',
  },
} as const;

type Pressed = Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>;

/** A pressed key with its modifiers, as `KEYS` names it. Shift is part of a character that is not a letter. */
export function keyOf({ key, altKey, ctrlKey, metaKey, shiftKey }: Pressed): string {
  const control = ctrlKey || metaKey;
  const isLetter = /^[a-z]$/i.test(key);
  const shift = shiftKey && (control || isLetter);
  return `${control ? 'Control+' : ''}${altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${isLetter ? key.toLowerCase() : key}`;
}

/** Whether a key is input for a text field or a list, not a shortcut. */
export function isTyping(event: KeyboardEvent): boolean {
  const origin = event.composedPath()[0];
  if (origin instanceof HTMLInputElement) return origin.type !== 'range';
  return origin instanceof HTMLSelectElement || origin instanceof HTMLTextAreaElement;
}
