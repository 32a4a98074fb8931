import { isKernelPdb } from '../../src/kernel/windows/find/rsds.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { profileNames } from '../../src/session/resolver/module-profiles.js';
import { PeNames } from '../../src/session/resolver/pe-names.js';
import type { Resolver } from '../../src/session/resolver/resolver.js';
import type { Session } from '../../src/session/session.js';
import { resolverIn } from '../../src/session/spaces.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { symbolKey } from '../../src/symbols/pdb/server.js';
import type { PeDebug } from '../../src/symbols/pe/loaded.js';

export const loadProfile = definePlugin({
  name: 'load_profile',
  needs: ['windows'],
  topic: 'profile',
  summary: "takes a module's names and types from the profile of its PDB",
  notes:
    'Names of drivers and libraries come from profiles by themselves, where a repository has one for the GUID in the debug record of the module: those in files at once, those on servers when the module is named ' +
    '(tcpip!TcpListenerReceive). This command fetches one now, says what it knows, or what is missing; without a module it lists where the names of each come from. file= takes a file instead (a profile of any kind, or the PDB), guid= the profile of another GUID: nobody checks that it fits. Libraries are known in the process context (cc).',
  args: {
    module_name: arg.string('the module: tcpip, win32k, ntdll', { positional: true, completes: 'module' }),
    guid: arg.string('GUID and age of another PDB than the one that the module names', { positional: true }),
    file: arg.path('a file with the profile or PDB', { completes: 'path' }),
    address_space: arg.space('the process that has it: pid@444'),
  },
  columns: {
    module: col.string('name of the module'),
    pdb: col.string('its PDB, as the debug record in memory states it'),
    guid: col.string('GUID and age of that', { whole: true }),
    symbols: col.int('names in the profile, or exports where there is none', { minor: true }),
    structs: col.int('types in it', { minor: true }),
    source: col.string('where the profile comes from; exports: it has none'),
  },
  examples: [{ line: 'load_profile', doc: 'where the names of each module come from' }],
  async *collect(context, args) {
    const { session } = context;
    const resolver = await resolverIn(session, args.address_space);
    if (args.module_name === undefined) {
      for (const names of resolver.modules()) if (names instanceof PeNames) yield row(names);
      return;
    }
    yield row(await takeProfile(session, resolver, args.module_name, args));
  },
});

/**
 * Gives a module the profile of its PDB, or the one that is stated. @param stated another GUID, or a file with a profile
 * @returns the module. Throws PluginError where there is none, or none that can be had
 */
export async function takeProfile(session: Session, resolver: Resolver, module: string, stated: { readonly guid?: string | undefined; readonly file?: string | undefined; readonly address_space?: string | undefined } = {}): Promise<PeNames> {
  const names = resolver.moduleNamed(module);
  if (!names) {
    const inside = stated.address_space === undefined && !session.context ? ' Libraries are known in a process context: cc PID, or address_space=pid@PID.' : '';
    throw new PluginError(`No module ${module} is known here.${inside}`, 'modules');
  }
  if (resolver.isKernel(module)) throw new PluginError('The kernel has its profile: --profile names another.', 'info');
  if (!(names instanceof PeNames)) throw new PluginError(`${names.name} is no executable: what lies there has no names.`, 'modules');
  const debug = debugOf(names, stated.guid);
  const { profiles } = names;
  if (stated.file !== undefined) names.take(profiles.give(names.debug ?? debug ?? NONE, await openProfileFile(session.path(stated.file))));
  else if (debug || !names.profile) {
    if (!debug) throw new PluginError(`The debug record of ${names.name} is not in memory: which PDB it has is not known.`, `load_profile ${module} file=FILE`);
    const found = await profiles.load(names.profileKey, debug);
    if (!found) throw missing(names, debug, (await session.repository()).stores.map(({ name }) => name));
    names.take(found);
  }
  return names;
}

/** What the names of a module come from. */
function row(names: PeNames) {
  const { debug } = names;
  return {
    module: names.name,
    pdb: debug?.pdb ?? null,
    guid: debug ? keyOf(debug) : null,
    symbols: () => names.profile?.source.constants.size ?? names.exports().size,
    structs: () => (names.profile ? [...names.profile.source.types.structNames()].length : null),
    source: () => names.profile?.source.metadata.source ?? (names.exports().size > 0 ? 'exports' : null),
  };
}

/** What stands for a record where a module has none. */
const NONE: PeDebug = { guid: '', age: 0, pdb: '' };

/** The debug record in memory, or one of another GUID for the same PDB. Throws PluginError where the text is no GUID. */
function debugOf(names: PeNames, guid: string | undefined): PeDebug | undefined {
  if (guid === undefined) return names.debug;
  const key = symbolKey(guid);
  if (key === undefined) throw new PluginError(`'${guid}' is no GUID with an age: 32 hex digits and the age behind them.`, 'load_profile?');
  return { guid: key.slice(0, 32), age: Number.parseInt(key.slice(32), 16), pdb: names.debug?.pdb ?? `${names.profileKey}.pdb` };
}

function keyOf({ guid, age }: PeDebug): string {
  return `${guid}${age.toString(16).toUpperCase()}`;
}

function missing(names: PeNames, debug: PeDebug, stores: readonly string[]): PluginError {
  const [first = ''] = profileNames(names.profileKey, debug);
  const module = isKernelPdb(debug.pdb) ? 'nt' : debug.pdb.replace(/\.pdb$/i, '');
  const asked = stores.length === 0 ? 'No repository is named.' : `Looked in ${stores.join(', ')}.`;
  return new PluginError(
    `There is no profile for ${names.name} (${debug.pdb} GUID ${debug.guid} age ${debug.age}): its names are those that it exports. ${asked}\n` +
      `It is to be had in three ways: --repository_path of a folder, zip file or URL with ${first}.gz; load_profile ${names.profileKey} file=FILE (a profile of any kind, or the PDB); ` +
      `build_local_profile ${module} ${keyOf(debug)}, which fetches the PDB from a symbol server.`,
    `build_local_profile ${module} ${keyOf(debug)}`,
  );
}
