/**
 * Addresses of kallsyms, in the order of the table, which is that of the addresses (scripts/kallsyms.c, sort_symbols).
 * kernel/kallsyms.c, kallsyms_sym_address.
 */
export interface KallsymsAddresses {
  at(index: number): bigint;
  /** The last symbol at or below an address of the kernel's image, or -1; per-CPU and absolute symbols are none. */
  floor(address: bigint): number;
}

/** Half of the 32-bit offsets: a kernel's image has less than 2 GiB. */
const HALF = 0x80000000;

/**
 * 32-bit offsets from a base (CONFIG_KALLSYMS_BASE_RELATIVE, since 4.6, 2213e9a66bb8). With CONFIG_KALLSYMS_ABSOLUTE_PERCPU (x86_64 until
 * 6.15) a positive one is an absolute value, a negative one stands for base - 1 - offset.
 */
export class RelativeAddresses implements KallsymsAddresses {
  private readonly percpu: boolean;
  /** the first symbol that is relative to the base */
  private readonly first: number;

  constructor(
    private readonly offsets: Int32Array,
    private readonly base: bigint,
    private readonly bits: 32 | 64,
  ) {
    let first = 0;
    while (first < offsets.length && (offsets[first] as number) >= 0) first++;
    // No negative one: without CONFIG_KALLSYMS_ABSOLUTE_PERCPU, since no image reaches 2 GiB.
    this.percpu = first < offsets.length;
    this.first = this.percpu ? first : 0;
  }

  at(index: number): bigint {
    const offset = this.offsets[index] as number;
    if (this.percpu && offset >= 0) return BigInt(offset);
    return BigInt.asUintN(this.bits, this.base + BigInt(this.distance(index)));
  }

  floor(address: bigint): number {
    const distance = Number(address - this.base);
    if (distance < 0) return -1;
    let low = this.first;
    let high = this.offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.distance(middle) <= distance) low = middle + 1;
      else high = middle;
    }
    return low === this.first ? -1 : low - 1;
  }

  /** Bytes from the base to a symbol that is relative to it. */
  private distance(index: number): number {
    const offset = this.offsets[index] as number;
    return this.percpu ? -1 - offset : offset;
  }

  /** Why offsets and base cannot be a kernel's, or undefined. */
  static problem(offsets: Int32Array, base: bigint, bits: 32 | 64): string | undefined {
    // The kernel half of the address space; _text is aligned to pages.
    const lowest = bits === 64 ? 0xff00000000000000n : 0x40000000n;
    if (base < lowest || (base & 0xfffn) !== 0n) return `0x${base.toString(16)} is no base of a kernel image`;
    let last = -1;
    let relative = false;
    for (let i = 0; i < offsets.length; i++) {
      const offset = offsets[i] as number;
      if (offset < 0 && !relative) {
        relative = true;
        last = -1;
      }
      if (offset >= 0 && relative) return `symbol ${i} is out of order`;
      const distance = offset < 0 ? -1 - offset : offset;
      if (distance < last || distance >= HALF) return `symbol ${i} is out of order`;
      last = distance;
    }
    return last <= 0 ? 'all symbols have one address' : undefined;
  }
}

/**
 * 32-bit offsets, each from its own place (since 7.0, a081b5789255: kallsyms_sym_address is offset_to_ptr of the entry).
 */
export class PlaceAddresses implements KallsymsAddresses {
  /** @param place virtual address of the first offset */
  constructor(
    private readonly offsets: Int32Array,
    private readonly place: bigint,
    private readonly bits: 32 | 64,
  ) {}

  at(index: number): bigint {
    return BigInt.asUintN(this.bits, this.place + BigInt(placeDistance(this.offsets, index)));
  }

  floor(address: bigint): number {
    const distance = Number(address - this.place);
    let low = 0;
    let high = this.offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (placeDistance(this.offsets, middle) <= distance) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Why offsets cannot be relative to their places, or undefined. */
  static problem(offsets: Int32Array): string | undefined {
    let last = -Infinity;
    for (let i = 0; i < offsets.length; i++) {
      const distance = placeDistance(offsets, i);
      if (distance < last) return `symbol ${i} is out of order`;
      last = distance;
    }
    return last === placeDistance(offsets, 0) ? 'all symbols have one address' : undefined;
  }
}

/** Bytes from the first offset to the symbol that an offset stands for. */
export function placeDistance(offsets: Int32Array, index: number): number {
  return 4 * index + (offsets[index] as number);
}

/** Pointers: kernels before 4.6, or without CONFIG_KALLSYMS_BASE_RELATIVE. */
export class AbsoluteAddresses implements KallsymsAddresses {
  constructor(
    private readonly bytes: Buffer,
    private readonly bits: 32 | 64,
  ) {}

  at(index: number): bigint {
    return this.bits === 64 ? this.bytes.readBigUInt64LE(index * 8) : BigInt(this.bytes.readUInt32LE(index * 4));
  }

  floor(address: bigint): number {
    if (address < this.lowest) return -1;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) <= address) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.at(low - 1) >= this.lowest ? low - 1 : -1;
  }

  private get count(): number {
    return this.bytes.length / (this.bits / 8);
  }

  /** Absolute and per-CPU symbols lie below, the kernel's image above. */
  private get lowest(): bigint {
    return this.bits === 64 ? 0x8000000000000000n : 0x40000000n;
  }

  /** Why the bytes cannot be a kernel's sorted addresses, or undefined. */
  static problem(bytes: Buffer, bits: 32 | 64): string | undefined {
    const addresses = new AbsoluteAddresses(bytes, bits);
    const { count, lowest } = addresses;
    let last = 0n;
    for (let i = 0; i < count; i++) {
      const address = addresses.at(i);
      if (address < last) return `symbol ${i} is out of order`;
      last = address;
    }
    if (last < lowest) return 'no symbol is in the kernel half of the address space';
    return addresses.at(count >>> 1) < lowest
      ? 'most symbols are outside the kernel half of the address space'
      : undefined;
  }
}
