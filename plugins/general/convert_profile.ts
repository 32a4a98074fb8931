import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { profileParts } from '../../src/symbols/convert.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { writeProfile } from '../../src/symbols/rekall/file.js';

export const convertProfile = definePlugin({
  name: 'convert_profile',
  needs: 'none',
  topic: 'profile',
  summary: "converts a profile to Rekall's JSON form",
  notes:
    'Reads Volatility 3 symbol files (.json, .json.gz, .json.xz), Volatility 2 zip profiles (module.dwarf and System.map), zips with a module built with debug information, ' +
    'vmlinux and modules with DWARF, and Rekall profiles (.json, .json.gz), each recognised by its content.',
  args: {
    source: arg.path.required('the profile to read', { positional: true, completes: 'path' }),
    out_file: arg.path.required('file to write; compressed when its name ends in .gz', { positional: true, completes: 'path' }),
  },
  columns: {
    path: col.string('the file'),
    source: col.string('what was read'),
    structs: col.int('number of structs and unions'),
    constants: col.int('number of constants and functions'),
    banner: col.string('the kernel it is for, where the source says it'),
  },
  examples: [{ line: 'convert_profile ./linux.json.xz ./linux.json.gz' }],
  async *collect(context, args) {
    const source = await openProfileFile(context.session.path(args.source));
    const path = context.session.path(args.out_file);
    await writeProfile(path, profileParts(source));
    yield {
      path,
      source: source.metadata.source,
      structs: new Set(source.types.structNames()).size,
      constants: source.constants.size,
      banner: source.metadata.banner ?? null,
    };
  },
});

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
