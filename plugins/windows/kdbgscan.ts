import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import { breathe } from '../../src/memory/breathe.js';
import { searchable } from '../../src/memory/search/search.js';
import type { Struct } from '../../src/object/struct.js';
import { decodeText } from '../../src/object/text.js';
import { KDBG_FIELDS, type KdbgBlock, kdbgBySignature, kdbgOfProfile, kdbgValue } from '../../src/kernel/windows/system/kdbg.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { processors } from '../../src/kernel/windows/system/kpcr.js';
import { walkListEntry } from '../../src/kernel/windows/lists.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';
import { LoadedPe } from '../../src/symbols/pe/loaded.js';

/** Processes and modules that are counted at most. */
const MOST = 1 << 16;
/** Where kernels are loaded: on x64 the range of the loader's mappings. */
const LOADED = { wide: { from: 0xfffff80000000000n, to: 0xfffff88000000000n }, narrow: { from: 0x80000000n, to: 1n << 32n } } as const;

export const kdbgscan = definePlugin({
  name: 'kdbgscan',
  needs: ['windows'],
  topic: 'kernel',
  summary: "the debugger's data block (KDBG): what it says of the kernel, and whether that is true",
  notes:
    'The block where the profile has it (nt!KdDebuggerDataBlock), then all that bear its signature in the range where kernels are loaded, or with full_scan in all of the kernel\'s addresses. Since Windows 8 x64 the block is ' +
    'encoded (nt!KdpDataBlockEncoded, KiWaitNever, KiWaitAlways) and decoded here. Members are those of KDDEBUGGER_DATA64 (wdbgexts.h). Nothing in this program needs the block: malware may overwrite it.',
  args: {
    full_scan: arg.bool("look through all of the kernel's addresses", { default: false }),
    members: arg.bool('every member of the block, with the symbol that it names', { default: false }),
  },
  columns: {
    divider: col.string('the block', { divider: true }),
    Key: col.string('what', { width: 26 }),
    Value: col.string('its value'),
    address: col.address('the value, where it is an address', { hidden: true }),
    symbol: col.string('the symbol there', { hidden: true }),
    differs: col.bool('it leads neither to the variable of its name nor to another one', { hidden: true }),
    block: col.address('address of the block', { hidden: true }),
  },
  examples: [{ line: 'kdbgscan' }, { line: 'kdbgscan members=true', doc: 'all that it says' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const seen = new Set<bigint>();
    const own = orAbsent(() => kdbgOfProfile(kernel));
    if (own instanceof Absent) context.note(`The block is not where the profile has it: ${own.toString()}.`);
    else {
      seen.add(own.address);
      yield* rows(context, kernel, own, args.members);
    }
    const wide = kernel.space.bits === 64;
    const range = args.full_scan ? { from: wide ? 1n << 63n : 0n, to: 1n << BigInt(kernel.space.bits) } : LOADED[wide ? 'wide' : 'narrow'];
    const total = searchable(kernel.space, range.from, range.to);
    let done = 0;
    let more = 0;
    for (const { blocks, step } of kdbgBySignature(kernel, range)) {
      done += step.bytes;
      context.progress({ done, total, unit: 'bytes' }, 'KDBG');
      for (const block of blocks) {
        if (seen.has(block.address)) continue;
        seen.add(block.address);
        more++;
        yield* rows(context, kernel, block, args.members);
      }
      await breathe(context.signal);
    }
    if (more === 0) context.note(own instanceof Absent || own.tag !== 'KDBG' || own.encoded ? 'The signature KDBG stands nowhere else: whoever depends on it finds no block here.' : 'No other block bears the signature.');
  },
});

interface Fact {
  readonly Key: string;
  readonly Value: string | null;
  readonly address?: bigint;
  readonly symbol?: string | null;
  readonly differs?: boolean;
}

async function* rows(context: PluginContext, kernel: WindowsKernel, block: KdbgBlock, members: boolean) {
  const resolver = await context.session.resolver(null);
  const name = (address: bigint): string | null => resolver.name(address) ?? null;
  const divider = `block at ${hex(block.address)}, found by ${block.found}`;
  const all = function* (): Generator<Fact> {
    yield* facts(kernel, block);
    if (!members) return;
    for (const field of KDBG_FIELDS) {
      const value = kdbgValue(kernel, block, field);
      const known = field.size === 8 ? kernel.symbol(field.name) : undefined;
      // A member that a version no longer fills in is 0; some name another variable (NtBuildLabEx since Windows 7).
      const differs = known !== undefined && value !== 0n && known !== value && kernel.profile.symbols.nearest(value)?.distance !== 0n;
      const symbol = field.size === 8 && value >> 31n !== 0n ? name(value) : null;
      yield { Key: field.name, Value: `${hex(value)}${symbol === null ? '' : ` ${symbol}`}${differs ? ', which is not where the profile has it' : ''}`, address: value, symbol, differs };
    }
  };
  for (const fact of all()) yield { divider, ...fact, differs: fact.differs ?? null, block: block.address };
}

function* facts(kernel: WindowsKernel, block: KdbgBlock): Generator<Fact> {
  const value = (field: string): bigint => kdbgValue(kernel, block, field);
  const physical = kernel.space.translate(block.address);
  yield { Key: 'Offset (V)', Value: hex(block.address), address: block.address };
  yield { Key: 'Offset (P)', Value: physical === undefined ? null : hex(physical) };
  yield { Key: 'KDBG owner tag check', Value: block.tag === 'KDBG' ? 'right' : 'wrong' };
  yield { Key: 'Encoded', Value: block.encoded ? 'yes' : 'no' };
  yield { Key: 'Size', Value: hex(block.size) };
  for (const problem of block.problems) yield { Key: 'Problem', Value: problem };
  if (block.encoded && block.tag !== 'KDBG') return;
  yield version(kernel);
  yield { Key: 'Service Pack', Value: orElse(() => String((kernel.space.readU32(value('CmNtCSDVersion')) >>> 8) & 0xff), null), address: value('CmNtCSDVersion') };
  yield { Key: 'Build string (NtBuildLab)', Value: orElse(() => decodeText(kernel.space.readCString(value('NtBuildLab'), 256)), null), address: value('NtBuildLab') };
  for (const [field, type, member, what] of [
    ['PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', 'processes'],
    ['PsLoadedModuleList', '_LDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks', 'modules'],
  ] as const) {
    const known = kernel.symbol(field);
    const differs = known !== undefined && known !== value(field);
    const said = `${hex(value(field))} (${counted(kernel, value(field), type, member)} ${what})${differs ? `, while the profile has it at ${hex(known)}` : ''}`;
    yield { Key: field, Value: said, address: value(field), differs };
  }
  const base = value('KernBase');
  yield { Key: 'KernelBase', Value: `${hex(base)} (Matches MZ: ${orElse(() => kernel.space.readU16(base) === 0x5a4d, false) ? 'yes' : 'no'})`, address: base };
  const [major, minor] = LoadedPe.at(kernel.space, base)?.header.osVersion.split('.') ?? [];
  if (major !== undefined && minor !== undefined) {
    yield { Key: 'Major (OptionalHeader)', Value: major };
    yield { Key: 'Minor (OptionalHeader)', Value: minor };
  }
  for (const { number, pcr } of processors(kernel)) yield { Key: 'KPCR', Value: `${hex(pcr.$address)} (CPU ${number})`, address: pcr.$address };
}

/** nt!KdVersionBlock (`_DBGKD_GET_VERSION64`), which names the block too. */
function version(kernel: WindowsKernel): Fact {
  const at = kernel.symbol('KdVersionBlock');
  const text = (): string => {
    const block = kernel.global<Struct>('KdVersionBlock', '_DBGKD_GET_VERSION64');
    return `${hex(block.$address)} (Major: ${String(block.$get('MajorVersion'))}, Minor: ${String(block.$get('MinorVersion'))})`;
  };
  return { Key: 'Version64', Value: orElse(text, null), ...(at === undefined ? {} : { address: at }) };
}

function counted(kernel: WindowsKernel, head: bigint, type: string, member: string): number {
  return orElse(() => {
    let count = 0;
    for (const one of walkListEntry(kernel.at('_LIST_ENTRY', head), kernel.struct(type), member, { limit: MOST })) if (one.$valid) count++;
    return count;
  }, 0);
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
