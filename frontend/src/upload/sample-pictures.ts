// The pictures that an empty library offers to try. They are assets of their own, which the page only loads on demand.
import astronaut from '../../../samples/astronaut.jpg?url';
import cat from '../../../samples/cat.jpg?url';
import coffee from '../../../samples/coffee.jpg?url';
import { UserFacingError } from '../api/problem';
import { text } from '../shared/text';

/** The names of the files: those of the assets contain a hash. */
const SAMPLES = [
  { name: 'astronaut.jpg', url: astronaut },
  { name: 'cat.jpg', url: cat },
  { name: 'coffee.jpg', url: coffee },
] as const;

/** How long a sample picture may take, in milliseconds. */
const TIMEOUT = 30_000;

/** A sample picture could not be loaded. */
export class SamplesError extends UserFacingError {
  override readonly name = 'SamplesError';
}

/** Loads all sample pictures, or throws `SamplesError`, so that a second try does not add any of them twice. */
export async function fetchSamples(signal: AbortSignal): Promise<File[]> {
  try {
    return await Promise.all(SAMPLES.map(({ name, url }) => fetchFile(name, url, signal)));
  } catch (error) {
    signal.throwIfAborted();
    throw new SamplesError(text.hero.samplesFailed, { cause: error });
  }
}

async function fetchFile(name: string, url: string, signal: AbortSignal): Promise<File> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]) });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new File([await response.blob()], name, { type: 'image/jpeg' });
}
