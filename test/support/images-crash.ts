import { type MemoryRange, PAGE } from './images.js';

/** Forms of Windows crash dumps with physical memory, and the `DumpType` of each. */
export const CRASH_FORMS = { full: 1, kernel: 2, bitmap: 5, 'kernel bitmap': 6, ranges: 10 } as const;
export type CrashForm = keyof typeof CRASH_FORMS;

export interface CrashOptions {
  readonly form?: CrashForm;
  readonly bits?: 32 | 64;
  readonly pae?: boolean;
  readonly directoryTable?: number;
  readonly loadedModuleList?: bigint;
  readonly activeProcessHead?: bigint;
  readonly debuggerData?: bigint;
  readonly build?: number;
}

/** The header: unset fields hold `PAGE`, as Windows leaves them. */
function header(type: number, options: CrashOptions): Buffer {
  const wide = options.bits !== 32;
  const bytes = Buffer.alloc(wide ? 0x2000 : 0x1000, 'PAGE', 'latin1');
  const pointer = (offset: number, value: bigint): void => void (wide ? bytes.writeBigUInt64LE(value, offset) : bytes.writeUInt32LE(Number(value), offset));
  bytes.write(wide ? 'PAGEDU64' : 'PAGEDUMP', 'latin1');
  bytes.writeUInt32LE(15, 8);
  bytes.writeUInt32LE(options.build ?? 7600, 12);
  pointer(0x10, BigInt(options.directoryTable ?? 0x187000));
  const [modules, processes, machine, bugCheck, data, kind, systemTime, upTime] = wide
    ? [0x20, 0x28, 0x30, 0x38, 0x80, 0xf98, 0xfa8, 0x1030]
    : [0x18, 0x1c, 0x20, 0x28, 0x60, 0xf88, 0xfc0, 0xfb8];
  pointer(modules, options.loadedModuleList ?? 0x80001000n);
  pointer(processes, options.activeProcessHead ?? 0x80002000n);
  bytes.writeUInt32LE(wide ? 0x8664 : 0x14c, machine);
  bytes.writeUInt32LE(2, machine + 4);
  bytes.writeUInt32LE(0xe2, bugCheck);
  for (let index = 0; index < 4; index++) pointer((wide ? 0x40 : 0x2c) + index * (wide ? 8 : 4), BigInt(index + 1));
  if (!wide) bytes.writeUInt8(options.pae ? 1 : 0, 0x5c);
  pointer(data, options.debuggerData ?? 0x80003000n);
  bytes.writeUInt32LE(type, kind);
  bytes.writeBigUInt64LE(129_000_000_000_000_000n, systemTime);
  bytes.writeBigUInt64LE(6_000_000_000n, upTime);
  return bytes;
}

/** Runs of consecutive frames of an ascending list. */
function runsOf(frames: readonly number[]): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last && last.first + last.count === frame) last.count++;
    else runs.push({ first: frame, count: 1 });
  }
  return runs;
}

/** All of a dump in front of its pages, which follow in the order of `frames` (ascending page frame numbers). */
export function crashHead(frames: readonly number[], options: CrashOptions = {}): Buffer {
  const { form = 'full' } = options;
  const wide = options.bits !== 32;
  const head = header(CRASH_FORMS[form], options);
  const runs = runsOf(frames);
  if (form === 'full') {
    const at = wide ? 0x88 : 0x64;
    head.writeUInt32LE(runs.length, at);
    if (wide) head.writeBigUInt64LE(BigInt(frames.length), at + 8);
    else head.writeUInt32LE(frames.length, at + 4);
    for (const [index, { first, count }] of runs.entries()) {
      if (wide) {
        head.writeBigUInt64LE(BigInt(first), at + 16 + index * 16);
        head.writeBigUInt64LE(BigInt(count), at + 24 + index * 16);
      } else {
        head.writeUInt32LE(first, at + 8 + index * 8);
        head.writeUInt32LE(count, at + 12 + index * 8);
      }
    }
    return head;
  }
  if (form === 'ranges') {
    const table = Buffer.alloc(0x30 + runs.length * 16);
    table.writeUInt32LE(0x40, 0);
    table.write('RDMPDUMP', 4, 'latin1');
    const firstPage = head.length + Math.ceil((table.length + 16) / PAGE) * PAGE;
    table.writeBigUInt64LE(BigInt(firstPage - head.length - 0x20), 0x10);
    table.writeBigUInt64LE(BigInt(firstPage), 0x18);
    table.writeUInt32LE(runs.length, 0x20);
    table.writeBigUInt64LE(BigInt(frames.length), 0x28);
    for (const [index, { first, count }] of runs.entries()) {
      table.writeBigUInt64LE(BigInt(first), 0x30 + index * 16);
      table.writeBigUInt64LE(BigInt(count), 0x38 + index * 16);
    }
    return Buffer.concat([head, table, Buffer.alloc(firstPage - head.length - table.length)]);
  }
  const bits = Math.ceil(((frames.at(-1) ?? 0) + 1) / 32) * 32;
  const map = Buffer.alloc(bits / 8);
  for (const frame of frames) map[frame >>> 3] = (map[frame >>> 3] as number) | (1 << (frame & 7));
  const early = form === 'kernel';
  const buffer = early ? (wide ? 0x28 : 0x20) : 0x38;
  const firstPage = head.length + Math.ceil((buffer + map.length) / PAGE) * PAGE;
  const summary = Buffer.alloc(firstPage - head.length);
  summary.write(form === 'bitmap' ? 'FDMPDUMP' : 'SDMPDUMP', 'latin1');
  if (early) {
    for (const [offset, value] of [[0xc, firstPage], [0x10, bits], [0x14, frames.length], [0x18, bits]] as const) summary.writeUInt32LE(value, offset);
  } else {
    for (const [offset, value] of [[0x20, firstPage], [0x28, frames.length], [0x30, bits]] as const) summary.writeBigUInt64LE(BigInt(value), offset);
  }
  map.copy(summary, buffer);
  return Buffer.concat([head, summary]);
}

/** A dump of ranges of whole pages. */
export function crashBytes(ranges: readonly MemoryRange[], options: CrashOptions = {}): Buffer {
  const pages = new Map<number, Buffer>();
  for (const { physical, bytes } of ranges) for (let at = 0; at < bytes.length; at += PAGE) pages.set((physical + at) / PAGE, bytes.subarray(at, at + PAGE));
  const frames = [...pages.keys()].sort((a, b) => a - b);
  return Buffer.concat([crashHead(frames, options), ...frames.map((frame) => pages.get(frame) as Buffer)]);
}

export interface TriageOptions {
  readonly bits?: 32 | 64;
  readonly blocks: readonly { readonly address: bigint; readonly bytes: Buffer }[];
  readonly drivers: readonly { readonly path: string; readonly base: bigint; readonly size: number }[];
  readonly kernelBase: bigint;
  readonly loadedModuleList?: bigint;
  readonly activeProcessHead?: bigint;
}

/** A triage dump: header, drivers with their names, the debugger's data, blocks. */
export function triageBytes({ bits = 64, blocks, drivers, kernelBase, ...heads }: TriageOptions): Buffer {
  const wide = bits === 64;
  const debuggerData = kernelBase + 0x3000n;
  const head = header(4, { bits, debuggerData, ...heads });
  const triage = Buffer.alloc(0x80);
  const parts: Buffer[] = [head, triage];
  let end = head.length + triage.length;
  const add = (bytes: Buffer): number => {
    const offset = end;
    parts.push(bytes);
    end += bytes.length;
    return offset;
  };
  const names = drivers.map(({ path }) => {
    const text = Buffer.from(path, 'utf16le');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(path.length);
    return add(Buffer.concat([length, text, Buffer.alloc(2)]));
  });
  const entrySize = wide ? 0x90 : 0x4c;
  const list = Buffer.alloc(entrySize * drivers.length);
  for (const [index, { base, size }] of drivers.entries()) {
    const at = index * entrySize;
    list.writeUInt32LE(names[index] as number, at);
    if (wide) list.writeBigUInt64LE(base, at + 8 + 0x30);
    else list.writeUInt32LE(Number(base), at + 4 + 0x18);
    list.writeUInt32LE(size, at + (wide ? 8 + 0x40 : 4 + 0x20));
  }
  const data = Buffer.alloc(0x40);
  data.write('KDBG', 0x10, 'latin1');
  data.writeBigUInt64LE(kernelBase, 0x18);
  triage.writeUInt32LE(add(list), 0x30);
  triage.writeUInt32LE(drivers.length, 0x34);
  const debuggerOffset = wide ? 0x70 : 0x58;
  triage.writeUInt32LE(add(data), debuggerOffset);
  triage.writeUInt32LE(data.length, debuggerOffset + 4);
  const table = Buffer.alloc(blocks.length * 16);
  for (const [index, { address, bytes }] of blocks.entries()) {
    table.writeBigUInt64LE(address, index * 16);
    table.writeUInt32LE(add(bytes), index * 16 + 8);
    table.writeUInt32LE(bytes.length, index * 16 + 12);
  }
  triage.writeUInt32LE(add(table), wide ? 0x78 : 0x60);
  triage.writeUInt32LE(blocks.length, wide ? 0x7c : 0x64);
  return Buffer.concat(parts);
}
