import type { CrashHeader } from '../crash.js';
import type { ImageFile } from '../image.js';
import { fixedText, readUpTo, u64At } from './bytes.js';

/** What fills fields that the writer did not set: `PAGE` over and over. */
const UNSET_32 = 0x45474150;
const UNSET_64 = 0x4547415045474150n;

/**
 * Offsets in the header. Sources: Rekall's and Volatility 3's crash dump structures (`_DUMP_HEADER`, `_DUMP_HEADER64`), and the
 * fields of dumps written by Windows 10.
 */
const NARROW = {
  size: 0x1000,
  pointer: 4,
  directoryTable: 0x10,
  pfn: 0x14,
  modules: 0x18,
  processes: 0x1c,
  machine: 0x20,
  processors: 0x24,
  bugCheck: 0x28,
  parameters: 0x2c,
  debuggerData: 0x60,
  memory: 0x64,
  exception: 0x7d0,
  exceptionAddress: 0x7dc,
  comment: 0x820,
  type: 0xf88,
  upTime: 0xfb8,
  systemTime: 0xfc0,
} as const;
const WIDE = {
  size: 0x2000,
  pointer: 8,
  directoryTable: 0x10,
  pfn: 0x18,
  modules: 0x20,
  processes: 0x28,
  machine: 0x30,
  processors: 0x34,
  bugCheck: 0x38,
  parameters: 0x40,
  debuggerData: 0x80,
  memory: 0x88,
  exception: 0xf00,
  exceptionAddress: 0xf10,
  comment: 0xfb0,
  type: 0xf98,
  upTime: 0x1030,
  systemTime: 0xfa8,
} as const;
const PAE_ENABLED = 0x5c;
const COMMENT_BYTES = 128;
/** Bytes that the list of memory runs may take. */
const MEMORY_BYTES = 700;

/** Kinds of dumps by `DumpType`; from 8 on those of Windows 11's debugger (`.dump /k`, `/ka`, `/f`). */
const KINDS: Readonly<Record<number, string>> = {
  1: 'full',
  2: 'kernel',
  3: 'header only',
  4: 'triage',
  5: 'full, bitmap',
  6: 'kernel, bitmap',
  7: 'automatic, bitmap',
  8: 'kernel, ranges',
  9: 'kernel and user, ranges',
  10: 'full, ranges',
};

/** A run of page frames. */
export interface FrameRun {
  readonly first: number;
  readonly count: number;
}

/** The header with what only a reader of the format needs. */
export interface RawCrashHeader {
  readonly facts: CrashHeader;
  readonly type: number;
  /** Bytes of the header: what follows begins here. */
  readonly size: number;
  /** The runs of a full dump; those that the header has no room for are missing. */
  readonly runs: readonly FrameRun[];
  /** How many there are by their own count. */
  readonly runCount: number;
}

/** Reads the header, or undefined where the file has no such signature or ends inside it. */
export function readCrashHeader(file: ImageFile): { header?: RawCrashHeader } | undefined {
  const start = readUpTo(file, 0, WIDE.size);
  const signature = start.toString('latin1', 0, 8);
  if (signature !== 'PAGEDUMP' && signature !== 'PAGEDU64') return undefined;
  const at = signature === 'PAGEDU64' ? WIDE : NARROW;
  if (start.length < at.size) return {};
  const wide = at.pointer === 8;
  const pointer = (offset: number): bigint => (wide ? start.readBigUInt64LE(offset) : BigInt(start.readUInt32LE(offset)));
  const stated = (offset: number): bigint | undefined => {
    const value = pointer(offset);
    return value === 0n || value === (wide ? UNSET_64 : BigInt(UNSET_32)) ? undefined : value;
  };
  const time = (offset: number): bigint | undefined => {
    const value = start.readBigUInt64LE(offset);
    return value === 0n || value === UNSET_64 ? undefined : value;
  };
  const word = (offset: number): number => start.readUInt32LE(offset);
  // Dumps of Windows 2000 and earlier tools leave the type unset: those are full ones.
  const type = word(at.type) === UNSET_32 || word(at.type) === 0 ? 1 : word(at.type);
  const code = word(at.bugCheck);
  const exception = word(at.exception);
  const comment = fixedText(start, at.comment, COMMENT_BYTES);
  const table = wide ? (u64At(start, at.directoryTable) ?? 0) : word(at.directoryTable);
  const facts: CrashHeader = {
    bits: wide ? 64 : 32,
    pae: !wide && start[PAE_ENABLED] === 1,
    kind: KINDS[type] ?? `type ${type}`,
    build: word(0xc),
    directoryTable: table,
    loadedModuleList: stated(at.modules),
    activeProcessHead: stated(at.processes),
    pfnDatabase: stated(at.pfn),
    debuggerData: stated(at.debuggerData),
    machine: word(at.machine),
    processors: word(at.processors),
    bugCheck:
      code === UNSET_32 ? undefined : { code, parameters: [0, 1, 2, 3].map((index) => pointer(at.parameters + index * at.pointer)) },
    exception: exception === 0 || exception === UNSET_32 ? undefined : { code: exception, address: pointer(at.exceptionAddress) },
    systemTime: time(at.systemTime),
    upTime: time(at.upTime),
    comment: comment.startsWith('PAGE') ? '' : comment,
  };
  return { header: { facts, type, size: at.size, ...readRuns(start, at.memory, wide) } };
}

/** `PHYSICAL_MEMORY_DESCRIPTOR`: a count of runs, one of pages, then the runs; 64-bit fields are aligned. */
function readRuns(start: Buffer, offset: number, wide: boolean): { runs: FrameRun[]; runCount: number } {
  const runCount = start.readUInt32LE(offset);
  const [head, entry] = wide ? [16, 16] : [8, 8];
  const room = Math.floor((MEMORY_BYTES - head) / entry);
  const runs: FrameRun[] = [];
  if (runCount === UNSET_32) return { runs, runCount: 0 };
  for (let index = 0; index < Math.min(runCount, room); index++) {
    const at = offset + head + index * entry;
    const first = wide ? u64At(start, at) : start.readUInt32LE(at);
    const count = wide ? u64At(start, at + 8) : start.readUInt32LE(at + 4);
    if (first === undefined || count === undefined) continue;
    runs.push({ first, count });
  }
  return { runs, runCount };
}
