// The entry of the page: defines the elements, among them <ilg-app> of index.html.
import './app';
import { reloadWhenOutdated } from './reload';

reloadWhenOutdated();

if (import.meta.env.PROD) {
  // After the page, which works without it. In private windows of some browsers there is none.
  window.addEventListener('load', () => {
    navigator.serviceWorker
      ?.register('/service-worker.js')
      .catch((error) => console.info('There is no page for times without a connection.', error));
  });
}
