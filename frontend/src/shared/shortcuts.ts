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
    delete: 'Delete',
    back: 'Escape',
  },
  settings: {
    back: 'Escape',
  },
} as const;

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey'>;

/** A pressed key with its modifiers, as `KEYS` names it. Shift alone is part of the character that it types. */
export function keyOf({ key, ctrlKey, metaKey, shiftKey }: Pressed): string {
  if (!ctrlKey && !metaKey) return key;
  return `Control+${shiftKey ? 'Shift+' : ''}${key.toLowerCase()}`;
}

/** Whether a key is input for a text field or a list, not a shortcut. */
export function isTyping(event: KeyboardEvent): boolean {
  const origin = event.composedPath()[0];
  if (origin instanceof HTMLInputElement) return origin.type !== 'range';
  return origin instanceof HTMLSelectElement || origin instanceof HTMLTextAreaElement;
}
