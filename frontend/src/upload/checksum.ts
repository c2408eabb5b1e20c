// The checksum that binds an upload's signature to one file.

/** The SHA-256 of a file in base64. Throws if the file can no longer be read. */
export async function sha256(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}
