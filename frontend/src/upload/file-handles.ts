// Handles of dropped files, with which a later page can read the same files again. Only some browsers have them.

/** A handle that can be stored in IndexedDB. TypeScript does not know these methods: they are not in all browsers. */
export type StoredHandle = FileSystemFileHandle & {
  requestPermission?: (descriptor: { readonly mode: 'read' }) => Promise<PermissionState>;
};

/** Part of `DataTransferItem` in browsers that have handles. */
interface ItemWithHandle {
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

const handles = new WeakMap<File, StoredHandle>();

/** The handle of a dropped file. Call it inside the event handler: the data is not available later. */
export async function handleOfItem(item: DataTransferItem): Promise<StoredHandle | undefined> {
  try {
    const handle = await (item as ItemWithHandle).getAsFileSystemHandle?.();
    return handle?.kind === 'file' ? (handle as StoredHandle) : undefined;
  } catch {
    // The file was not dropped by a person, or it was moved.
    return undefined;
  }
}

export function rememberHandle(file: File, handle: StoredHandle): void {
  handles.set(file, handle);
}

export function handleOf(file: File): StoredHandle | undefined {
  return handles.get(file);
}

/** The file of a handle, if the person allows it to be read and it still exists. Call it for a click. */
export async function fileOf(handle: StoredHandle): Promise<File | undefined> {
  try {
    if ((await handle.requestPermission?.({ mode: 'read' })) === 'denied') return undefined;
    const file = await handle.getFile();
    rememberHandle(file, handle);
    return file;
  } catch {
    return undefined;
  }
}
