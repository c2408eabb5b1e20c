// Waiting for the page itself: for a tab that is looked at, and for a connection.

/** Resolves at once in a visible tab, otherwise when it is shown again. */
export function whenVisible(signal: AbortSignal): Promise<void> {
  return when(() => document.visibilityState === 'visible', document, 'visibilitychange', signal);
}

/** Resolves at once unless the browser knows that it is offline, otherwise when it is online again. */
export function whenOnline(signal: AbortSignal): Promise<void> {
  return when(() => navigator.onLine, window, 'online', signal);
}

function when(holds: () => boolean, target: EventTarget, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (holds()) return resolve();
    const done = new AbortController();
    const check = () => {
      if (!holds()) return;
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
