// The pictures in view, kept in the address: `#/images/<id>,<id>`. A reload, a bookmark or a link shows them again.

/** An address stays short enough to be passed on. */
const MOST = 40;
const IMAGE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The image ids in an address's hash, each once; what is no id is left out. */
export function readImageIds(hash: string): string[] {
  const [, ids = ''] = /^#\/images\/(.*)$/.exec(hash) ?? [];
  return [...new Set(ids.split(',').filter((id) => IMAGE_ID.test(id)))].slice(0, MOST);
}

/** The hash for these ids; the first ones are kept if there are too many. */
export function imageIdsHash(ids: readonly string[]): string {
  return ids.length > 0 ? `#/images/${ids.slice(0, MOST).join(',')}` : '';
}
