// The multipart uploads that are not complete, stored in the browser, so that they can be continued after a reload.
import type { StoredHandle } from './file-handles';

const DATABASE = 'ilg';
const STORE = 'uploads';
const VERSION = 1;
/** The name of the lock that a tab holds while it uploads a file. */
const lockOf = (imageId: string): string => `ilg.upload.${imageId}`;

/** What identifies a file that the person chooses again. */
type Identity = Pick<File, 'name' | 'size' | 'lastModified'>;

/** An upload that is not complete. */
export interface SavedUpload extends Identity {
  readonly imageId: string;
  /** The person who uploads the file. */
  readonly owner: string;
  /** Reads the file without asking for it again, in browsers that can. */
  readonly handle?: StoredHandle;
}

/** The saved uploads of one person. Without storage, for example in a private window, nothing is saved. */
export class SavedUploads {
  private database: Promise<IDBDatabase> | undefined;

  constructor(private readonly owner: string) {}

  async all(): Promise<readonly SavedUpload[]> {
    const saved = await this.run<SavedUpload[]>('readonly', (store) => store.getAll());
    return (saved ?? []).filter(({ owner }) => owner === this.owner);
  }

  /** Those that no tab is uploading. */
  async interrupted(): Promise<readonly SavedUpload[]> {
    const { held = [] } = await navigator.locks.query();
    const running = new Set(held.map(({ name }) => name));
    return (await this.all()).filter(({ imageId }) => !running.has(lockOf(imageId)));
  }

  /** The saved upload of a file. */
  async find(file: Identity): Promise<SavedUpload | undefined> {
    return (await this.all()).find((saved) => isSameFile(saved, file));
  }

  async save(imageId: string, { name, size, lastModified }: Identity, handle: StoredHandle | undefined): Promise<void> {
    const saved = { imageId, owner: this.owner, name, size, lastModified };
    await this.run('readwrite', (store) => store.put(handle ? { ...saved, handle } : saved));
  }

  async forget(imageId: string): Promise<void> {
    await this.run('readwrite', (store) => store.delete(imageId));
  }

  /** Forgets all uploads, also of other people who have used this browser. */
  async clear(): Promise<void> {
    await this.run('readwrite', (store) => store.clear());
  }

  /** Runs a task while no other tab uploads the file of this picture. */
  exclusively<T>(imageId: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    return navigator.locks.request(lockOf(imageId), { signal }, task);
  }

  private async run<T>(
    mode: IDBTransactionMode,
    request: (store: IDBObjectStore) => IDBRequest,
  ): Promise<T | undefined> {
    try {
      this.database ??= open();
      const database = await this.database;
      return (await done(request(database.transaction(STORE, mode).objectStore(STORE)))) as T;
    } catch (error) {
      console.info('Uploads cannot be saved in this browser.', error);
      return undefined;
    }
  }
}

/** Whether a saved upload is that of a file. */
export function isSameFile(saved: Identity, file: Identity): boolean {
  return saved.name === file.name && saved.size === file.size && saved.lastModified === file.lastModified;
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'imageId' });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
