// The entry of the page: defines the elements, among them <ilg-app> of index.html.
import './app';
import { reloadWhenOutdated } from './reload';

reloadWhenOutdated();

if (import.meta.env.PROD) {
  // After the page has loaded, because it works without a service worker. Some browsers have none in private windows.
  window.addEventListener('load', () => {
    navigator.serviceWorker
      ?.register('/service-worker.js')
      .catch((error) => console.info('The offline page is not available.', error));
  });
}
