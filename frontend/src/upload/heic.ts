// HEIC pictures, as phones take them, become JPEG before they are uploaded: nothing behind the page reads HEIC.
import { text } from '../text';
import { checkDimensions } from './checks';
import type { Answer } from './heic.worker';
import { Slots } from './slots';
import { UploadError } from './upload';

/** A picture's pixels are in memory up to four times while it is converted: one picture after the other. */
const turns = new Slots(1);

/**
 * Makes a JPEG of a HEIC picture, with its metadata, or a sentence that says why there is none. Throws `UploadError`
 * where another try may do better, and the signal's reason when it is aborted.
 */
export async function convertHeic(file: File, signal: AbortSignal): Promise<File | { readonly refusal: string }> {
  const answer = await turns.run(() => ask(file, signal));
  if ('jpeg' in answer) return new File([answer.jpeg], jpegName(file.name), { type: answer.jpeg.type });
  if ('unreachable' in answer) throw new UploadError(text.heic.unreachable);
  const tooLarge = 'tooLarge' in answer && checkDimensions(answer.tooLarge.width, answer.tooLarge.height);
  return { refusal: tooLarge || text.heic.undecodable };
}

async function ask(file: File, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./heic.worker.ts', import.meta.url), { type: 'module' });
  try {
    return await new Promise<Answer>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
      // Its script could not be fetched; what goes wrong within it is answered.
      worker.onerror = () => resolve({ unreachable: true });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      worker.postMessage(file);
    });
  } finally {
    worker.terminate();
  }
}

/** What is stored is a JPEG, and so its name says. */
function jpegName(name: string): string {
  return `${name.replace(/\.hei[cf]$/i, '')}.jpg`;
}
