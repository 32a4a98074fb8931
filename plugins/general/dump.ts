import { orElse, unreadable } from '../../src/memory/absent.js';
import { nextReadablePage } from '../../src/memory/extents.js';
import { addressOf, pageNumber } from '../../src/memory/page.js';
import { asRow, readForCell } from '../../src/memory/partial.js';
import { type AddressSpace, BufferSpace } from '../../src/memory/space.js';
import { isCode, type Names } from '../../src/disasm/names.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { patternsOf } from '../../src/plugin/keywords.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { NOTHING, spaceWithNames } from './names-for.js';
import { positions } from './positions.js';

const ROWS = 20;
const WIDEST = 256;
const TOP = 1n << 64n;
/** A pointer into code is a return address when it is not further into the function than this. */
const INTO_CODE = 0x4000n;

export const dump = definePlugin({
  name: 'dump',
  needs: 'kernel',
  topic: 'memory',
  summary: 'hex dump of memory, with the symbols that lie there and those that pointers lead to',
  notes:
    'In the process context if there is one (cc), otherwise in the kernel. Without an offset it goes on where the last dump of this space stopped. Beside each row: the symbols that begin in it, ' +
    'in the first row also where the dump begins, and behind -> what aligned pointers in it lead to. Bytes that are not in memory are shown as ??; a row that is missing altogether says how much is.',
  args: {
    offset: arg.address('where to begin: a number or a symbol', { positional: true, completes: 'symbol' }),
    address_space: arg.space('where', { positional: true }),
    data: arg.string('dump this instead of memory: text with escapes, or bytes as "{de ad be ef}"'),
    length: arg.int('bytes: 0x80, 4k'),
    width: arg.int('bytes in a row', { default: 16, least: 1, most: 256 }),
    rows: arg.int('rows, when no length is given', { default: ROWS, least: 0 }),
  },
  columns: {
    offset: col.address('address of the first byte of the row'),
    hexdump: col.bytes('the bytes'),
    comment: col.string('symbols that lie there, and -> what pointers lead to'),
  },
  examples: [{ line: 'dump linux!linux_banner rows=4' }, { line: 'dump linux!init_task length=0x60', doc: 'pointers among the bytes' }, { line: 'dump data="{cafe babe}"' }],
  async *collect(context, args) {
    const { session } = context;
    if (args.width < 1 || args.width > WIDEST) throw new PluginError(`width is ${args.width}: expected 1 to ${WIDEST} bytes in a row.`);
    for (const name of ['length', 'rows'] as const) if ((args[name] ?? 0) < 0) throw new PluginError(`${name} is ${args[name] ?? 0}: expected 0 or more.`);
    const { width } = args;
    const given = args.data === undefined ? undefined : bytesOf(args.data);
    const { space, names } = given ? { space: new BufferSpace(given, 0n, 'data'), names: NOTHING } : await spaceWithNames(session, args.address_space, args.offset);
    const position = positions(session, 'dump');
    const start = args.offset ?? (given ? 0n : position.get(space));
    if (start === undefined) throw new PluginError('Where should it begin? No dump of this address space went before.', 'dump linux!linux_banner');
    const last = given ? BigInt(given.length) : space.bits === 32 ? 1n << 32n : TOP;
    const wanted = start + BigInt(args.length ?? (given ? given.length : args.rows * width));
    const end = wanted < last ? wanted : last;
    if (end <= start) context.note(start >= last ? `0x${start.toString(16)} lies behind the end of ${space.name}.` : 'A length of 0: nothing to dump.');
    const comments = new RowComments(space, names);
    for (let at = start; at < end; ) {
      const hole = given ? 0n : missingAt(space, at, start, end, BigInt(width));
      const count = hole > 0n ? hole : end - at < BigInt(width) ? end - at : BigInt(width);
      const address = at;
      at += count;
      if (!given) position.set(space, BigInt.asUintN(64, at));
      yield hole > 0n
        ? { offset: address, hexdump: unreadable(address), comment: `0x${hole.toString(16)} bytes not in memory` }
        : { offset: address, hexdump: () => asRow(readForCell(space, address, Number(count)), width), comment: () => comments.of(address, Number(count)) };
    }
  },
});

/** Bytes of whole rows that are missing from an address on; 0 where the row has a byte. */
function missingAt(space: AddressSpace, at: bigint, start: bigint, end: bigint, width: bigint): bigint {
  const rowEnd = at + width < end ? at + width : end;
  if (space.isValid(at) || space.isValid(rowEnd - 1n)) return 0n;
  const page = nextReadablePage(space, pageNumber(at), pageNumber(end - 1n) + 1);
  const next = page === undefined ? end : addressOf(page, 0);
  if (next >= end) return end - at;
  // Rows keep their places: the one in which memory begins again is shown with what is missing of it.
  const row = start + ((next - start) / width) * width;
  return row > at ? row - at : 0n;
}

/** What stands beside a row. */
class RowComments {
  /** the symbol that was named last */
  private named: bigint | undefined;
  private first = true;

  constructor(
    private readonly space: AddressSpace,
    private readonly names: Names,
  ) {}

  of(at: bigint, count: number): string {
    return [...this.symbols(at, count), ...this.pointers(at, count)].join(', ');
  }

  /** Symbols (and members of typed globals) that begin in the row; where there is none and nothing was said of this one yet, the symbol that the row is part of. */
  private *symbols(at: bigint, count: number): Generator<string> {
    const end = at + BigInt(count);
    const found: string[] = [];
    for (let near = this.names.nearest(end - 1n); near && near.symbol.address >= at; near = this.names.nearest(near.symbol.address - 1n)) {
      const name = this.names.name(near.symbol.address);
      if (name !== undefined) found.unshift(name);
      this.named ??= near.symbol.address;
      if (near.symbol.address === 0n) break;
    }
    const members: string[] = [];
    for (let place = at; place < end; place += 4n) {
      const name = this.names.name(place);
      // A member that begins just here has no distance behind it.
      if (name !== undefined && /[.\]][^+]*$/.test(name.split('!').at(-1) ?? '') && !name.includes('+0x') && !found.includes(name)) members.push(name);
    }
    const shortened = members.map((name, index) => (globalOf(name) === globalOf(members[index - 1] ?? found.at(-1) ?? '') ? name.slice(globalOf(name).length) : name));
    const near = this.names.nearest(at);
    if (found.length === 0 && members.length === 0 && near && (this.first || near.symbol.address !== this.named)) {
      const name = this.names.name(at);
      if (name !== undefined) found.push(name);
    }
    this.named = this.names.nearest(end - 1n)?.symbol.address;
    this.first = false;
    yield* found;
    yield* shortened;
  }

  /** `-> linux!init_task` for pointers at their natural places. */
  private *pointers(at: bigint, count: number): Generator<string> {
    const size = BigInt(this.space.bits / 8);
    for (let place = ((at + size - 1n) / size) * size; place + size <= at + BigInt(count); place += size) {
      const value = orElse(() => this.space.readPointer(place), 0n);
      const near = value < 0x10000n ? undefined : this.names.nearest(value);
      if (!near) continue;
      const name = this.names.name(value);
      const exact = near.distance === 0n || (near.symbol.kind !== undefined && isCode(near.symbol) && near.distance < INTO_CODE) || (name !== undefined && !name.includes('+'));
      if (exact && name !== undefined) yield `-> ${name}`;
    }
  }
}

/** `linux!init_task` of `linux!init_task.fs`: members of one global are named by it once. */
function globalOf(member: string): string {
  return /^[^!]*![^.[]*/.exec(member)?.[0] ?? '';
}

/** Bytes in braces, or text with escapes. */
function bytesOf(data: string): Buffer {
  const [pattern] = patternsOf([data], { ignoreCase: false, utf16: false });
  if (!pattern || pattern.mask.some((one) => one !== 0xff)) throw new PluginError(`${data} is no run of bytes: ?? stands for none in particular.`, 'dump data="{de ad be ef}"');
  return pattern.bytes;
}
