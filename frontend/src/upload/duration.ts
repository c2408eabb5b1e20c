// Reads the duration of a video with the browser's decoder.

/** How long the browser may take, in milliseconds: of some files it reads everything. */
const TIMEOUT = 5_000;

/** The duration of the video at an object URL, in milliseconds; `undefined` if the browser cannot tell. */
export async function durationOf(objectUrl: string): Promise<number | undefined> {
  const video = document.createElement('video');
  video.preload = 'metadata';
  const loaded = new Promise<void>((resolve) => {
    video.onloadedmetadata = () => resolve();
    video.onerror = () => resolve();
    setTimeout(resolve, TIMEOUT);
  });
  video.src = objectUrl;
  await loaded;
  const { duration } = video;
  // Ends reading the file.
  video.removeAttribute('src');
  video.load();
  return Number.isFinite(duration) && duration > 0 ? Math.ceil(duration * 1000) : undefined;
}
