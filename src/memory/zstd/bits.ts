/** A Zstandard frame that contradicts itself or is cut off. */
export class ZstdError extends Error {
  override readonly name = 'ZstdError';
}

/** Position of the highest set bit; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/**
 * Bits of a stream that is read from its end (RFC 8878, section 4.1): the highest set bit of the last byte marks where it
 * begins. Bits before the first byte are zeros; {@link left} is negative then.
 */
export class BackwardBits {
  /** bits that are left; negative when more were read than there are */
  left: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly start: number,
    end: number,
  ) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw new ZstdError('a bit stream has no end mark');
    this.left = (end - start) * 8 - (8 - highestBit(last));
  }

  /** @param count 0 to 31 */
  read(count: number): number {
    const from = this.left - count;
    this.left = from;
    if (from < 0) return this.readBeyond(from, count);
    const at = this.start + (from >> 3);
    const shift = from & 7;
    const { bytes } = this;
    // Bytes behind the stream may be read; what they hold is masked away.
    let value = (bytes[at] as number) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    value >>>= shift;
    if (shift + count > 32) value |= (bytes[at + 4] ?? 0) << (32 - shift);
    return value & ((1 << count) - 1);
  }

  private readBeyond(from: number, count: number): number {
    const present = from + count;
    if (present <= 0) return 0;
    this.left = present;
    const value = this.read(present) << (count - present);
    this.left = from;
    return value;
  }
}
