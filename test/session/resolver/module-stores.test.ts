import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { guidAge } from '../../../src/kernel/windows/find/rsds.js';
import { PeNames } from '../../../src/session/resolver/pe-names.js';
import type { PeDebug } from '../../../src/symbols/pe/loaded.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { temporary } from '../../support/folder.js';
import { root } from '../../support/root.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip as skip } from '../../support/windows.js';

/** Names of modules from stores that are no repositories of Rekall: of Volatility 3's symbol files, of PDBs. What is in them fits, because it is put there under the module's own GUID. */
const folder = temporary();
const isf = sharedData('windows', 'isf', 'tcpip.pdb');
const PDB = join(root, 'test/data/pdb/types-amd64.pdb');

/** A session whose repositories are the shared one and a store that `fill` fills for a module. */
async function withStore(module: string, fill: (store: string, debug: PeDebug) => void): Promise<{ session: Awaited<ReturnType<typeof replicaSession>>; names: PeNames }> {
  const store = mkdtempSync(join(folder, 'store-'));
  const session = await replicaSession({ repository_path: [sharedData('profiles').path, store] });
  const names = (await session.resolver(null)).moduleNamed(module);
  assert.ok(names instanceof PeNames && names.debug);
  fill(store, names.debug);
  return { session, names };
}

test("a symbol file of Volatility 3 by GUID and age: packed with xz it is waited for, when the module is named", { skip: skip || isf.skip }, async () => {
  const file = join(isf.path, readdirSync(isf.path)[0] ?? '');
  const { session, names } = await withStore('tcpip', (store, debug) => {
    mkdirSync(join(store, 'tcpip.pdb'));
    cpSync(file, join(store, 'tcpip.pdb', `${debug.guid}-${debug.age}.json.xz`));
  });
  const truth = await openProfileFile(file);
  const [[name, offset] = ['', 0n]] = truth.constants.entries();
  assert.equal(names.lookup(name), undefined, 'at once there is none');
  assert.equal(await (await session.resolver(null)).address(`tcpip!'${name}'`), names.start + offset);
  assert.equal(names.profile?.source.constants.size, truth.constants.size);
  session.close();
});

test('a store of PDBs, as debuggers keep it', { skip }, async () => {
  const { session, names } = await withStore('hal', (store, debug) => {
    mkdirSync(join(store, 'hal.pdb', guidAge(debug)), { recursive: true });
    cpSync(PDB, join(store, 'hal.pdb', guidAge(debug), 'hal.pdb'));
  });
  const truth = await openProfileFile(PDB);
  const resolver = await session.resolver(null);
  const [exported = ''] = names.exports().keys();
  assert.equal(await resolver.address(`hal!${exported}`), names.start + BigInt(names.exports().get(exported)?.rva ?? 0), 'exports that the PDB lacks stay names');
  for (const [name, offset] of truth.constants.entries()) assert.equal(names.lookup(name), names.start + offset, name);
  // Types of the module's own.
  const found = await resolver.type('hal!_PROCESS');
  assert.deepEqual([found.type, found.compiler.struct('_PROCESS').size], [{ kind: 'struct', name: '_PROCESS' }, truth.types.struct('_PROCESS')?.size]);
  session.close();
});
