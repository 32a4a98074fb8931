import { breathe, due } from '../../src/memory/breathe.js';
import { asRow, readForCell } from '../../src/memory/partial.js';
import { searchable, search } from '../../src/memory/search/search.js';
import type { Pattern } from '../../src/memory/search/pattern.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { patternsOf } from '../../src/plugin/keywords.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { spaceWithNames } from './names-for.js';

/** Bytes a line of a hit: what stands before it is a line of its own. */
const LINE = 16;
/** Bytes of context, at most. */
const MOST_CONTEXT = 4096;
const TOP = 1n << 64n;

export const grep = definePlugin({
  name: 'grep',
  needs: 'kernel',
  topic: 'memory',
  summary: 'looks for text or bytes in an address space, and shows what stands around them',
  notes:
    'A keyword is text, with \\n, \\0, \\x41 for bytes that cannot be typed, or bytes in braces: "{de ad ?? ef}". It follows the process context (cc): of a process its own pages and ' +
    'those of the kernel that it maps; P is physical memory. Only what is mapped is read, in the order of addresses, so that a hit across the border of two pages is found wherever ' +
    'these lie. All keywords are looked for in one pass.',
  args: {
    keyword: arg.strings.required('what to look for; several are looked for in one pass', { positional: true }),
    offset: arg.address('where to begin', { completes: 'symbol' }),
    address_space: arg.space(),
    before: arg.int('bytes that are shown before a hit', { default: 16, least: 0 }),
    after: arg.int('bytes that are shown after its start', { default: 16, least: 0 }),
    limit: arg.int('look no further than so many bytes behind offset'),
    end: arg.address('look no further than this address'),
    max: arg.int('stop after so many hits; 0: show all', { default: 0, least: 0 }),
    count: arg.bool('only count: one row for each keyword', { default: false }),
    ignore_case: arg.bool('A and a are one (ASCII)', { default: false }),
    utf16: arg.bool('look for texts in UTF-16, too', { default: false }),
  },
  columns: {
    count: col.int('number of the hit; with count=yes how many there are'),
    offset: col.address('address of its first byte; with count=yes of the first hit'),
    keyword: col.string('what was found'),
    hexdump: col.bytes('the bytes around it'),
    comment: col.string('the symbol or the mapping that it lies in'),
  },
  examples: [{ line: 'grep LABMARK:alpha address_space=P max=2' }, { line: 'grep "{7f 45 4c 46}" address_space=pid@1 max=3', doc: 'headers of ELF files in a process' }],
  async *collect(context, args) {
    const from = args.offset ?? 0n;
    const patterns = patternsOf(args.keyword, { ignoreCase: args.ignore_case, utf16: args.utf16 });
    if (patterns.length === 0) throw new PluginError('What should it look for?', 'grep password address_space=P');
    for (const name of ['before', 'after', 'max', 'limit'] as const) if ((args[name] ?? 0) < 0) throw new PluginError(`${name} is ${args[name] ?? 0}: expected 0 or more.`);
    const { space, names } = await spaceWithNames(context.session, args.address_space);
    await breathe(context.signal);
    const physical = space instanceof PhysicalSpace;
    const top = physical ? BigInt(space.end) : space.bits === 32 ? 1n << 32n : TOP;
    const to = [top, args.end ?? top, args.limit === undefined ? top : from + BigInt(args.limit)].reduce((least, one) => (one < least ? one : least));
    if (args.end !== undefined && args.end < from) throw new PluginError(`The end, 0x${args.end.toString(16)}, lies before the start, 0x${from.toString(16)}.`);
    const [before, after] = [Math.min(args.before, MOST_CONTEXT), Math.min(args.after, MOST_CONTEXT)];
    const counts = new Map<Pattern, { count: number; first: bigint }>();
    const total = searchable(space, from, to);
    await breathe(context.signal);
    let done = 0;
    let hits = 0;
    // The command is let go of at once: what it has to say of that is said here.
    const stopped = (): void => context.note(`Stopped: ${sizeText(done)} of ${sizeText(total)} of ${space.name} were searched, ${hitsText(hits)}.`);
    context.signal.addEventListener('abort', stopped, { once: true });
    for (const step of search(space, patterns, { from, to, onFault: (what) => context.note(what) })) {
      done += step.bytes;
      for (const { address, pattern } of step.hits) {
        hits++;
        const counted = counts.get(pattern);
        if (counted) counted.count++;
        else counts.set(pattern, { count: 1, first: address });
        if (!args.count) {
          const start = address - BigInt(before) < 0n ? 0n : address - BigInt(before);
          yield {
            count: hits,
            offset: address,
            keyword: pattern.label,
            hexdump: () => asRow(readForCell(space, start, Number(address - start) + Math.max(after, pattern.bytes.length)), LINE),
            comment: () => names.name(address) ?? null,
          };
        }
        if (args.max > 0 && hits >= args.max) {
          context.note(`Stopped after ${hitsText(hits)} (max=${args.max}).`);
          if (args.count) break;
          return;
        }
      }
      if (args.max > 0 && hits >= args.max) break;
      if (!due()) continue;
      context.progress({ done, total, unit: 'bytes' }, hitsText(hits));
      await breathe();
      if (context.signal.aborted) break;
    }
    if (args.count) {
      for (const pattern of patterns) {
        const counted = counts.get(pattern);
        yield { count: counted?.count ?? 0, offset: counted?.first ?? null, keyword: pattern.label, hexdump: null, comment: counted ? (names.name(counted.first) ?? null) : null };
      }
    }
    const searched = `${sizeText(done)} of ${space.name}`;
    // Windows keeps most texts in UTF-16, which who looks for a name forgets.
    const wide = !args.utf16 && context.session.detected?.os === 'windows' && args.keyword.some((word) => !word.trim().startsWith('{'));
    const more = wide ? ' utf16=yes looks for texts in UTF-16 too, in which Windows keeps most.' : '';
    if (hits === 0 && !context.signal.aborted) context.note(done === 0 ? `Nothing is mapped there: no byte of ${space.name} was searched.` : `Not found in ${searched}.${more}`);
  },
});

function hitsText(hits: number): string {
  return `${hits.toLocaleString('en')} ${hits === 1 ? 'hit' : 'hits'}`;
}

function sizeText(bytes: number): string {
  for (const [unit, size] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]] as const) if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  return `${Math.round(bytes)} bytes`;
}
