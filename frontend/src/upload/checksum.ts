// The checksum of a file. The presigned URL of an upload contains it, so that only this file can be stored.

interface Request {
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: Error) => void;
}

const requests = new Map<number, Request>();
let worker: Worker | undefined;
let lastId = 0;

/** The SHA-256 of a file in base64, computed in a worker. Throws if the file cannot be read. */
export function sha256(file: Blob): Promise<string> {
  worker ??= start();
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    requests.set(id, { resolve, reject });
    worker?.postMessage({ id, file });
  });
}

function start(): Worker {
  const started = new Worker(new URL('./checksum.worker.ts', import.meta.url), { type: 'module' });
  started.onmessage = ({ data }: MessageEvent<{ id: number; sha256?: string }>) => {
    const request = requests.get(data.id);
    requests.delete(data.id);
    if (data.sha256) request?.resolve(data.sha256);
    else request?.reject(new Error('the file cannot be read'));
  };
  started.onerror = () => {
    for (const { reject } of requests.values()) reject(new Error('the checksum worker failed'));
    requests.clear();
    worker = undefined;
  };
  return started;
}
