// Computes the SHA-256 of a file in a worker, so that the page stays responsive.

self.addEventListener('message', async ({ data }: MessageEvent<{ id: number; file: Blob }>) => {
  try {
    const digest = await crypto.subtle.digest('SHA-256', await data.file.arrayBuffer());
    self.postMessage({ id: data.id, sha256: btoa(String.fromCharCode(...new Uint8Array(digest))) });
  } catch {
    // The file was moved or changed, or it is too large for the memory.
    self.postMessage({ id: data.id });
  }
});
