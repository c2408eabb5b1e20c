// Reloads the page once if a new version was deployed and a module of the old version, which is loaded on demand, no
// longer exists.
import { isUploading } from '../upload/unfinished';

/** The version that this tab has already reloaded. */
const KEY = 'ilg.reloaded';

/** What `reloadIfOutdated` needs from the browser. */
export interface ReloadContext {
  /** The URL of the page's entry script, whose name changes with each version. */
  readonly entry: string;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
  /** The HTML of the deployed page. */
  readonly fetchPage: () => Promise<string>;
  readonly isUploading: () => boolean;
  readonly reload: () => void;
}

/**
 * Reloads if the deployed version differs from the running one. If they are the same, the module failed to load for
 * another reason, such as a lost connection, and reloading would not help. Never reloads twice for the same version, and
 * never during an upload.
 */
export async function reloadIfOutdated(context: ReloadContext): Promise<void> {
  const version = new URL(context.entry, 'http://page').pathname;
  if (context.isUploading() || context.storage.getItem(KEY) === version) return;
  const deployed = await context.fetchPage().catch(() => undefined);
  if (deployed === undefined || deployed.includes(version) || context.isUploading()) return;
  context.storage.setItem(KEY, version);
  context.reload();
}

/** Listens for modules that cannot be loaded. */
export function reloadWhenOutdated(): void {
  const entry = document.querySelector<HTMLScriptElement>('script[type=module][src]')?.src;
  if (!entry) return;
  const context: ReloadContext = {
    entry,
    storage: sessionStorage,
    fetchPage: async () => {
      const response = await fetch('/', { cache: 'no-cache' });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return response.text();
    },
    isUploading,
    reload: () => location.reload(),
  };
  // Vite dispatches this event when an `import()` fails. The caller also gets the error, and reports it.
  window.addEventListener('vite:preloadError', () => void reloadIfOutdated(context));
}
