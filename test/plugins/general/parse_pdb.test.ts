import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parsePdb } from '../../../plugins/general/parse_pdb.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { temporary } from '../../support/folder.js';
import { buildInfo, fakePdb, id, record } from '../../support/pdb.js';
import { root } from '../../support/root.js';
import { rowsOf } from '../../support/sample.js';

const source = join(root, 'test', 'data', 'pdb', 'types-amd64.pdb');
const session = (): Session => new Session({}, new Registry([], ''));

test('the profile that is written has what the PDB has', async () => {
  const folder = temporary();
  const path = join(folder, 'types.json');
  const { rows } = await rowsOf(session(), parsePdb, { pdb_filename: source, output: path, windows_version: '6.1.7600', concise: false });
  assert.equal(rows[0]?.['structs'], 5);
  assert.equal(rows[0]?.['path'], path);
  const written = await openProfileFile(path);
  assert.deepEqual([written.metadata['major'], written.metadata['minor'], written.metadata['rev'], written.metadata.arch], [6, 1, 7600, 'AMD64']);
  const pdb = await openProfileFile(source);
  for (const name of pdb.types.structNames()) {
    const [one, other] = [pdb.types.struct(name), written.types.struct(name)];
    assert.equal(other?.size, one?.size);
    for (const [member, { offset }] of one?.members ?? []) assert.equal(other?.members.get(member)?.offset, offset, `${name}.${member}`);
  }
  for (const [name, address] of pdb.constants.entries()) assert.equal(written.constants.get(name), address, name);
});

test('a name without a path lies in dump_dir', async () => {
  const folder = temporary();
  const { rows } = await rowsOf(session(), parsePdb, { pdb_filename: source, output_filename: 'types.json.gz', dump_dir: folder, concise: true });
  assert.equal(rows[0]?.['path'], join(folder, 'types.json.gz'));
  assert.equal((await openProfileFile(join(folder, 'types.json.gz'))).metadata.arch, 'AMD64');
  const elsewhere = await rowsOf(session(), parsePdb, { pdb_filename: source, output: join(folder, 'whole.json'), dump_dir: tmpdir() });
  assert.equal(elsewhere.rows[0]?.['path'], join(folder, 'whole.json'));
});

test('how a program was made is told, and kept in the profile; what it says of that cannot speak for us', async () => {
  const folder = temporary();
  const path = join(folder, 'program.json');
  const { rows, run: { notes } } = await rowsOf(session(), parsePdb, { pdb_filename: join(root, 'test', 'data', 'pdb', 'program-amd64.pdb'), output: path, concise: false });
  assert.deepEqual([rows[0]?.['functions'], rows[0]?.['constants']], [28, 15]);
  assert.ok(notes.includes('Made with Debian clang version 14.0.6 14.0.6.0 (C++), Debian clang version 14.0.6 14.0.6.0 (C), LLVM Linker 14.10.25019.0 (linker).'), notes.join('\n'));
  assert.match(notes.join('\n'), /^Built program\.cpp in \.: \/usr\/lib\/llvm-14\/bin\/clang "-cc1" .*…\nBuilt helper\.c in \.: /m);
  const { metadata } = await openProfileFile(path);
  assert.deepEqual((metadata['Builds'] as { source?: string }[]).map(({ source }) => source), ['program.cpp', 'helper.c', undefined]);
  assert.equal((metadata['Compilers'] as string[]).length, 3);

  const hostile = join(folder, 'hostile.pdb');
  writeFileSync(hostile, fakePdb({ types: [record.pointer(0x22)], ids: [id.text('C:\\\x1b]0;x\x07\nNothing was written'), id.build(0x1000, 0x1000)], modules: [[buildInfo(0x1001)]] }));
  const { run: other } = await rowsOf(session(), parsePdb, { pdb_filename: hostile, concise: false });
  assert.ok(other.notes.includes('Built in C:\\\\x1b]0;x\\x07\\x0aNothing was written: C:\\\\x1b]0;x\\x07\\x0aNothing was written'), other.notes.join('\n'));
});

test('what is no PDB, not there or of no version is refused with a sentence', async () => {
  const folder = temporary();
  const text = join(folder, 'text.pdb');
  writeFileSync(text, 'no PDB at all'.repeat(100));
  await assert.rejects(rowsOf(session(), parsePdb, { pdb_filename: text, concise: false }), /no PDB/);
  await assert.rejects(rowsOf(session(), parsePdb, { pdb_filename: join(folder, 'none.pdb'), concise: false }), /cannot be read/);
  await assert.rejects(rowsOf(session(), parsePdb, { pdb_filename: source, windows_version: 'seven', concise: false }), /form 6\.1/);
  await assert.rejects(rowsOf(session(), parsePdb, { concise: false }), /Which PDB/);
});
