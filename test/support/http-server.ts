import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server on this machine: what it serves by path, and what it was asked. */
export interface LocalServer {
  readonly url: string;
  /** `GET /path`, in order */
  readonly asked: string[];
  readonly requests: IncomingMessage[];
  /** paths and what they answer: bytes, or a function; all others answer 404 */
  readonly files: Map<string, Buffer | string | Handler>;
  close(): Promise<void>;
}

/** Starts a server on a free port of the loopback address. */
export async function localServer(files: Readonly<Record<string, Buffer | string | Handler>> = {}): Promise<LocalServer> {
  const known = new Map(Object.entries(files));
  const asked: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    asked.push(path);
    requests.push(request);
    const file = known.get(path);
    if (typeof file === 'function') file(request, response);
    else if (file === undefined) response.writeHead(404).end('no such file');
    else response.writeHead(200, { 'content-length': Buffer.byteLength(file) }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    requests,
    files: known,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
