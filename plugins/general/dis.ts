import { canonical } from '../../src/disasm/canonical.js';
import { Commentator } from '../../src/disasm/comment.js';
import { type CodeBits, type Disassembler, loadDisassembler } from '../../src/disasm/decode.js';
import { follow, type Followed } from '../../src/disasm/follow.js';
import { after, type Instruction, type UnreadableCode } from '../../src/disasm/instruction.js';
import { codeName, type Extent, functionAt, type Names } from '../../src/disasm/names.js';
import { breathe } from '../../src/memory/breathe.js';
import { unreadable } from '../../src/memory/absent.js';
import type { AddressSpace } from '../../src/memory/space.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { spaceWithNames } from './names-for.js';
import { perCpuVariables } from './per-cpu-names.js';
import { positions } from './positions.js';

/** A listing without an end stops at holes that are larger: no function has one. */
const LARGEST_HOLE = 0x10000n;
/** Instructions of a listing whose end is not given: of a function, and where no function is known. */
const FUNCTION_ROWS = 1000;
const UNKNOWN_ROWS = 32;
const TOP = 1n << 64n;

const MODES: Readonly<Record<string, CodeBits>> = { AMD64: 64, I386: 32, I8086: 16 };

export const dis = definePlugin({
  name: 'dis',
  needs: 'kernel',
  topic: 'memory',
  summary: 'disassembles code as it stands in memory, with names and values of what it works on',
  notes:
    'Without length or end it lists the function to its end (the next symbol), without the padding behind it; without any argument it goes on where the last listing of this space stopped. ' +
    'It follows the process context (cc). Comments are read from memory now: the name where a jump, a call or a pointer leads; the value of a variable and its name; ' +
    "the text that an address points to; behind GS the kernel's per-CPU variables. branch=yes follows jumps and calls inside the function, depth first, each instruction once. " +
    'Decoded by iced-x86; a byte that begins no instruction is listed as DB, and decoding goes on behind it.',
  args: {
    offset: arg.address('where to begin: a number or a symbol', { positional: true, completes: 'symbol' }),
    address_space: arg.space(),
    length: arg.int('how many bytes: 0x80, 4k'),
    end: arg.address('list up to this address'),
    rows: arg.int('how many instructions at most', { least: 1 }),
    mode: arg.choice('what the code was made for; by itself that of the address space', { choices: Object.keys(MODES) }),
    branch: arg.bool('follow jumps and calls inside the function, one level deeper each', { default: false }),
    canonical: arg.bool('instructions taken apart into operands, for signatures', { default: false }),
  },
  columns: {
    divider: col.string('the function, with its prototype where that is known', { divider: true }),
    address: col.address('where the instruction stands', { tree: true }),
    rel: col.int('distance to the start of the function', { unit: 'bytes', hex: true }),
    opcode: col.string('its bytes', { width: 20, minor: true }),
    instruction: col.string('the instruction; DB where there is none', { width: 30 }),
    comment: col.string('the line of the source that it begins, where a private PDB tells; where it leads, or the value it works on and its name'),
    mnemonic: col.string('without prefixes and operands', { hidden: true }),
    target: col.address('the first address that it names: of a jump, a variable, a pointer', { hidden: true }),
    value: col.int('what the variable that it names holds', { hidden: true }),
    size: col.size('how long it is', { unit: 'bytes', hidden: true }),
    function: col.string('module!symbol of the function', { hidden: true }),
    source: col.string('file and line that it was made of, where a private PDB tells', { hidden: true }),
  },
  examples: [{ line: 'dis linux!do_exit rows=12' }, { line: 'dis linux!current_time branch=yes', doc: 'following its jumps' }, { line: 'dis linux!commit_creds length=0x20 canonical=yes' }],
  async *collect(context, args) {
    const { session, kernel } = context;
    const { space, names } = await spaceWithNames(session, args.address_space, args.offset);
    if (kernel.profile.metadata.arch === 'ARM64') throw new PluginError('dis reads x86 code; this kernel is for arm64.', `dump ${args.offset === undefined ? '' : `0x${args.offset.toString(16)}`}`);
    const bits = MODES[args.mode ?? ''] ?? (kernel.profile.metadata.arch === 'I386' ? 32 : 64);
    const position = positions(session, 'dis');
    const start = args.offset ?? position.get(space);
    if (start === undefined) throw new PluginError('Where should it begin? No listing of this address space went before.', 'dis linux!do_exit');
    const range = rangeOf(args, start, functionAt(names, start));
    if (range.end <= start && !range.open) {
      if (range.end < start) throw new PluginError(`The end, 0x${range.end.toString(16)}, lies before the start, 0x${start.toString(16)}.`, `dis 0x${start.toString(16)} length=0x80`);
      context.note('A length of 0: nothing to list.');
      return;
    }
    const disassembler = await loadDisassembler(bits, { operands: args.canonical });
    await breathe(context.signal);
    const commentator = new Commentator({ space, names, bits, segment: perCpuVariables(kernel) });
    let line: string | undefined;
    const heading = new Headings(names, space, start);
    const source = args.branch ? branches(disassembler, space, start, range, names) : straight(disassembler, space, start, range);
    let rows = 0;
    for (const { code, depth } of source) {
      if (rows++ >= range.rows) {
        if (args.rows === undefined) context.note(`The first ${range.rows} instructions: ${args.branch ? 'rows=N lists more.' : 'dis without arguments goes on.'}`);
        break;
      }
      const { name, start: base, title } = heading.at(code.address);
      const common = { $depth: depth, divider: title, address: code.address, rel: code.address - base, function: name ?? null };
      // Whoever did not say how far does not mean what lies behind a hole, least of all one that the listing would begin with.
      const nothing = rows === 1 && !range.bounded && (range.end === TOP || after(code) >= range.end);
      if (code.kind === 'unreadable' && (nothing || (range.end === TOP && code.length > LARGEST_HOLE))) {
        yield { ...common, opcode: unreadable(code.address), comment: 'not in memory' };
        context.note(nothingAt(code, range, args.address_space));
        break;
      }
      const place = names.line?.(code.address);
      const made = place && `${place.file}:${place.line}`;
      const begun = made === line ? undefined : made?.replace(/^.*[\\/]/, '');
      line = made;
      position.set(space, BigInt.asUintN(64, after(code)));
      if (code.kind === 'unreadable') {
        yield { ...common, opcode: unreadable(code.address), comment: `${bytesText(code.length)} not in memory`, size: code.length };
        continue;
      }
      yield {
        ...common,
        opcode: code.bytes.toString('hex'),
        instruction: () => (args.canonical ? canonical(code, (address) => nameIn(names, space, address)) : code.text),
        comment: () => (code.kind === 'bad' ? 'no instruction' : [begun, commentator.comment(code)].filter(Boolean).join('  ')),
        mnemonic: code.mnemonic,
        target: () => commentator.target(code) ?? null,
        value: () => commentator.value(code) ?? null,
        size: code.bytes.length,
        source: made ?? null,
      };
    }
  },
});

interface Range {
  readonly end: bigint;
  /** nobody said where to stop: padding behind the function is left out */
  readonly open: boolean;
  /** an end was given: branches are followed up to there, and not to the end of the function */
  readonly bounded: boolean;
  /** instructions at most */
  readonly rows: number;
}

function rangeOf(args: { length?: number | undefined; end?: bigint | undefined; rows?: number | undefined }, start: bigint, extent: Extent | undefined): Range {
  if (args.length !== undefined && args.length < 0) throw new PluginError(`length is ${args.length}: expected a number of bytes.`, `dis 0x${start.toString(16)} length=0x80`);
  if (args.rows !== undefined && args.rows < 1) throw new PluginError(`rows is ${args.rows}: expected one or more.`, `dis 0x${start.toString(16)} rows=20`);
  const rows = args.rows ?? Infinity;
  if (args.end !== undefined) return { end: args.end, open: false, bounded: true, rows };
  if (args.length !== undefined) return { end: start + BigInt(args.length) < TOP ? start + BigInt(args.length) : TOP, open: false, bounded: true, rows };
  if (args.rows !== undefined) return { end: TOP, open: false, bounded: false, rows };
  if (extent?.end !== undefined && extent.code) return { end: extent.end, open: true, bounded: false, rows: FUNCTION_ROWS };
  return { end: TOP, open: true, bounded: false, rows: UNKNOWN_ROWS };
}

/** Why a listing ends in a hole, and what to ask next. */
function nothingAt(code: UnreadableCode, { end }: Range, space: string | undefined): string {
  const asked = space === undefined ? '' : ` ${space}`;
  const why = `\`vtop 0x${code.address.toString(16)}${asked}\` tells why`;
  const next = after(code);
  if (code.length > LARGEST_HOLE || next >= TOP) return `Nothing is in memory from 0x${code.address.toString(16)} on: ${why}.`;
  const nothing = `Nothing is in memory at 0x${code.address.toString(16)}: ${why}.`;
  // The hole may go on behind the function.
  return next >= end ? nothing : `${nothing} The next byte that is there: \`dis 0x${next.toString(16)}${asked}\`.`;
}

/** One instruction behind the other. Padding after the last one that can be reached is held back until something follows it. */
function* straight(disassembler: Disassembler, space: AddressSpace, start: bigint, range: Range): Generator<Followed> {
  let held: (Instruction | UnreadableCode)[] = [];
  let ended = false;
  for (const code of disassembler.decode(space, start, range.end)) {
    const padding = range.open && ended && code.kind === 'instruction' && isPadding(code);
    if (padding) {
      held.push(code);
      continue;
    }
    for (const one of held) yield { code: one, depth: 0 };
    held = [];
    ended = code.kind === 'instruction' && ['return', 'jump', 'indirect jump', 'trap'].includes(code.flow);
    yield { code, depth: 0 };
  }
}

/** What compilers and linkers put between functions. */
function isPadding(code: Instruction): boolean {
  return code.mnemonic === 'NOP' || code.mnemonic === 'INT3' || code.text === 'XCHG AX, AX';
}

/** Inside the function: up to its end, and in the part of it that the compiler moved away (`do_exit.cold`). Without symbols: inside the range. */
function branches(disassembler: Disassembler, space: AddressSpace, start: bigint, range: Range, names: Names): Generator<Followed> {
  const extent = functionAt(names, start);
  const inside = (address: bigint): boolean => {
    if (range.bounded) return address >= start && address < range.end;
    if (extent?.end === undefined) return address > start - 0x10000n && address < start + 0x10000n;
    if (address >= extent.start && address < extent.end) return true;
    const found = names.nearest(address);
    return found !== undefined && `${found.module}!${found.symbol.name}` === `${extent.name}.cold`;
  };
  return follow(disassembler, space, start, inside);
}

/** Which function an address lies in, asked for each instruction and searched for when it changes. */
class Headings {
  private current: { readonly name: string | undefined; readonly start: bigint; readonly end: bigint; readonly title: string } | undefined;

  constructor(
    private readonly names: Names,
    private readonly space: AddressSpace,
    private readonly listing: bigint,
  ) {}

  at(address: bigint): { readonly name: string | undefined; readonly start: bigint; readonly title: string } {
    if (this.current && address >= this.current.start && address < this.current.end) return this.current;
    const extent = functionAt(this.names, address);
    const prototype = extent && this.names.prototype?.(extent.start);
    this.current = extent
      ? { name: extent.name, start: extent.start, end: extent.end ?? extent.start, title: `------ ${extent.name}${prototype === undefined ? '' : `: ${prototype}`} ------` }
      : { name: undefined, start: this.listing, end: this.listing, title: `------ ${this.space.name} ------` };
    return this.current;
  }
}

function nameIn(names: Names, space: AddressSpace, address: bigint): string | undefined {
  return address >= 0x10000n && space.isValid(address) ? codeName(names, address)?.replaceAll(' ', '') : undefined;
}

function bytesText(length: bigint): string {
  return `0x${length.toString(16)} bytes`;
}
