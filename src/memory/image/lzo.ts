/**
 * LZO1X, as described in Linux' Documentation/staging/lzo.rst (bitstream version 0, which is what liblzo writes).
 * A stream is a row of instructions; most copy earlier output and carry up to three literal bytes behind it. What the lowest
 * instructions mean depends on how many literals the one before copied (the state; 4 stands for four and more).
 */

/** Result of a damaged stream. */
const DAMAGED = -1;

/** The distance that ends the stream. */
const END_OF_STREAM = 16384;

/**
 * Decompresses a whole LZO1X stream to `target[targetOffset …]`, `limit` bytes at most. Returns the number of bytes, or -1 where
 * the stream is damaged, not complete or longer than `limit`.
 */
export function decodeLzo(source: Buffer, target: Buffer, targetOffset: number, limit: number): number {
  const sourceEnd = source.length;
  const end = Math.min(targetOffset + limit, target.length);
  let from = 0;
  let to = targetOffset;
  let state = 0;
  /** Literal bytes to copy before the next instruction. */
  let literals = 0;
  if (sourceEnd > 0 && (source[0] as number) > 17) {
    literals = (source[0] as number) - 17;
    from = 1;
    state = Math.min(literals, 4);
  }
  for (;;) {
    if (literals > 0) {
      if (literals > sourceEnd - from || literals > end - to) return DAMAGED;
      for (let index = 0; index < literals; index++) target[to + index] = source[from + index] as number;
      from += literals;
      to += literals;
    }
    if (from >= sourceEnd) return DAMAGED;
    const code = source[from++] as number;
    let length: number;
    let distance: number;
    if (code >= 64) {
      if (from >= sourceEnd) return DAMAGED;
      length = code >= 128 ? 5 + ((code >>> 5) & 3) : 3 + ((code >>> 5) & 1);
      distance = ((source[from++] as number) << 3) + ((code >>> 2) & 7) + 1;
      state = code & 3;
    } else if (code >= 16) {
      const mask = code >= 32 ? 31 : 7;
      length = code & mask;
      if (length === 0) {
        const zeros = countZeros(source, from);
        from += zeros + 1;
        if (from > sourceEnd) return DAMAGED;
        length = mask + zeros * 255 + (source[from - 1] as number);
      }
      length += 2;
      if (from + 2 > sourceEnd) return DAMAGED;
      const pair = source.readUInt16LE(from);
      from += 2;
      state = pair & 3;
      distance = (pair >>> 2) + 1;
      if (code < 32) {
        distance += END_OF_STREAM - 1 + ((code & 8) << 11);
        if (distance === END_OF_STREAM) return from === sourceEnd ? to - targetOffset : DAMAGED;
      }
    } else if (state === 0) {
      literals = code;
      if (literals === 0) {
        const zeros = countZeros(source, from);
        from += zeros + 1;
        if (from > sourceEnd) return DAMAGED;
        literals = 15 + zeros * 255 + (source[from - 1] as number);
      }
      literals += 3;
      state = 4;
      continue;
    } else {
      if (from >= sourceEnd) return DAMAGED;
      const near = ((source[from++] as number) << 2) + (code >>> 2) + 1;
      length = state === 4 ? 3 : 2;
      distance = state === 4 ? near + 2048 : near;
      state = code & 3;
    }
    if (distance > to - targetOffset || length > end - to) return DAMAGED;
    // Byte by byte: the copy may read what it has just written (a repeated pattern).
    for (let index = 0; index < length; index++, to++) target[to] = target[to - distance] as number;
    literals = state;
  }
}

/** Number of zero bytes from `from` on: each stands for 255 in a length. */
function countZeros(source: Buffer, from: number): number {
  let at = from;
  while (source[at] === 0) at++;
  return at - from;
}
