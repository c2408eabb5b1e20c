// The checksum that binds an upload's signature to one file.

interface Waiting {
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let last = 0;

/** The SHA-256 of a file in base64, computed in a worker. Throws if the file can no longer be read. */
export function sha256(file: Blob): Promise<string> {
  worker ??= start();
  last += 1;
  const id = last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker?.postMessage({ id, file });
  });
}

function start(): Worker {
  const started = new Worker(new URL('./checksum.worker.ts', import.meta.url), { type: 'module' });
  started.onmessage = ({ data }: MessageEvent<{ id: number; sha256?: string }>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.sha256) asked?.resolve(data.sha256);
    else asked?.reject(new Error('the file cannot be read'));
  };
  started.onerror = () => {
    for (const { reject } of waiting.values()) reject(new Error('the checksum worker failed'));
    waiting.clear();
    worker = undefined;
  };
  return started;
}
