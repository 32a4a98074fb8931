import { readFileSync, statSync } from 'node:fs';
import type { Names } from '../../src/disasm/names.js';
import { programBase } from '../../src/kernel/windows/processes/images.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { Absent } from '../../src/memory/absent.js';
import { fileProblem } from '../../src/memory/folders.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { findSpace } from '../../src/session/spaces.js';
import { PeFileSpace } from '../../src/symbols/pe/file.js';
import { imports } from '../../src/symbols/pe/imports.js';
import { LoadedPe } from '../../src/symbols/pe/loaded.js';
import { SymbolTable } from '../../src/symbols/symbol-table.js';
import type { KernelSymbol } from '../../src/symbols/types.js';
import { spaceWithNames } from '../general/names-for.js';
import { PE_PARTS, peColumns, peRows, type PeView } from './pe-rows.js';

/** Bytes of an executable file at most. */
const MOST_EXECUTABLE = 1 << 29;
const NEXT = 'peinfo executable=PATH';

export const peinfo = definePlugin({
  name: 'peinfo',
  needs: 'none',
  topic: 'memory',
  summary: 'what an executable says of itself, in memory or on disk: header, sections, directories, imports, exports, version, entry point',
  notes:
    'Without an address the program of the process context (cc), otherwise the kernel. In memory the import addresses were filled in by the loader: they show where each import really leads; of a file on disk ' +
    '(executable=PATH) the addresses are those that it was linked for, and no image is needed. Sizes of hostile headers are bounded. Source: Microsoft, "PE Format".',
  args: {
    image_base: arg.address('where it begins: a number, a module (nt, ntdll), a symbol', { positional: true, completes: 'symbol' }),
    executable: arg.path('an executable on disk instead', { positional: true, completes: 'path' }),
    address_space: arg.space('where it is'),
    parts: arg.choices('only these parts', { choices: PE_PARTS, default: PE_PARTS }),
  },
  columns: {
    part: col.string('which part of the executable', { divider: true }),
    ...peColumns,
  },
  examples: [{ line: 'peinfo nt parts=header,sections' }, { line: 'peinfo hal parts=imports,exports' }],
  async *collect(context, args) {
    if (args.executable !== undefined && args.image_base !== undefined) {
      throw new PluginError('An address and a file are two executables: which of them?', `peinfo executable=${args.executable}`);
    }
    const view = args.executable === undefined ? await inMemory(context, args.image_base, args.address_space) : onDisk(context, args.executable);
    for await (const [part, row] of peRows(view, args.parts)) yield { part, ...row };
  },
});

/** An executable of the image. Throws PluginError where there is none. */
async function inMemory(context: PluginContext, address: bigint | undefined, spaceName: string | undefined): Promise<PeView> {
  const { session } = context;
  if (session.parameters.filename === undefined) throw new PluginError('Which executable? There is no image: name a file.', NEXT);
  const { space, names } = await spaceWithNames(session, spaceName);
  const base = address ?? (await ownBase(context, spaceName));
  try {
    return { pe: LoadedPe.read(space, base), names, loaded: true, note: (what) => context.note(what) };
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    const why = error.kind === 'unreadable' ? 'it is not in memory' : error.reason;
    throw new PluginError(`There is no executable at 0x${base.toString(16)} (${space.name}): ${why}.`, `dump 0x${base.toString(16)}`);
  }
}

/** The program of a process, or the kernel. */
async function ownBase(context: PluginContext, spaceName: string | undefined): Promise<bigint> {
  const kernel = await context.session.kernel();
  if (kernel.os === 'program' && kernel.extent) return kernel.extent.start;
  if (kernel.os !== 'windows') throw new PluginError('Which executable? Kernels of other systems than Windows are none.', 'peinfo ADDRESS');
  const { context: process } = await findSpace(context.session, spaceName);
  if (!process) return (kernel as WindowsKernel).location.base;
  const { peb, kernel: section } = programBase(kernel as WindowsKernel, process.process as Eprocess);
  const base = peb ?? section;
  if (base === undefined) throw new PluginError(`${process.name} (${process.pid}) has no program of its own.`, 'peinfo nt');
  return base;
}

/** An executable file. Throws PluginError where the path leads to none. */
function onDisk(context: PluginContext, given: string): PeView {
  const path = context.session.path(given);
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info?.isFile()) throw new PluginError(`${path} is no file.`, NEXT);
  if (info.size > MOST_EXECUTABLE) throw new PluginError(`${path} has ${info.size} bytes: no executable is that large.`, NEXT);
  try {
    const space = new PeFileSpace(readFileSync(path), path);
    const pe = LoadedPe.read(space, space.base);
    return { pe, names: namesOf(pe), loaded: false, note: (what) => context.note(what.replace('not in memory', 'not in the file')) };
  } catch (error) {
    if (error instanceof Absent) throw new PluginError(`${path} is no executable: ${error.reason}.`, `version_scan ${path}`);
    if (error instanceof Error && 'code' in error) throw new PluginError(`${path} cannot be read: ${fileProblem(error)}.`, NEXT);
    throw error;
  }
}

/** Names of a file on disk: what it exports, and the pointers to what it imports. */
function namesOf(pe: LoadedPe): Names {
  const symbols: KernelSymbol[] = [];
  for (const { name, rva, forwarder } of pe.exports()) if (forwarder === undefined) symbols.push({ name, address: pe.address(rva), kind: 'T' });
  for (const { dll, name, ordinal, slot } of imports(pe)) symbols.push({ name: `__imp_${dll}!${name ?? `#${ordinal ?? '?'}`}`, address: pe.address(slot), kind: 'D' });
  const table = new SymbolTable(symbols);
  const module = pe.exportedName() ?? 'image';
  const nearest: Names['nearest'] = (address) => {
    const found = table.nearest(address);
    // Names of a few exports say nothing of what lies far behind them.
    return found && found.distance < 0x1000n ? { module, ...found } : undefined;
  };
  return {
    nearest,
    name: (address) => {
      const found = nearest(address);
      return found?.distance === 0n ? (found.symbol.name.startsWith('__imp_') ? found.symbol.name : `${module}!${found.symbol.name}`) : undefined;
    },
  };
}
