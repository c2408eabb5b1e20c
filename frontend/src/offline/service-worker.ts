// The service worker. It is a classic script without imports at run time, because not all browsers load modules here.
import { install, kindOf, loadFile, loadPage, type OfflinePage, removeOthers } from './offline-page';

declare const self: ServiceWorkerGlobalScope;
/** Written by the build (`vite.config.ts`). */
declare const OFFLINE_PAGE: OfflinePage;
const PAGE = OFFLINE_PAGE;

/** Some browsers can load requests without asking the service worker. TypeScript's types lack this. */
interface RoutingEvent extends ExtendableEvent {
  addRoutes?(rule: { condition: { requestDestination: string }; source: 'network' }): Promise<void>;
}

self.addEventListener('install', (event: RoutingEvent) => {
  event.waitUntil(install(PAGE, caches).then(() => self.skipWaiting()));
  // Keeps the gallery fast.
  const routes = event.addRoutes?.({ condition: { requestDestination: 'image' }, source: 'network' });
  routes?.catch((error) => console.info('Pictures are loaded through the service worker.', error));
});

self.addEventListener('activate', (event) => {
  // The browser requests a page while the service worker starts.
  event.waitUntil(Promise.all([removeOthers(PAGE, caches), self.registration.navigationPreload?.enable()]));
});

self.addEventListener('fetch', (event) => {
  const { request, preloadResponse } = event;
  switch (kindOf(request, PAGE, self.location.origin)) {
    case 'page':
      event.respondWith(loadPage(async () => (await preloadResponse) ?? fetch(request), PAGE, caches));
      break;
    case 'file':
      event.respondWith(loadFile(request, () => fetch(request), PAGE, caches));
      break;
    default:
  }
});
