import { existsSync, readFileSync, statSync } from 'node:fs';
import { debugRecordOf } from '../../src/kernel/windows/pe-debug.js';
import { guidAge } from '../../src/kernel/windows/find/rsds.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { dumpArgs, DumpFolder } from '../../src/plugin/dump-folder.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Session } from '../../src/session/session.js';
import { symbolKey } from '../../src/symbols/pdb/server.js';
import { fetched, pdbName, symbolServerArgs } from './symbol-servers.js';

const EXAMPLE = 'fetch_pdb ntkrnlmp.pdb F8E2A8B5C9B74BF4A6E4A48F180099942';
/** Larger executables are not looked through for a debug directory. */
const MOST_EXECUTABLE = 256 * 1024 * 1024;

export const fetchPdb = definePlugin({
  name: 'fetch_pdb',
  needs: 'none',
  topic: 'profile',
  summary: 'fetches a PDB from a symbol server, by its name and GUID or by the executable it belongs to',
  notes:
    'Asks each server for SERVER/PDB/GUIDAGE/PDB, then for the cabinet PD_ (stored, MSZIP or LZX), then for file.ptr, which may lead to another address. What comes must be the PDB of this GUID. ' +
    'Proxies are those of the environment: http_proxy, https_proxy, no_proxy. Nothing is asked where the session is offline. version_scan finds names and GUIDs in an image.',
  args: {
    pdb_filename: arg.string('name of the PDB, or an executable file, whose debug directory tells name and GUID', { positional: true, completes: 'path' }),
    guid: arg.string('GUID and age: F8E2A8B5C9B74BF4A6E4A48F180099942, also with dashes, braces, or -2 at the end', { positional: true }),
    filename: arg.string('the same as pdb_filename'),
    ...dumpArgs,
    ...symbolServerArgs,
  },
  columns: {
    path: col.string('the file that was written'),
    guid_age: col.string('GUID and age', { whole: true }),
    size: col.size('bytes of the PDB'),
    received: col.size('bytes that came: fewer where it was packed'),
    url: col.string('where it came from'),
  },
  examples: [{ line: EXAMPLE }, { line: 'fetch_pdb /evidence/ntoskrnl.exe dump_dir=symbols', doc: 'the PDB of an executable' }],
  async *collect(context, args) {
    const { session } = context;
    const given = args.pdb_filename ?? args.filename;
    if (given === undefined) throw new PluginError('Which PDB?', EXAMPLE);
    const record = args.guid === undefined ? recordOf(session, given) : undefined;
    const key = args.guid === undefined ? record && guidAge(record) : symbolKey(args.guid);
    if (key === undefined) {
      const what = args.guid === undefined ? `Which GUID? ${given} is no file that could tell.` : `'${args.guid}' is no GUID with an age: 32 hex digits and the age behind them.`;
      throw new PluginError(what, EXAMPLE);
    }
    const name = pdbName(record?.pdb ?? given);
    const folder = DumpFolder.of(context, args.dump_dir);
    const pdb = await fetched(context, { name, key, servers: args.symbol_server });
    const stem = name.replace(/\.pdb$/i, '');
    const file = folder.create(stem, name.slice(stem.length));
    try {
      file.append(pdb.bytes);
    } finally {
      file.close();
    }
    yield { path: file.path, guid_age: key, size: pdb.bytes.length, received: pdb.received, url: pdb.url };
  },
});

/** The debug record of an executable on disk. Throws PluginError where there is a file that has none. */
function recordOf(session: Session, given: string): ReturnType<typeof debugRecordOf> {
  const path = session.path(given);
  if (!existsSync(path)) return undefined;
  const info = statSync(path);
  const record = info.isFile() && info.size <= MOST_EXECUTABLE ? debugRecordOf(readFileSync(path)) : undefined;
  if (!record) throw new PluginError(`${path} is no executable with a debug record: the GUID is needed.`, EXAMPLE);
  return record;
}
