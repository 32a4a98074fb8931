import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { fileProblem } from '../../src/memory/folders.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { dumpArgs } from '../../src/plugin/dump-folder.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Session } from '../../src/session/session.js';
import { profileParts } from '../../src/symbols/convert.js';
import { printable } from '../../src/symbols/error.js';
import { makingMetadata, type PdbMaking } from '../../src/symbols/pdb/making.js';
import { readPdb } from '../../src/symbols/pdb/read.js';
import { writeProfile } from '../../src/symbols/rekall/file.js';

/** Compilers and calls of them that are told, and characters of one. */
const TOLD = 4;
const LONGEST = 300;

export const parsePdb = definePlugin({
  name: 'parse_pdb',
  needs: 'none',
  topic: 'profile',
  summary: "makes a profile in Rekall's JSON form of a PDB file",
  notes:
    'Reads the multi-stream files of Visual C++ 5 and later (MSF 2.00 and 7.00): the type stream (structs, unions, enumerations, bit fields, arrays), public and global symbols and those that only modules have (static functions and variables of private PDBs), with the section headers ' +
    'and, where code was moved after linking, the OMAP. Functions have their prototypes where the file states them: of their modules, or through the stream of ids. What it says of its making (compilers, ' +
    'the folder they worked in, their command lines) is told and stands in $METADATA as Compilers and Builds. Constants are offsets from the image\'s base. Names lose the decoration of 32-bit calling conventions; string constants are called str:TEXT. ' +
    'Sources: the microsoft-pdb publication (cvinfo.h, dbi.h, tpi.h) and LLVM\'s description of the format.',
  args: {
    pdb_filename: arg.path('the PDB (or -f FILE)', { positional: true, completes: 'path' }),
    output: arg.string('file to write the profile to, in dump_dir; compressed when its name ends in .gz', { completes: 'path' }),
    output_filename: arg.string('the same', { completes: 'path' }),
    ...dumpArgs,
    windows_version: arg.string('version to state in the profile: 6.1, or 6.1.7600'),
    profile_class: arg.string('ProfileClass to state in the profile (default: the name of the PDB, Nt for a kernel)'),
    concise: arg.bool('leave out constants, functions and reverse enumerations', { default: false }),
  },
  columns: {
    path: col.string('the file that was written'),
    source: col.string('the PDB'),
    guid_age: col.string('GUID and age, by which symbol servers and profile repositories know it', { whole: true }),
    arch: col.string('AMD64, I386 or ARM64'),
    structs: col.int('number of structs and unions'),
    enums: col.int('number of enumerations'),
    constants: col.int('number of symbols of data'),
    functions: col.int('number of symbols of code'),
  },
  examples: [{ line: 'parse_pdb ntkrnlmp.pdb output=F8E2A8B5C9B74BF4A6E4A48F180099942.json windows_version=6.1' }],
  async *collect(context, args) {
    const { session } = context;
    const given = args.pdb_filename ?? session.parameters.filename;
    if (given === undefined) throw new PluginError('Which PDB?', 'parse_pdb ntkrnlmp.pdb output=nt.json.gz');
    const source = session.path(given);
    const pdb = readPdb(await read(source), source);
    const target = args.output ?? args.output_filename;
    const own = profileParts(pdb);
    const making = pdb.making();
    const version = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(args.windows_version ?? '');
    if (args.windows_version !== undefined && !version) throw new PluginError(`windows_version is of the form 6.1 or 6.1.7600, not '${args.windows_version}'.`, 'parse_pdb?');
    const [, major, minor, revision] = version ?? [];
    const metadata = {
      ...own.metadata,
      ...makingMetadata(making),
      PDBFile: basename(source),
      ProfileClass: args.profile_class ?? profileClass(basename(source)),
      ...(major === undefined ? {} : { major: Number(major) }),
      ...(minor === undefined ? {} : { minor: Number(minor) }),
      ...(revision === undefined ? {} : { rev: Number(revision) }),
    };
    const path = target === undefined ? null : placeOf(session, target, args.dump_dir);
    if (path !== null) await writeProfile(path, args.concise ? { types: own.types, constants: [], metadata } : { ...own, metadata });
    else context.note('Nothing was written: output=FILE writes the profile.');
    for (const note of [...madeHow(making), ...pdb.notes()]) context.note(note);
    const all = [...pdb.constants.entries()];
    const functions = all.filter(([name]) => pdb.constants.kind(name) === 'function').length;
    yield {
      path,
      source,
      guid_age: String(pdb.metadata['GUID_AGE'] ?? ''),
      arch: pdb.metadata.arch,
      structs: [...pdb.types.structNames()].length,
      enums: [...pdb.types.enumNames()].length,
      constants: all.length - functions,
      functions,
    };
  },
});

/** A path of the analyst's: from the root or the home folder, or in the folder that commands write to. */
function placeOf(session: Session, target: string, folder: string | undefined): string {
  const whole = isAbsolute(target) || /^~(?:\/|$)/.test(target);
  return session.path(whole ? target : join(folder ?? session.path(session.parameters.dump_dir), target));
}

/** What the file says of its program's making, in sentences. */
function madeHow({ compilers, builds }: PdbMaking): string[] {
  const others = compilers.length > TOLD ? ` and ${compilers.length - TOLD} more` : '';
  const made = compilers.length === 0 ? [] : [`Made with ${printable(compilers.slice(0, TOLD).join(', '))}${others}.`];
  const built = builds.slice(0, TOLD).map(({ folder, tool, source, command }) => {
    const called = printable(`${tool} ${command}`.trim());
    return `Built${source === '' ? '' : ` ${printable(source)}`}${folder === '' ? '' : ` in ${printable(folder)}`}: ${called.length > LONGEST ? `${called.slice(0, LONGEST)}…` : called}`;
  });
  return [...made, ...built, ...(builds.length > TOLD ? [`${builds.length - TOLD} more calls of compilers stand in the profile's $METADATA.`] : [])];
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PluginError(`${path} cannot be read: ${fileProblem(error)}.`, 'parse_pdb FILE');
  }
}

/** Kernels are of class Nt, whatever their file is called; other modules of a class named after them. */
export function profileClass(file: string): string {
  const name = file.replace(/\.pdb$/i, '').toLowerCase();
  if (/^(?:ntoskrnl|ntkrnlmp|ntkrnlpa|ntkrpamp)$/.test(name)) return 'Nt';
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
