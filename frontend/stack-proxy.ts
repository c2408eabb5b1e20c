// `npm run dev` beside a running stack: Vite serves the page, and this forwards everything else to the stack.
//
// A stack accepts only its own page's address: as the sender of requests and as the address to return to after sign-in.
// So this replaces the development server's address with the page's in requests, and the stack's addresses with the
// development server's in responses. The presigned URLs of uploads then lead here, too.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import type { Plugin } from 'vite';

interface Stack {
  /** The page's address. */
  readonly webUrl: string;
  /** Where S3 and the sign-in pages are. */
  readonly endpoint: string;
  readonly bucket: string;
}

/** Bodies whose addresses are replaced. Pictures pass through unchanged. */
const TEXT = /^(application\/(problem\+)?json|application\/x-www-form-urlencoded|text\/html)/;

export function stackProxy(description = process.env['ILG_STACK'] ?? '../.local/stack.json'): Plugin {
  return {
    name: 'stack-proxy',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((incoming, outgoing, next) => {
        if (!existsSync(description)) return next();
        const stack: Stack = JSON.parse(readFileSync(description, 'utf8'));
        const origin = originFor(incoming.url ?? '/', stack);
        if (origin) forward(incoming, outgoing, origin, stack).catch(next);
        else next();
      });
    },
  };
}

/** Which of the stack's servers a path belongs to; `undefined` for the page's own files. */
function originFor(path: string, { webUrl, endpoint, bucket }: Stack): string | undefined {
  if (/^\/(api\/|config\.json$)/.test(path)) return webUrl;
  if (/^\/(oauth2|login|logout)\b/.test(path) || path.startsWith(`/${bucket}/`)) return endpoint;
  return undefined;
}

async function forward(incoming: IncomingMessage, outgoing: ServerResponse, origin: string, stack: Stack) {
  const own = `http://${incoming.headers.host}`;
  const toStack = (content: string) => replace(content, own, stack.webUrl);
  const toOwn = (content: string) => replace(replace(content, stack.webUrl, own), stack.endpoint, own);

  // Not `fetch`: it would replace the browser's Sec-Fetch-Mode, which the stack checks.
  const sent = request(origin + toStack(incoming.url ?? '/'), {
    method: incoming.method,
    headers: {
      ...replaced(incoming.headers, toStack),
      host: new URL(origin).host,
      'accept-encoding': 'identity',
    },
  });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  if (isText(incoming)) sent.end(toStack(await text(incoming)));
  else incoming.pipe(sent);
  const [answer] = await answered;

  outgoing.writeHead(answer.statusCode ?? 502, replaced(answer.headers, toOwn));
  if (isText(answer)) outgoing.end(toOwn(await text(answer)));
  else answer.pipe(outgoing);
}

function isText({ headers }: IncomingMessage): boolean {
  return TEXT.test(headers['content-type'] ?? '');
}

/** Headers with their addresses replaced, without the length of a body that may change. */
function replaced(headers: IncomingHttpHeaders, change: (content: string) => string): OutgoingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => name !== 'transfer-encoding');
  const isChanged = TEXT.test(headers['content-type'] ?? '');
  return Object.fromEntries(
    kept
      .filter(([name]) => !(isChanged && name === 'content-length'))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(change) : change(value ?? '')]),
  );
}

/** Replaces an origin, also where it is percent-encoded. */
function replace(content: string, from: string, to: string): string {
  return content.replaceAll(from, to).replaceAll(encodeURIComponent(from), encodeURIComponent(to));
}
