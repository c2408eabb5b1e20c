// Finds the pictures and videos in dropped and chosen folders, including nested folders.
import { handleOfItem, rememberHandle } from './file-handles';
import { EXTENSIONS, kindOf, readStart } from './kinds';

/** Files that operating systems create in folders. They are ignored. */
const SYSTEM_FILE = /^(\.|Thumbs\.db$|desktop\.ini$)/i;
const PICTURE = new RegExp(`\\.(${EXTENSIONS.join('|')})$`, 'i');
/** How many files are read at the same time. */
const CONCURRENT_READS = 16;

/** Files to upload. `skipped` counts the files in folders that are neither pictures nor videos. */
export interface Found {
  readonly files: readonly File[];
  readonly skipped: number;
}

/** Reads a drop. Call it inside the event handler: the data is not available later. */
export async function readDrop(transfer: DataTransfer): Promise<Found> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  // Files that a script has created have no entries.
  if (entries.every((entry) => entry === null)) return { files: [...transfer.files], skipped: 0 };
  const items = [...transfer.items].map((item) => item.getAsFile());
  const handles = [...transfer.items].map((item) => (item.kind === 'file' ? handleOfItem(item) : undefined));
  const found: { files: File[]; skipped: number } = { files: [], skipped: 0 };
  for (const [index, entry] of entries.entries()) {
    const file = items[index];
    if (entry?.isDirectory) {
      const { files, skipped } = await fromFolder(await filesIn(entry as FileSystemDirectoryEntry));
      found.files.push(...files);
      found.skipped += skipped;
    }
    // A single file is always included: if it is not a picture, the person gets a message.
    else if (file) {
      const handle = await handles[index];
      if (handle) rememberHandle(file, handle);
      found.files.push(file);
    }
  }
  return found;
}

/**
 * The pictures among the files of a folder: files that are named like a picture, and files whose first bytes are those of a
 * picture. The former are included even if they contain something else, so that the person gets a message.
 */
export async function fromFolder(files: readonly File[]): Promise<Found> {
  const relevant = files.filter(({ name }) => !SYSTEM_FILE.test(name));
  const pictures: File[] = [];
  for (let start = 0; start < relevant.length; start += CONCURRENT_READS) {
    const some = relevant.slice(start, start + CONCURRENT_READS);
    const included = await Promise.all(some.map(async (file) => PICTURE.test(file.name) || isPicture(file)));
    pictures.push(...some.filter((_, index) => included[index]));
  }
  return { files: pictures, skipped: relevant.length - pictures.length };
}

async function isPicture(file: File): Promise<boolean> {
  try {
    return kindOf(await readStart(file))?.contentType !== undefined;
  } catch {
    // The file was moved, or may not be read.
    return false;
  }
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const files: File[] = [];
  const reader = folder.createReader();
  // The reader returns up to 100 entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return files;
    for (const entry of entries) {
      if (entry.isDirectory) files.push(...(await filesIn(entry as FileSystemDirectoryEntry)));
      else {
        const file = await new Promise<File | undefined>((resolve) =>
          (entry as FileSystemFileEntry).file(resolve, () => resolve(undefined)),
        );
        if (file) files.push(file);
      }
    }
  }
}
