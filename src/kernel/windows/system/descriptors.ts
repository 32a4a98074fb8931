/**
 * Entries of the processor's descriptor tables. Source: Intel, "Software Developer's Manual" vol. 3A, 3.4.5 (segment descriptors), 3.5
 * (system descriptors), 6.11 and 6.14.1 (gates).
 */

/** What an entry of the interrupt table is. */
export interface Gate {
  readonly present: boolean;
  /** the privilege from which software may raise it: 0 kernel, 3 programs */
  readonly dpl: number;
  readonly selector: number;
  /** address of the handler within its segment; of a task gate 0 */
  readonly offset: bigint;
  /** 5 task gate, 6 and 7 interrupt and trap gates of 16 bits, 14 and 15 of 32 or 64 bits */
  readonly type: number;
  /** x64: which stack of the task state segment it gets, 0 for none */
  readonly stack: number;
}

export const TASK_GATE = 5;
const GATES: Readonly<Record<number, string>> = { 5: 'task', 6: 'interrupt16', 7: 'trap16', 14: 'interrupt', 15: 'trap' };

/** `interrupt`, `trap`, `task`; a number for what is no gate. */
export function gateName({ type }: Gate): string {
  return GATES[type] ?? String(type);
}

/** Bytes of an entry of the interrupt table. */
export function gateSize(bits: 32 | 64): number {
  return bits === 64 ? 16 : 8;
}

/** Reads the gate at an offset of the table's bytes. */
export function gateAt(bytes: Buffer, offset: number, bits: 32 | 64): Gate {
  const access = bytes.readUInt16LE(offset + 4);
  const low = bytes.readUInt16LE(offset) + bytes.readUInt16LE(offset + 6) * 0x10000;
  return {
    present: (access & 0x8000) !== 0,
    dpl: (access >> 13) & 3,
    // Bit 4 of the five is 0 in every gate.
    type: (access >> 8) & 0x1f,
    selector: bytes.readUInt16LE(offset + 2),
    offset: bits === 64 ? BigInt(low) + (BigInt(bytes.readUInt32LE(offset + 8)) << 32n) : BigInt(low),
    stack: bits === 64 ? access & 7 : 0,
  };
}

/** An entry of the segment table. */
export interface Descriptor {
  /** its offset in the table, which is the selector of its segment for the kernel */
  readonly selector: number;
  readonly base: bigint;
  /** offset of the last byte; with granularity counted out */
  readonly limit: bigint;
  readonly dpl: number;
  readonly present: boolean;
  /** the limit counts pages */
  readonly pages: boolean;
  /** code or data; otherwise the system's: task state, local table, gate */
  readonly segment: boolean;
  /** the four bits of its type */
  readonly type: number;
  /** code of 64 bits */
  readonly long: boolean;
  /** of a call gate: where it leads */
  readonly gate: { readonly selector: number; readonly offset: bigint } | undefined;
  /** 8, or 16 for the system's descriptors on x64 */
  readonly bytes: number;
}

const SYSTEM: Readonly<Record<number, string>> = {
  0: 'reserved',
  1: 'TSS16 available',
  2: 'LDT',
  3: 'TSS16 busy',
  4: 'call gate16',
  5: 'task gate',
  6: 'interrupt gate16',
  7: 'trap gate16',
  9: 'TSS available',
  11: 'TSS busy',
  12: 'call gate',
  14: 'interrupt gate',
  15: 'trap gate',
};

/** `code RE`, `data RW accessed`, `TSS busy` … */
export function descriptorName({ segment, type }: Descriptor): string {
  if (!segment) return SYSTEM[type] ?? 'reserved';
  const code = (type & 8) !== 0;
  const rights = code ? ((type & 2) !== 0 ? 'RE' : 'E') : (type & 2) !== 0 ? 'RW' : 'R';
  const direction = (type & 4) === 0 ? '' : code ? ' conforming' : ' downwards';
  return `${code ? 'code' : 'data'} ${rights}${direction}${(type & 1) === 0 ? '' : ' accessed'}`;
}

/** The entries of a segment table that say anything: those of zeros are left out. */
export function* descriptors(bytes: Buffer, bits: 32 | 64): Generator<Descriptor> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const found = descriptorAt(bytes, at, bits);
    if (found) yield found;
    at += found?.bytes ?? 8;
  }
}

/** The descriptor of a selector; undefined for the null selector, one beyond the table or in a local one. */
export function descriptorAt(bytes: Buffer, selector: number, bits: 32 | 64): Descriptor | undefined {
  const at = selector & ~7;
  if (at + 8 > bytes.length) return undefined;
  const [low, high] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
  if (low === 0 && high === 0) return undefined;
  const segment = (high & 0x1000) !== 0;
  const type = (high >>> 8) & 15;
  const wide = bits === 64 && !segment && at + 16 <= bytes.length;
  const upper = wide ? BigInt(bytes.readUInt32LE(at + 8)) << 32n : 0n;
  const pages = (high & 0x800000) !== 0;
  const units = (low & 0xffff) + (high & 0xf0000);
  const isGate = !segment && (type === 4 || type === 12);
  const target = BigInt((low & 0xffff) + ((high & 0xffff0000) >>> 0)) + upper;
  return {
    selector: at,
    base: isGate ? 0n : BigInt(((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0) + upper,
    limit: isGate ? 0n : pages ? BigInt(units) * 4096n + 4095n : BigInt(units),
    dpl: (high >>> 13) & 3,
    present: (high & 0x8000) !== 0,
    pages,
    segment,
    type,
    long: segment && (type & 8) !== 0 && (high & 0x200000) !== 0,
    gate: isGate ? { selector: low >>> 16, offset: target } : undefined,
    bytes: wide ? 16 : 8,
  };
}
