import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { guidAge, isKernelPdb, rsdsSteps } from '../../src/kernel/windows/find/rsds.js';
import { breathing } from '../../src/memory/breathe.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { listed } from '../../src/plugin/elsewhere.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Session } from '../../src/session/session.js';
import { profileParts } from '../../src/symbols/convert.js';
import { makingMetadata } from '../../src/symbols/pdb/making.js';
import { readPdb } from '../../src/symbols/pdb/read.js';
import { symbolKey } from '../../src/symbols/pdb/server.js';
import { writeProfile } from '../../src/symbols/rekall/file.js';
import { builtHere, isAddress } from '../../src/symbols/repository/open.js';
import { profileClass } from './parse_pdb.js';
import { firstFetched, KERNEL_PDBS, pdbName, symbolServerArgs } from './symbol-servers.js';

const EXAMPLE = 'build_local_profile nt F8E2A8B5C9B74BF4A6E4A48F180099942';

export const buildLocalProfile = definePlugin({
  name: 'build_local_profile',
  needs: 'none',
  topic: 'profile',
  summary: 'fetches a PDB, makes a profile of it and keeps that where the next session finds it',
  notes:
    "fetch_pdb and parse_pdb in one. The profile is kept as MODULE/GUID/GUIDAGE.gz in the first folder of repository_path that can be written, otherwise in the cache, which is always looked through. " +
    'nt stands for any kernel: its four names are tried. Kernels are kept as nt. Without a GUID the debug records in the memory of the image tell it.',
  args: {
    module_name: arg.string.required('name of the module without .pdb: nt, tcpip', { positional: true }),
    guid: arg.string('GUID and age, as version_scan shows them; by default those that the image names for the module', { positional: true }),
    dumpfile: arg.path('write the profile to this file, too', { positional: true, completes: 'path' }),
    ...symbolServerArgs,
  },
  columns: {
    profile: col.string('name of the profile in the repository'),
    path: col.string('the file that was written'),
    pdb: col.string('name of the PDB'),
    arch: col.string('AMD64, I386 or ARM64'),
    structs: col.int('number of structs and unions'),
    constants: col.int('number of symbols'),
    url: col.string('where the PDB came from'),
  },
  examples: [{ line: EXAMPLE }],
  async *collect(context, args) {
    const { session } = context;
    const module = pdbName(args.module_name).replace(/\.pdb$/i, '');
    const names = module.toLowerCase() === 'nt' ? KERNEL_PDBS : [`${module}.pdb`];
    const key = args.guid === undefined ? await keyInImage(context, module, names) : symbolKey(args.guid);
    if (key === undefined) throw new PluginError(`'${args.guid ?? ''}' is no GUID with an age: 32 hex digits and the age behind them.`, EXAMPLE);
    const target = writableRepository(session);
    if (target === undefined && args.dumpfile === undefined) throw new PluginError('There is no place to keep the profile: no folder of repository_path can be written, and there is no cache.', `${EXAMPLE} dumpfile=FILE`);
    const fetched = await firstFetched(context, names, { key, servers: args.symbol_server });
    context.progress(undefined, `making a profile of ${fetched.name}`);
    const pdb = readPdb(fetched.bytes, fetched.name);
    const own = profileParts(pdb);
    const parts = { ...own, metadata: { ...own.metadata, ...makingMetadata(pdb.making()), GUID_AGE: key, PDBFile: fetched.name, ProfileClass: profileClass(fetched.name) } };
    const profile = `${isKernelPdb(fetched.name) ? 'nt' : module}/GUID/${key}`;
    const paths = [...(target === undefined ? [] : [join(target, `${profile}.gz`)]), ...(args.dumpfile === undefined ? [] : [session.path(args.dumpfile)])];
    for (const path of paths) {
      await writeProfile(path, parts);
      yield { profile, path, pdb: fetched.name, arch: pdb.metadata.arch, structs: [...pdb.types.structNames()].length, constants: pdb.constants.size, url: fetched.url };
    }
    session.forgetRepository();
  },
});

/** GUID and age of a module, where the debug records in the image's memory agree. Throws PluginError where there is none, or several. */
async function keyInImage(context: PluginContext, module: string, names: readonly string[]): Promise<string> {
  const { session } = context;
  if (session.parameters.filename === undefined) throw new PluginError('Which GUID? There is no image that could tell: -f IMAGE, or state it.', EXAMPLE);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const keys = new Set<string>();
  for await (const record of breathing(rsdsSteps(session.physical()), context.signal)) if (wanted.has(record.pdb.toLowerCase())) keys.add(guidAge(record));
  const [key, ...more] = keys;
  if (key === undefined) throw new PluginError(`The image has no debug record of ${listed(names)}: which GUID?`, 'version_scan');
  if (more.length > 0) throw new PluginError(`The image has debug records of ${keys.size} builds of ${module}: ${[...keys].join(', ')}.`, `build_local_profile ${module} ${key}`);
  return key;
}

/** Folder for names of profiles: of the first repository that can be written, or of the cache. */
function writableRepository(session: Session): string | undefined {
  const places = (session.parameters.repository_path ?? []).filter((place) => !isAddress(place)).map((place) => session.path(place));
  const folder = places.find(isWritableFolder);
  if (folder !== undefined) return isWritableFolder(join(folder, 'v1.0')) ? join(folder, 'v1.0') : folder;
  return session.profileCache === undefined ? undefined : builtHere(session.profileCache);
}

function isWritableFolder(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return false;
  }
}
