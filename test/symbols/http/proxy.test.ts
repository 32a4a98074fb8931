import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { HttpClient } from '../../../src/symbols/http/client.js';
import { localServer } from '../../support/http-server.js';

test('a proxy of the environment is asked, and passed by where no_proxy says so', { timeout: 120_000 }, async () => {
  const server = await localServer({ '/profile': 'content' });
  const asked: string[] = [];
  // Both ways of a proxy: a whole address in the request, or a tunnel.
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('content');
  });
  proxy.on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(request.url ?? '');
    const { port } = new URL(server.url);
    const upstream = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const end of [client, upstream]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const before = process.env;
  process.env = { ...before };
  const get = async (url: string): Promise<string> => {
    const client = new HttpClient({ timeout: 60_000, attempts: 1 });
    try {
      return (await client.get(url)).bytes.toString();
    } finally {
      await client.close();
    }
  };
  try {
    process.env['http_proxy'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    process.env['no_proxy'] = '';
    // A name that nobody but the proxy knows.
    assert.equal(await get('http://symbols.invalid/profile'), 'content');
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? '', /symbols\.invalid/);
    process.env['no_proxy'] = '127.0.0.1';
    assert.equal(await get(`${server.url}/profile`), 'content');
    assert.equal(asked.length, 1);
  } finally {
    process.env = before;
    proxy.closeAllConnections();
    proxy.close();
    await server.close();
  }
});
