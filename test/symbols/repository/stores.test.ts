import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openRepository, type RepositoryOptions } from '../../../src/symbols/repository/open.js';
import type { ProfileRepository } from '../../../src/symbols/repository/repository.js';
import { temporary } from '../../support/folder.js';
import { type Handler, localServer } from '../../support/http-server.js';
import { zipOf } from '../../support/zip.js';

const folder = temporary();
let number = 0;
const fresh = (): string => {
  const path = join(folder, String(number++));
  mkdirSync(path);
  return path;
};

const profile = (constant: number, more: Record<string, unknown> = {}): Buffer =>
  gzipSync(JSON.stringify({ $METADATA: { ProfileClass: 'Nt', Type: 'Profile', arch: 'AMD64' }, $CONSTANTS: { Mark: constant }, $STRUCTS: { S: [8, { a: [0, ['int']] }] }, ...more }));
const link = (target: string): Buffer => gzipSync(JSON.stringify({ $METADATA: { Type: 'Symlink', Target: target } }));
const inventory = (...names: string[]): Buffer => gzipSync(JSON.stringify({ $METADATA: { Type: 'Inventory' }, $INVENTORY: Object.fromEntries(names.map((name) => [name, {}])) }));
const open = (places: readonly string[], options: Partial<RepositoryOptions> = {}): ProfileRepository => openRepository(places, { cache: undefined, http: { backOff: 1, timeout: 60_000 }, ...options });
const mark = async (repository: ProfileRepository, name: string, tried: string[] = []): Promise<bigint | undefined> =>
  (await repository.load(name, (place, outcome) => tried.push(`${place} ${outcome}`)))?.constants.get('Mark');

test('a zip as GitHub gives it, one of v1.0 alone, and a folder: symlinks lead on, the first that has it wins', async () => {
  const path = fresh();
  writeFileSync(join(path, 'github.zip'), zipOf({ 'rekall-profiles-master/README.md': 'x', 'rekall-profiles-master/v1.0/nt/GUID/A1.gz': profile(1), 'rekall-profiles-master/v1.0/Win7SP1x64.gz': link('nt/GUID/A1') }));
  writeFileSync(join(path, 'bare.zip'), zipOf({ 'v1.0/nt/GUID/A1.gz': profile(2), 'v1.0/nt/GUID/B2.gz': profile(3) }));
  mkdirSync(join(path, 'folder/v1.0/nt/GUID'), { recursive: true });
  writeFileSync(join(path, 'folder/v1.0/nt/GUID/C3.gz'), profile(4));
  const repository = open([join(path, 'github.zip'), join(path, 'bare.zip'), join(path, 'folder')]);
  assert.equal(await mark(repository, 'nt/GUID/A1'), 1n);
  assert.equal(await mark(repository, 'Win7SP1x64'), 1n);
  assert.equal(await mark(repository, 'nt/GUID/B2'), 3n);
  assert.equal(await mark(repository, 'nt/GUID/C3'), 4n);
  const tried: string[] = [];
  assert.equal(await mark(repository, 'nt/GUID/D4', tried), undefined);
  assert.equal(tried.length, 3);
  for (const name of ['../x', '/etc/passwd', 'a/../../b', '', 'a\0b', '..\\x']) assert.equal(await mark(repository, name), undefined, name);
});

test('what waits for nothing: folders, zip files and what a server gave before; never a server', async () => {
  const path = fresh();
  mkdirSync(join(path, 'v1.0/tcpip/GUID'), { recursive: true });
  writeFileSync(join(path, 'v1.0/tcpip/GUID/A1.gz'), profile(1));
  writeFileSync(join(path, 'v1.0/broken.gz'), 'no gzip');
  writeFileSync(join(path, 'own.zip'), zipOf({ 'v1.0/link.gz': link('tcpip/GUID/A1') }));
  const server = await localServer({ '/v1.0/far.gz': profile(2) });
  const cache = fresh();
  try {
    const repository = open([path, join(path, 'own.zip'), server.url], { cache });
    const now = (name: string): bigint | undefined => repository.loadNow(name)?.constants.get('Mark');
    assert.deepEqual([now('tcpip/GUID/A1'), now('link'), now('far'), now('nowhere')], [1n, 1n, undefined, undefined]);
    assert.throws(() => now('broken'), /broken/);
    assert.equal(server.asked.length, 0);
    assert.equal(await mark(repository, 'far'), 2n);
    assert.equal(now('far'), 2n);
  } finally {
    await server.close();
  }
});

test('names of 2014 lead to those of today', async () => {
  const path = fresh();
  const key = 'F8E2A8B5C9B74BF4A6E4A48F180099942';
  mkdirSync(join(path, 'v1.0/nt/GUID'), { recursive: true });
  writeFileSync(join(path, `v1.0/nt/GUID/${key}.gz`), profile(3));
  for (const name of [`GUID/${key}`, `ntoskrnl.exe/AMD64/6.1.7600.16385/${key}`]) assert.equal(await mark(open([path]), name), 3n, name);
  assert.equal(await mark(open([path]), `tcpip.sys/${key}`), undefined);
});

test('$MERGE takes over what others have, and circles end', async () => {
  const path = fresh();
  const save = (name: string, bytes: Buffer): void => writeFileSync(join(path, `${name}.gz`), bytes);
  save('base', profile(1, { $CONSTANTS: { Mark: 1, Base: 7 }, $STRUCTS: { S: [4, {}], T: [16, {}] } }));
  save('own', profile(2, { $MERGE: ['base'] }));
  save('round', profile(2, { $MERGE: ['round'] }));
  save('lost', profile(2, { $MERGE: ['nowhere'] }));
  save('x', link('y'));
  save('y', link('x'));
  const found = await open([path]).load('own');
  assert.deepEqual([found?.constants.get('Mark'), found?.constants.get('Base'), found?.types.struct('S')?.size, found?.types.struct('T')?.size], [2n, 7n, 8, 16]);
  await assert.rejects(open([path]).load('round'), /merge more than 8/);
  await assert.rejects(open([path]).load('lost'), /needs nowhere/);
  await assert.rejects(open([path]).load('x'), /more than 8/);
});

test('what is damaged in one place is taken from the next; alone it is an error', async () => {
  const [bad, good] = [fresh(), fresh()];
  writeFileSync(join(bad, 'a.gz'), profile(1).subarray(0, 40));
  writeFileSync(join(bad, 'broken.zip'), 'PK no zip');
  writeFileSync(join(good, 'a.gz'), profile(2));
  const tried: string[] = [];
  assert.equal(await mark(open([bad, join(bad, 'broken.zip'), good]), 'a', tried), 2n);
  assert.match(tried.join('\n'), /a\.gz cannot be used.*\n.*broken\.zip cannot be asked/);
  await assert.rejects(open([bad]).load('a'), /cannot be unpacked/);
  const absent: string[] = [];
  assert.equal(await mark(open([join(bad, 'none'), join(bad, 'none.zip')]), 'a', absent), undefined);
  assert.match(absent.join('\n'), /none cannot be asked \(.*none is not there\)\n.*none\.zip cannot be read: no such file or directory\)/);
});

test('a server: the inventory says what it has, what was there is kept, what was not is not asked for again', async () => {
  const server = await localServer({ '/v1.0/inventory.gz': inventory('nt/GUID/A1', 'Win7SP1x64', 'gone'), '/v1.0/nt/GUID/A1.gz': profile(5), '/v1.0/Win7SP1x64.gz': link('nt/GUID/A1') });
  const cache = fresh();
  try {
    const repository = open([server.url], { cache });
    assert.equal(await mark(repository, 'Win7SP1x64'), 5n);
    assert.equal(await mark(repository, 'nt/GUID/none'), undefined);
    assert.equal(await mark(repository, 'gone'), undefined);
    const count = server.asked.length;
    assert.ok(!server.asked.some((path) => path.includes('none')));
    assert.equal(await mark(repository, 'gone'), undefined);
    assert.equal(await mark(repository, 'nt/GUID/A1'), 5n);
    assert.equal(server.asked.length, count, server.asked.join(' '));
    // Another session, offline or with the server gone: the cache has it.
    await server.close();
    assert.equal(await mark(open([server.url], { cache, offline: true }), 'nt/GUID/A1'), 5n);
    assert.equal(await mark(open([server.url], { cache, fresh: 0 }), 'nt/GUID/A1'), 5n);
    const tried: string[] = [];
    assert.equal(await mark(open([server.url], { offline: true }), 'nt/GUID/A1', tried), undefined);
    assert.match(tried.join(), /offline/);
    assert.ok(!readdirSync(join(cache, 'http')).some((name) => name.endsWith('.tmp')));
  } finally {
    await server.close();
  }
});

test('without an inventory, or with a damaged one, all is asked for', async () => {
  for (const broken of [undefined, Buffer.from('<html>'), gzipSync('{"$INVENTORY": 5}')]) {
    const server = await localServer({ '/v1.0/nt/GUID/A1.gz': profile(6), ...(broken && { '/v1.0/inventory.gz': broken }) });
    try {
      assert.equal(await mark(open([`${server.url}/`]), 'nt/GUID/A1'), 6n);
    } finally {
      await server.close();
    }
  }
});

test('what is old is asked for by ETag and Last-Modified: 304 keeps it, a change replaces it', async () => {
  let [tag, body] = ['"one"', profile(1)];
  const conditional: Handler = (request, response) => {
    const same = request.headers['if-none-match'] === tag;
    response.writeHead(same ? 304 : 200, { etag: tag, 'last-modified': 'Wed, 19 Feb 2014 00:00:00 GMT' }).end(same ? undefined : body);
  };
  const server = await localServer({ '/v1.0/a.gz': conditional });
  const cache = fresh();
  const again = (): Promise<bigint | undefined> => mark(open([server.url], { cache, fresh: 0 }), 'a');
  try {
    assert.equal(await again(), 1n);
    body = profile(99);
    assert.equal(await again(), 1n);
    assert.equal(server.requests.filter(({ url }) => url === '/v1.0/a.gz').at(-1)?.headers['if-modified-since'], 'Wed, 19 Feb 2014 00:00:00 GMT');
    tag = '"two"';
    assert.equal(await again(), 99n);
    // A copy on disk that was tampered with is not used.
    for (const name of readdirSync(join(cache, 'http'))) if (name.endsWith('.bin')) writeFileSync(join(cache, 'http', name), profile(7));
    assert.equal(await again(), 99n);
  } finally {
    await server.close();
  }
});

test('errors of servers: tried again, then passed over; pages of proxies and cut-off answers are not kept', async () => {
  let failures = 2;
  const server = await localServer({
    '/v1.0/busy.gz': (_request, response) => (failures-- > 0 ? response.writeHead(503).end() : response.end(profile(8))),
    '/v1.0/cut.gz': (_request, response) => {
      response.writeHead(200, { 'content-length': 5000 });
      response.write('short');
      setTimeout(() => response.destroy(), 5);
    },
    '/v1.0/page.gz': '<html>log in</html>',
    '/v1.0/moved.gz': (_request, response) => response.writeHead(302, { location: '/elsewhere/moved.gz' }).end(),
    '/elsewhere/moved.gz': profile(9),
    '/v1.0/loop.gz': (_request, response) => response.writeHead(302, { location: '/v1.0/loop.gz' }).end(),
    '/v1.0/file.gz': (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/v1.0/huge.gz': (_request, response) => response.writeHead(200, { 'content-length': 200 * 1024 * 1024 }).write('x'),
    '/v1.0/slow.gz': () => undefined,
    // Never late, and never done.
    '/v1.0/drops.gz': (_request, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    },
  });
  const cache = fresh();
  const second = fresh();
  for (const name of ['cut', 'page', 'loop', 'file', 'huge', 'slow', 'drops']) writeFileSync(join(second, `${name}.gz`), profile(11));
  try {
    assert.equal(await mark(open([server.url], { cache }), 'busy'), 8n);
    assert.equal(await mark(open([server.url], { cache }), 'moved'), 9n);
    for (const [name, said] of [['cut', /cut off/], ['page', /no profile/], ['loop', /more than 5 redirects/], ['file', /no address/], ['huge', /more than 100 MiB/], ['slow', /no answer in time/], ['drops', /comes too slowly|stopped coming/]] as const) {
      const tried: string[] = [];
      const options = name === 'slow' || name === 'drops' ? { cache, http: { backOff: 1, timeout: 500 } } : { cache };
      assert.equal(await mark(open([server.url, second], options), name, tried), 11n, name);
      assert.match(tried.join('\n'), said);
    }
    assert.equal(server.asked.filter((path) => path === '/v1.0/slow.gz').length, 3);
    // A server that does not answer is left alone for the rest of the session.
    const gone = open([server.url]);
    await server.close();
    const tried: string[] = [];
    for (const name of ['a', 'b']) assert.equal(await mark(gone, name, tried), undefined);
    assert.match(tried.join('\n'), /refused/);
  } finally {
    await server.close();
  }
});
