import { type BackwardBits, highestBit, ZstdError } from './bits.js';

/** A decoding table of finite state entropy (RFC 8878, section 4.1): per state its symbol, and where the next state is. */
export interface FseTable {
  readonly accuracy: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly base: Uint16Array;
}

/** One symbol for every state (RLE mode). */
export function constantTable(symbol: number): FseTable {
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), base: Uint16Array.of(0) };
}

/**
 * Table of a distribution: `counts` sum up to 2^accuracy, where -1 (less than one) counts as 1.
 * Symbols are spread over the states as section 4.1.1 says.
 */
export function buildTable(counts: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy;
  if (counts.reduce((sum, count) => sum + Math.abs(count), 0) !== size) throw new ZstdError('a distribution does not add up');
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (const [symbol, count] of counts.entries()) {
    if (count !== -1) continue;
    symbols[--high] = symbol;
    next[symbol] = 1;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, count] of counts.entries()) {
    if (count <= 0) continue;
    next[symbol] = count;
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol;
      // The step is coprime with the size: it meets every free place once, and there are as many as counts.
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const value = next[symbol] as number;
    next[symbol] = value + 1;
    const count = accuracy - highestBit(value);
    bits[state] = count;
    base[state] = (value << count) - size;
  }
  return { accuracy, symbols, bits, base };
}

/**
 * Reads a table's description.
 * @returns the table, and the position behind the description
 */
export function readTable(bytes: Uint8Array, start: number, end: number, mostAccurate: number, mostSymbols: number): { table: FseTable; next: number } {
  let at = start * 8;
  const peek = (count: number): number => {
    const byte = at >> 3;
    if (byte >= end) throw new ZstdError('a distribution is cut off');
    return (((bytes[byte] as number) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16)) >>> (at & 7)) & ((1 << count) - 1);
  };
  const accuracy = peek(4) + 5;
  at += 4;
  if (accuracy > mostAccurate) throw new ZstdError('a distribution is too fine');
  let remaining = 1 << accuracy;
  const counts: number[] = [];
  while (remaining > 0) {
    // Values up to remaining + 1; the small ones take a bit less.
    const width = highestBit(remaining + 1) + 1;
    const small = (1 << (width - 1)) - 1;
    const short = (1 << width) - 2 - remaining;
    let value = peek(width);
    if ((value & small) < short) {
      value &= small;
      at += width - 1;
    } else {
      if (value > small) value -= short;
      at += width;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    for (let repeat = count === 0 ? 3 : 0; repeat === 3;) {
      repeat = peek(2);
      at += 2;
      for (let i = 0; i < repeat; i++) counts.push(0);
      if (counts.length > mostSymbols) break;
    }
    if (counts.length > mostSymbols) throw new ZstdError('a distribution has too many symbols');
  }
  return { table: buildTable(counts, accuracy), next: (at + 7) >> 3 };
}

/** The state of one decoder. */
export class FseState {
  private state: number;

  constructor(
    private readonly table: FseTable,
    private readonly stream: BackwardBits,
  ) {
    this.state = stream.read(table.accuracy);
  }

  get symbol(): number {
    return this.table.symbols[this.state] as number;
  }

  advance(): void {
    const { table, state } = this;
    this.state = (table.base[state] as number) + this.stream.read(table.bits[state] as number);
  }
}
