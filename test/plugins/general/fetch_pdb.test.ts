import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildLocalProfile } from '../../../plugins/general/build_local_profile.js';
import { fetchPdb } from '../../../plugins/general/fetch_pdb.js';
import { readArguments } from '../../../src/console/arguments.js';
import { bindArguments } from '../../../src/plugin/bind.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { identityOf } from '../../../src/symbols/pdb/read.js';
import { symbolKey } from '../../../src/symbols/pdb/server.js';
import { cabinetOf } from '../../support/cabinet.js';
import { temporary } from '../../support/folder.js';
import { localServer } from '../../support/http-server.js';
import { root } from '../../support/root.js';
import { rowsOf } from '../../support/sample.js';

const pdb = readFileSync(join(root, 'test/data/pdb/types-amd64.pdb'));
const { guid = '', age } = identityOf(pdb);
const key = `${guid}${age.toString(16).toUpperCase()}`;
const OTHER = '0123456789ABCDEF0123456789ABCDEF1';
const folder = temporary();
let number = 0;
const fresh = (): string => {
  const path = join(folder, String(number++));
  mkdirSync(path);
  return path;
};
const session = (parameters: Record<string, unknown> = {}): Session => new Session({ cache: 'memory', ...parameters }, new Registry([], ''));

test('GUIDs are taken as people write them', () => {
  const expected = 'F8E2A8B5C9B74BF4A6E4A48F180099942';
  for (const text of [expected, expected.toLowerCase(), '{F8E2A8B5-C9B7-4BF4-A6E4-A48F18009994}2', 'F8E2A8B5-C9B7-4BF4-A6E4-A48F18009994-2', 'F8E2A8B5C9B74BF4A6E4A48F18009994-2']) assert.equal(symbolKey(text), expected);
  for (const text of ['', 'F8E2', expected.slice(0, 32), `${expected}123456789`, `../${expected}`]) assert.equal(symbolKey(text), undefined, text);
});

test('the command lines of the documents are those of this command, and its --filename is no image', async () => {
  for (const line of ['fetch_pdb -D. --guid F8E2A8B5C9B74BF4A6E4A48F180099942 --filename ntkrnlmp.pdb', 'fetch_pdb -D . ntkrnlmp.pdb F8E2A8B5C9B74BF4A6E4A48F180099942']) {
    const read = readArguments(line.split(' '), Registry.builtIn());
    assert.equal(read.command, 'fetch_pdb');
    assert.equal(read.parameters.filename, undefined);
    const { args } = await bindArguments(fetchPdb, read.words, { resolve: () => Promise.reject(new Error('no address')), path: (text) => text });
    assert.equal(args['filename'] ?? args['pdb_filename'], 'ntkrnlmp.pdb');
    assert.equal(args['guid'], 'F8E2A8B5C9B74BF4A6E4A48F180099942');
    assert.equal(args['dump_dir'], '.');
  }
});

test('a PDB comes as it is, as a cabinet, or from where file.ptr leads; servers are asked in order', async () => {
  const empty = await localServer();
  const server = await localServer();
  try {
    const forms = {
      plain: { [`/s/plain.pdb/${key}/plain.pdb`]: pdb },
      packed: { [`/s/packed.pdb/${key}/packed.pd_`]: cabinetOf({ 'packed.pdb': pdb }) },
      lzx: { [`/s/lzx.pdb/${key}/lzx.pd_`]: cabinetOf({ 'lzx.pdb': pdb }, 'lzx') },
      stored: { [`/s/stored.pdb/${key}/stored.pd_`]: cabinetOf({ 'dir\\STORED.PDB': pdb }, 'none') },
      pointed: { [`/s/pointed.pdb/${key}/file.ptr`]: `PATH:${server.url}/deep/pointed.pd_`, '/deep/pointed.pd_': cabinetOf({ 'pointed.pdb': pdb }) },
    };
    for (const [name, files] of Object.entries(forms)) {
      for (const [path, bytes] of Object.entries(files)) server.files.set(path, bytes);
      const target = fresh();
      const { rows } = await rowsOf(session(), fetchPdb, { pdb_filename: `${name}.pdb`, guid: key, dump_dir: target, symbol_server: [`${empty.url}/x`, `${server.url}/s/`] });
      assert.equal(rows[0]?.['path'], join(target, `${name}.pdb`));
      assert.deepEqual(readFileSync(join(target, `${name}.pdb`)), pdb);
      assert.equal(rows[0]?.['guid_age'], key);
    }
    assert.deepEqual(empty.asked.slice(0, 3), [`/x/plain.pdb/${key}/plain.pdb`, `/x/plain.pdb/${key}/plain.pd_`, `/x/plain.pdb/${key}/file.ptr`]);
    assert.match(server.requests[0]?.headers['user-agent'] ?? '', /^Microsoft-Symbol-Server\//);
  } finally {
    await Promise.all([empty.close(), server.close()]);
  }
});

test('answers that are no PDB, another PDB, a message or a path on this machine are refused, and nothing is written', async () => {
  const at = (name: string): string => `/${name}.pdb/${key}`;
  const server = await localServer({
    [`${at('page')}/page.pdb`]: '<html>no</html>',
    [`${at('message')}/file.ptr`]: 'MSG: not \u001b[31mpublic',
    [`${at('local')}/file.ptr`]: 'PATH:\\\\server\\share\\x.pdb',
    [`${at('passwd')}/file.ptr`]: 'PATH:/etc/passwd',
    [`${at('quantum')}/quantum.pd_`]: cabinetOf({ 'quantum.pdb': pdb }, 'quantum'),
    [`/other.pdb/${OTHER}/other.pdb`]: pdb,
  });
  try {
    const target = fresh();
    const fetch = (name: string, guid = key): Promise<unknown> => rowsOf(session(), fetchPdb, { pdb_filename: name, guid, dump_dir: target, symbol_server: [server.url] });
    await assert.rejects(fetch('page.pdb'), /no PDB/);
    await assert.rejects(fetch('message.pdb'), (error: Error) => /says: not \\x1b\[31mpublic/.test(error.message));
    await assert.rejects(fetch('local.pdb'), /not followed/);
    await assert.rejects(fetch('passwd.pdb'), /not followed/);
    await assert.rejects(fetch('quantum.pdb'), /Quantum/);
    await assert.rejects(fetch('other.pdb', OTHER), /another GUID/);
    await assert.rejects(fetch('none.pdb'), /No symbol server has none\.pdb/);
    await assert.rejects(fetch('x.pdb', 'guid'), /no GUID/);
    await assert.rejects(fetch('..', key), /no name of a PDB/);
    await assert.rejects(rowsOf(session({ offline: true }), fetchPdb, { pdb_filename: 'x.pdb', guid: key, dump_dir: target }), /offline/);
    await assert.rejects(rowsOf(session(), fetchPdb, { pdb_filename: 'x.pdb', guid: key, dump_dir: target, symbol_server: ['file:///etc'] }), /no address/);
    await assert.rejects(rowsOf(session(), fetchPdb, { pdb_filename: 'nothing.exe', dump_dir: target }), /Which GUID/);
    assert.deepEqual(readdirSync(target), []);
    // A name with folders in it becomes a name in the dump folder.
    server.files.set(`/evil.pdb/${key}/evil.pdb`, pdb);
    await fetch('../../evil.pdb');
    assert.deepEqual(readdirSync(target), ['evil.pdb']);
  } finally {
    await server.close();
  }
});

test('an executable tells name and GUID by its debug directory', async () => {
  const server = await localServer({ [`/types.pdb/${key}/types.pdb`]: pdb });
  try {
    const target = fresh();
    const path = join(target, 'types.exe');
    writeFileSync(path, executable('d:\\build\\types.pdb'));
    await rowsOf(session(), fetchPdb, { pdb_filename: path, dump_dir: target, symbol_server: [server.url] });
    assert.deepEqual(readFileSync(join(target, 'types.pdb')), pdb);
    writeFileSync(path, 'no executable');
    await assert.rejects(rowsOf(session(), fetchPdb, { pdb_filename: path, dump_dir: target, symbol_server: [server.url] }), /no executable with a debug record/);
  } finally {
    await server.close();
  }
});

test('build_local_profile keeps the profile where the repositories find it; nt is any kernel', async () => {
  const server = await localServer({ [`/ntkrnlpa.pdb/${key}/ntkrnlpa.pd_`]: cabinetOf({ 'ntkrnlpa.pdb': pdb }), [`/types.pdb/${key}/types.pdb`]: pdb });
  try {
    const repository = fresh();
    mkdirSync(join(repository, 'v1.0'));
    const dump = join(fresh(), 'out.json');
    const one = session({ repository_path: ['https://example.invalid', join(folder, 'nowhere'), repository] });
    const { rows } = await rowsOf(one, buildLocalProfile, { module_name: 'nt', guid: key, dumpfile: dump, symbol_server: [server.url] });
    assert.deepEqual(rows.map((row) => row['path']), [join(repository, 'v1.0/nt/GUID', `${key}.gz`), dump]);
    assert.equal(rows[0]?.['pdb'], 'ntkrnlpa.pdb');
    assert.ok(server.asked.indexOf(`/ntkrnlmp.pdb/${key}/ntkrnlmp.pdb`) < server.asked.indexOf(`/ntkrnlpa.pdb/${key}/ntkrnlpa.pd_`));
    const [written, source] = [await openProfileFile(dump), await openProfileFile(join(root, 'test/data/pdb/types-amd64.pdb'))];
    for (const [name, address] of source.constants.entries()) assert.equal(written.constants.get(name), address);
    // Without a folder that can be written, in the cache, which is a repository of its own.
    const cache = fresh();
    const two = session({ cache: 'file', cache_dir: cache });
    await two.repository();
    await rowsOf(two, buildLocalProfile, { module_name: 'types', guid: key, symbol_server: [server.url] });
    assert.ok(existsSync(join(cache, 'profiles/local/types/GUID', `${key}.gz`)));
    const found = await (await two.repository()).load(`types/GUID/${key}`);
    assert.equal(found?.constants.size, source.constants.size);
    await assert.rejects(rowsOf(session(), buildLocalProfile, { module_name: 'types', guid: key, symbol_server: [server.url] }), /no place to keep/);
    await assert.rejects(rowsOf(two, buildLocalProfile, { module_name: 'nt', guid: OTHER, symbol_server: [server.url] }), /ntkrnlmp\.pdb[^]*ntkrnlpa\.pdb[^]*ntoskrnl\.pdb[^]*ntkrpamp\.pdb/);
  } finally {
    await server.close();
  }
});

test('without a GUID build_local_profile takes the one that the image names', async () => {
  const server = await localServer({ [`/types.pdb/${key}/types.pdb`]: pdb });
  try {
    const image = join(fresh(), 'image.raw');
    const loaded = executable('d:\\build\\types.pdb');
    writeFileSync(image, Buffer.concat([Buffer.alloc(0x3000), loaded, Buffer.alloc(0x2000), loaded, Buffer.alloc(0x10000)]));
    const dumpfile = join(fresh(), 'out.json');
    const { rows } = await rowsOf(session({ filename: image }), buildLocalProfile, { module_name: 'types', dumpfile, symbol_server: [server.url] });
    assert.deepEqual(rows.map((row) => [row['profile'], row['path']]), [[`types/GUID/${key}`, dumpfile]]);
    await assert.rejects(rowsOf(session({ filename: image }), buildLocalProfile, { module_name: 'nt', dumpfile }), /no debug record of ntkrnlmp\.pdb, /);
    await assert.rejects(rowsOf(session(), buildLocalProfile, { module_name: 'nt', dumpfile }), /no image that could tell/);
  } finally {
    await server.close();
  }
});

/** A PE32+ file with one section, which holds a debug directory and its record. */
function executable(path: string): Buffer {
  const bytes = Buffer.alloc(0x600);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80, 'latin1');
  bytes.writeUInt16LE(1, 0x86);
  bytes.writeUInt16LE(240, 0x94);
  bytes.writeUInt16LE(0x20b, 0x98);
  bytes.writeUInt32LE(0x1010, 0x98 + 112 + 48);
  bytes.writeUInt32LE(28, 0x98 + 112 + 52);
  const section = 0x98 + 240;
  bytes.writeUInt32LE(0x1000, section + 12);
  bytes.writeUInt32LE(0x200, section + 16);
  bytes.writeUInt32LE(0x400, section + 20);
  const record = Buffer.concat([Buffer.from('RSDS'), pdb.length > 0 ? guidBytes() : Buffer.alloc(0), Buffer.from([age, 0, 0, 0]), Buffer.from(`${path}\0`)]);
  bytes.writeUInt32LE(2, 0x410 + 12);
  bytes.writeUInt32LE(record.length, 0x410 + 16);
  bytes.writeUInt32LE(0x1040, 0x410 + 20);
  bytes.writeUInt32LE(0x440, 0x410 + 24);
  record.copy(bytes, 0x440);
  return bytes;
}

/** The GUID as it stands in a record: three numbers, then bytes. */
function guidBytes(): Buffer {
  const bytes = Buffer.from(guid, 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
