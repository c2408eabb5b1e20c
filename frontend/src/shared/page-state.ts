// Waits for the page: until its tab is visible, and until the browser is online.

/** Resolves when the tab is visible. */
export function whenVisible(signal: AbortSignal): Promise<void> {
  return when(() => document.visibilityState === 'visible', document, 'visibilitychange', signal);
}

/** Resolves when the browser is online. */
export function whenOnline(signal: AbortSignal): Promise<void> {
  return when(() => navigator.onLine, window, 'online', signal);
}

function when(condition: () => boolean, target: EventTarget, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (condition()) return resolve();
    const done = new AbortController();
    const check = () => {
      if (!condition()) return;
      done.abort();
      resolve();
    };
    target.addEventListener(event, check, { signal: done.signal });
    signal.addEventListener(
      'abort',
      () => {
        done.abort();
        reject(signal.reason);
      },
      { signal: done.signal },
    );
  });
}
