// The files in what was dropped: folders are read through, to their deepest.

/** Files that systems leave in folders, which nobody means to upload. */
const CLUTTER = /^(\.|Thumbs\.db$|desktop\.ini$)/i;
const PICTURE = /\.(jpe?g|png|gif|webp|avif|hei[cf]|tiff?|bmp)$/i;

/** What was found: `left` files of folders were no pictures and are not in `files`. */
export interface Found {
  readonly files: readonly File[];
  readonly left: number;
}

/** Reads what was dropped. Must be called within the event: what it holds is gone afterwards. */
export async function readDrop(transfer: DataTransfer): Promise<Found> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  // Without entries (files made by a program rather than dragged by a person), the plain list has them all.
  if (entries.every((entry) => entry === null)) return { files: [...transfer.files], left: 0 };
  const loose = [...transfer.items].map((item) => item.getAsFile());
  const found: { files: File[]; left: number } = { files: [], left: 0 };
  for (const [index, entry] of entries.entries()) {
    const file = loose[index];
    if (entry?.isDirectory) await readFolder(entry as FileSystemDirectoryEntry, found);
    // A file given by itself is meant, whatever it is: it gets its sentence if it is no picture.
    else if (file) found.files.push(file);
  }
  return found;
}

/** Sorts what a folder dialog gave. */
export function fromFolder(files: readonly File[]): Found {
  const wanted = files.filter(({ name }) => !CLUTTER.test(name));
  const pictures = wanted.filter(({ name }) => PICTURE.test(name));
  return { files: pictures, left: wanted.length - pictures.length };
}

async function readFolder(folder: FileSystemDirectoryEntry, found: { files: File[]; left: number }): Promise<void> {
  const reader = folder.createReader();
  // A reader gives a hundred entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory) await readFolder(entry as FileSystemDirectoryEntry, found);
      else if (CLUTTER.test(entry.name)) continue;
      else if (!PICTURE.test(entry.name)) found.left += 1;
      else {
        const file = await new Promise<File | undefined>((resolve) =>
          (entry as FileSystemFileEntry).file(resolve, () => resolve(undefined)),
        );
        if (file) found.files.push(file);
      }
    }
  }
}
