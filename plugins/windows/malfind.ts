import { Absent, orElse } from '../../src/memory/absent.js';
import { breathing, type Steps } from '../../src/memory/breathe.js';
import { asRow, PartialBytes, readForCell } from '../../src/memory/partial.js';
import type { PagedSpace } from '../../src/memory/paging/paged.js';
import { type Disassembler, loadDisassembler } from '../../src/disasm/decode.js';
import { KINDS, type Kind, looksLike, type Suspect, suspects } from '../../src/kernel/windows/processes/injected.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { isWow64, pidOf } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { fileName, protectionText, vadFile } from '../../src/kernel/windows/memory/vad.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { DumpFolder } from '../../src/plugin/dump-folder.js';
import { appendMemory } from '../../src/plugin/dump-memory.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

/** Bytes that are shown, and bytes in a row: a dump and a listing side by side fit on 80 columns. */
const SHOWN = 64;
const WIDTH = 8;
/** Instructions that are shown at most. */
const INSTRUCTIONS = 12;
/** A region's file is cut after so many bytes. */
const LARGEST = 256 * 1024 * 1024;

export const malfind = definePlugin({
  name: 'malfind',
  needs: ['windows'],
  topic: 'processes',
  summary: 'memory of processes that may hold injected code, with what stands there',
  notes:
    'private: memory of the process alone, made executable and writable. shared: the same of a section that is not mapped copy-on-write. protection: memory of the process alone that was not made executable and has executable pages now ' +
    '(the page tables say so; compilers at run time do that, too). image: images whose code was written to after loading, by the page database (hooks, hollowed programs; before Vista also every library that was relocated): only when asked for. ' +
    'Regions of which nothing is in memory but zeros are counted and left out. The dump begins where something begins to stand, or at the first executable found: remark says what it looks like. That a region is listed proves nothing yet.',
  args: {
    ...windowsProcessRowArgs,
    kinds: arg.choices('what to look for', { choices: KINDS, default: ['private', 'shared', 'protection'] }),
    dump_dir: arg.path('folder to write the regions to (nothing is written without it)', { short: 'D', completes: 'path' }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    start: col.address('first byte of the region   _MMVAD.StartingVpn', { divider: true }),
    end: col.address('last byte   _MMVAD.EndingVpn', { divider: true }),
    protect: col.string('protection it was made with   _MMVAD_FLAGS.Protection', { divider: true }),
    remark: col.string('what it looks like', { divider: true }),
    hexdump: col.bytes('what stands there, from content on'),
    disassembly: col.string('the same as code', { lines: true, minor: true }),
    kind: col.string('private, shared, protection, image', { hidden: true }),
    content: col.address('where the dump begins: where something begins to stand, or an executable', { hidden: true }),
    executable: col.bool('a header of an executable stands in it', { hidden: true }),
    pages: col.int('pages that hold something (protection: executable ones; image: changed ones)', { unit: 'pages', hidden: true }),
    com: col.int('pages that are committed   _MMVAD_FLAGS.CommitCharge', { unit: 'pages', hidden: true }),
    tag: col.string('pool tag of the node', { hidden: true }),
    filename: col.string('the mapped file', { hidden: true }),
    dumped: col.string('the file that was written', { hidden: true }),
    missing: col.int('pages that are not in memory, zeros in the file', { unit: 'pages', hidden: true }),
    VAD: col.struct('_MMVAD', 'the node', { hidden: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'malfind' }, { line: 'malfind 1652 kinds=private', doc: 'one process' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const folder = args.dump_dir === undefined ? undefined : DumpFolder.of(context, args.dump_dir);
    const wide = kernel.profile.pointerSize === 8 ? await loadDisassembler(64) : undefined;
    const narrow = await loadDisassembler(32);
    const kinds = new Set(args.kinds as readonly Kind[]);
    let empty = 0;
    let found = 0;
    let processes = 0;
    const note = (what: string): void => context.note(`${what}.`);
    for await (const { process, suspect } of breathing(all(kernel, counted(selectWindowsProcesses(context, args), () => processes++), kinds, note), context.signal)) {
      const { region, facts, first, headers } = suspect;
      if (first === undefined) {
        empty++;
        continue;
      }
      found++;
      const space = kernel.spaceOf(process);
      const content = headers[0]?.at ?? first;
      const bits32 = wide === undefined || (isWow64(process) && region.start < 1n << 32n);
      const name = orElse(() => process.ImageFileName, 'process');
      const pid = pidOf(process);
      let dumped: string | null = null;
      let missing: number | null = null;
      if (folder) {
        const file = folder.create(`${name}.${pid ?? 'unknown'}.${hex(region.start)}-${hex(region.end)}`, '.dmp');
        try {
          const size = Number(region.end - region.start) + 1;
          if (size > LARGEST) context.note(`${file.path}: only the first ${LARGEST / 2 ** 20} of ${Math.ceil(size / 2 ** 20)} MiB were written.`);
          missing = await appendMemory(file, space, region.start, Math.min(size, LARGEST), context.signal);
        } finally {
          file.close();
        }
        dumped = file.path;
      }
      yield {
        _EPROCESS: process,
        start: region.start,
        end: region.end,
        protect: protectionText(facts.protection),
        remark: remarkOf(suspect, space, content),
        hexdump: () => asRow(readForCell(space, content, SHOWN), WIDTH),
        disassembly: () => listing(bits32 ? narrow : (wide as Disassembler), space, content),
        kind: suspect.kind,
        content,
        executable: headers.length > 0,
        pages: suspect.pages,
        com: facts.commit,
        tag: region.tag,
        filename: () => {
          const file = vadFile(kernel, region);
          return file ? fileName(file) : null;
        },
        dumped,
        missing,
        VAD: region.node,
        pid: pid ?? null,
      };
    }
    if (found + empty === 0 && processes > 0) {
      const more = kinds.has('image') ? '' : '; kinds=image looks for changed code of programs and libraries';
      context.note(`Nothing of the kind ${args.kinds.join(' or ')} in the memory of ${processes === 1 ? 'one process' : `${processes} processes`}${more}; vad shows their regions, if they have not ended.`);
    }
    if (empty > 0) context.note(`${empty === 1 ? 'One region is' : `${empty} regions are`} left out: executable and writable, and nothing of ${empty === 1 ? 'it' : 'them'} is in memory but zeros.`);
  },
});

function* all(kernel: WindowsKernel, processes: Iterable<{ readonly process: Eprocess }>, kinds: ReadonlySet<Kind>, note: (what: string) => void): Steps<{ readonly process: Eprocess; readonly suspect: Suspect }> {
  for (const { process } of processes) for (const suspect of suspects(kernel, process, kinds, note)) yield suspect && { process, suspect };
}

function* counted<T>(processes: Iterable<T>, count: () => void): Generator<T> {
  for (const process of processes) {
    count();
    yield process;
  }
}

function remarkOf({ region, kind, pages, first, headers }: Suspect, space: PagedSpace, content: bigint): string | null {
  const parts: string[] = [];
  for (const { at, wiped } of headers.slice(0, 3)) {
    const place = at === region.start ? 'begins with' : `at 0x${at.toString(16)}:`;
    parts.push(wiped ? `${place} the header of an executable whose MZ was wiped` : `${place} an MZ header`);
  }
  if (headers.length > 3) parts.push(`${headers.length} executables in all`);
  if (kind === 'protection') parts.push(`${pages === 1 ? 'a page was' : `${pages} pages were`} made executable later, from 0x${(first ?? 0n).toString(16)} on`);
  if (kind === 'image') parts.push(`${pages === 1 ? 'a page' : `${pages} pages`} of its code ${pages === 1 ? 'was' : 'were'} changed, from 0x${(first ?? 0n).toString(16)} on`);
  if (headers.length === 0 && kind !== 'image') {
    const bytes = orElse(() => readForCell(space, content, SHOWN), undefined);
    const guess = bytes && looksLike(leading(bytes instanceof PartialBytes ? bytes.bytes : bytes));
    if (guess !== undefined && guess !== null) parts.push(guess);
  }
  return parts.length === 0 ? null : parts.join('; ');
}

/** Zeros in front say nothing about what follows. */
function leading(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? bytes : bytes.subarray(start);
}

function listing(disassembler: Disassembler, space: PagedSpace, start: bigint): string {
  const lines: string[] = [];
  for (const code of disassembler.decode(space, start, start + BigInt(SHOWN))) {
    if (lines.length >= INSTRUCTIONS) break;
    if (code.kind === 'unreadable') throw new Absent('unreadable', 'not in memory', code.address);
    lines.push(`0x${code.address.toString(16)} ${code.text}`);
  }
  return lines.join('\n');
}

function hex(address: bigint): string {
  return address.toString(16).padStart(8, '0');
}
