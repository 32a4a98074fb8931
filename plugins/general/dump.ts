import { Absent } from '../../src/memory/absent.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { spaceNamed } from '../../src/session/spaces.js';

export const dump = definePlugin({
  name: 'dump',
  needs: 'kernel',
  topic: 'memory',
  summary: 'hex dump of memory, with the symbols that lie there',
  notes: 'In the process context if there is one (cc), otherwise in the kernel. Without an offset it goes on where the last dump stopped.',
  args: {
    offset: arg.address('where to begin: a number or a symbol', { positional: true, completes: 'symbol' }),
    address_space: arg.string('K (kernel), P (physical), pid@N', { positional: true }),
    length: arg.int('bytes'),
    width: arg.int('bytes in a row', { default: 16 }),
    rows: arg.int('rows', { default: 20 }),
  },
  columns: {
    offset: col.address('address of the first byte of the row'),
    hexdump: col.bytes('the bytes'),
    comment: col.string('the symbol that lies there'),
  },
  examples: [{ line: 'dump linux!linux_banner rows=4' }],
  async *collect(context, args) {
    const { session } = context;
    const space = await spaceNamed(session, args.address_space);
    const resolver = await session.resolver();
    const last = session.memo('last dump', () => ({ next: 0n }));
    const width = Math.min(256, Math.max(1, args.width));
    const start = args.offset ?? last.next;
    const length = args.length ?? args.rows * width;
    const shift = args.address_space?.toUpperCase().startsWith('P') === true;
    let commented = '';
    for (let done = 0; done < length; done += width) {
      const at = BigInt.asUintN(64, start + BigInt(done));
      const count = Math.min(width, length - done);
      const name = shift ? undefined : resolver.name(at);
      // A symbol is named where it begins, and once at the start of the dump.
      const symbol = name?.split('+')[0] ?? '';
      const comment = symbol !== commented ? (name ?? '') : '';
      commented = symbol;
      yield { offset: at, hexdump: () => readable(space.readPartial(at, count), at), comment };
      last.next = at + BigInt(count);
    }
  },
});

function readable({ bytes, gaps }: { bytes: Buffer; gaps: readonly { start: bigint; end: bigint }[] }, at: bigint): Buffer {
  const first = gaps[0];
  if (!first) return bytes;
  if (first.start === at) throw new Absent('unreadable', 'page not present', at);
  return bytes.subarray(0, Number(first.start - at));
}
