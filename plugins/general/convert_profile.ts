import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { profileParts } from '../../src/symbols/convert.js';
import { symbolKey } from '../../src/symbols/pdb/server.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { isfText, type PdbIdentity } from '../../src/symbols/isf/write.js';
import type { ProfileMetadata } from '../../src/symbols/types.js';
import { PluginError } from '../../src/plugin/error.js';
import { writePieces, writeProfile } from '../../src/symbols/rekall/file.js';

export const convertProfile = definePlugin({
  name: 'convert_profile',
  needs: 'none',
  topic: 'profile',
  summary: "converts a profile to Rekall's JSON form, or to a Volatility 3 symbol file",
  notes:
    'Reads Volatility 3 symbol files (.json, .json.gz, .json.xz), Volatility 2 zip profiles (module.dwarf and System.map), zips with a module built with debug information, ' +
    'vmlinux and modules with DWARF, and Rekall profiles (.json, .json.gz), each recognised by its content. ' +
    'Rules by which a profile finds more in code ($DYNAMIC_CONSTANTS, $DYNAMIC_STRUCTS) go along into a Rekall profile; a symbol file has no place for them, and a note says what was left out. ' +
    'A symbol file of Windows names its PDB, by which Volatility finds it: symbols/windows/NAME/GUID-AGE.json.gz below its symbols folder; pdb_name and guid_age state them where the source does not.',
  args: {
    source: arg.path.required('the profile to read', { positional: true, completes: 'path' }),
    out_file: arg.path.required('file to write; compressed when its name ends in .gz', { positional: true, completes: 'path' }),
    format: arg.choice('rekall, or isf for Volatility 3', { choices: ['rekall', 'isf'], default: 'rekall' }),
    profile_class: arg.string('ProfileClass to state in the profile'),
    pdb_name: arg.string('PDB of a Windows profile, for isf: ntkrnlmp.pdb'),
    guid_age: arg.string('GUID and age of that PDB, 33 hexadecimal digits or more, for isf'),
  },
  columns: {
    path: col.string('the file'),
    source: col.string('what was read'),
    structs: col.int('number of structs and unions'),
    constants: col.int('number of constants and functions'),
    banner: col.string('the kernel it is for, where the source says it'),
  },
  examples: [
    { line: 'convert_profile ./linux.json.xz ./linux.json.gz' },
    { line: 'convert_profile ./F8E2A8B5C9B74BF4A6E4A48F180099942.gz ./nt.json format=isf pdb_name=ntkrnlmp.pdb guid_age=F8E2A8B5C9B74BF4A6E4A48F180099942' },
  ],
  async *collect(context, args) {
    const source = await openProfileFile(context.session.path(args.source));
    const path = context.session.path(args.out_file);
    const parts = profileParts(source);
    const ruled = (source.dynamic?.sections() ?? []).map(([name]) => name);
    if (args.format === 'isf' && ruled.length > 0) context.note(`Left out: ${ruled.join(' and ')}. A symbol file of Volatility has no place for rules by which more is found in code.`);
    if (args.format === 'isf' && source.merge && source.merge.length > 0) context.note(`Left out: what it takes over from ${source.merge.join(', ')} ($MERGE). Convert those by themselves.`);
    if (args.format === 'isf') await writePieces(path, isfText(parts, source.metadata.os === 'windows' ? identityOf(source.metadata, args) : undefined));
    else await writeProfile(path, args.profile_class === undefined ? parts : { ...parts, metadata: { ...parts.metadata, ProfileClass: args.profile_class } });
    yield {
      path,
      source: source.metadata.source,
      structs: new Set(source.types.structNames()).size,
      constants: source.constants.size,
      banner: source.metadata.banner ?? null,
    };
  },
});

/** The PDB that a Windows profile was made of, as stated or as the profile says. */
function identityOf(metadata: ProfileMetadata, stated: { readonly pdb_name?: string; readonly guid_age?: string }): PdbIdentity {
  const known = (name: string): string | undefined => (typeof metadata[name] === 'string' ? metadata[name] : undefined);
  const key = symbolKey(stated.guid_age ?? known('GUID_AGE') ?? '');
  if (key === undefined) {
    const why = stated.guid_age === undefined ? 'The profile does not say which PDB it is of.' : `'${stated.guid_age}' is no GUID with an age: 32 hex digits and the age behind them.`;
    throw new PluginError(`${why} Volatility finds a symbol file by it.`, 'convert_profile SOURCE OUT format=isf pdb_name=ntkrnlmp.pdb guid_age=F8E2A8B5C9B74BF4A6E4A48F180099942');
  }
  return { database: stated.pdb_name ?? known('PDBFile') ?? 'ntkrnlmp.pdb', guid: key.slice(0, 32), age: parseInt(key.slice(32), 16) };
}

export const dwarfparser = definePlugin({
  name: 'dwarfparser',
  needs: 'none',
  topic: 'profile',
  summary: 'types of a vmlinux, a module or another ELF file with DWARF',
  notes: 'One row a struct or union. With out_file a profile in Rekall\'s JSON form is written too.',
  args: {
    dwarf_filename: arg.path.required('the ELF file', { positional: true, completes: 'path' }),
    profile_class: arg.string('ProfileClass to state in the profile', { default: 'Linux64' }),
    out_file: arg.path('write the profile here; compressed when its name ends in .gz', { completes: 'path' }),
  },
  columns: {
    struct: col.string('name'),
    size: col.int('bytes'),
    members: col.int('number of members'),
    fields: col.list('members, with their offsets', { hidden: true }),
  },
  examples: [{ line: 'dwarfparser module.ko out_file=module.json.gz' }],
  async *collect(context, args) {
    const source = await openProfileFile(context.session.path(args.dwarf_filename));
    if (args.out_file !== undefined) {
      const own = profileParts(source);
      await writeProfile(context.session.path(args.out_file), { ...own, metadata: { ...own.metadata, ProfileClass: args.profile_class } });
      context.note(`Written: ${context.session.path(args.out_file)}`);
    }
    for (const name of new Set(source.types.structNames())) {
      const layout = source.types.struct(name);
      if (!layout) continue;
      yield { struct: name, size: layout.size ?? null, members: layout.members.size, fields: () => [...layout.members].map(([field, { offset }]) => `${field}@${offset}`) };
    }
  },
});
