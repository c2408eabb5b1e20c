// The page that the service worker shows instead of one that can't be loaded. Its address is that of the requested page, so
// that reloading opens it.

/** Says whether the browser or the service is the problem. */
function show(): void {
  for (const [id, shown] of [['offline', !navigator.onLine] as const, ['unreachable', navigator.onLine] as const]) {
    const section = document.getElementById(id);
    if (section) section.hidden = !shown;
  }
}

document.querySelector('button')?.addEventListener('click', () => location.reload());
window.addEventListener('online', () => location.reload());
window.addEventListener('offline', show);
show();
