// Reads a file and computes its SHA-256 away from the page, which stays smooth meanwhile.

self.addEventListener('message', async ({ data }: MessageEvent<{ id: number; file: Blob }>) => {
  try {
    const digest = await crypto.subtle.digest('SHA-256', await data.file.arrayBuffer());
    self.postMessage({ id: data.id, sha256: btoa(String.fromCharCode(...new Uint8Array(digest))) });
  } catch {
    // The file was moved or changed, or does not fit into memory.
    self.postMessage({ id: data.id });
  }
});
