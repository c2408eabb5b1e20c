// Reads what the page has stored in the browser.

/** The JSON under a key; `undefined` if there is none. Anything can be stored there: the caller checks its form. */
export function readStored<T>(storage: Storage, key: string): T | undefined {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
