/**
 * Raw Snappy, as in https://github.com/google/snappy/blob/main/format_description.txt: the uncompressed length as a varint, then
 * elements that either carry literal bytes or copy earlier output.
 */

/**
 * The length that a Snappy block says it decompresses to, and the size of that field, both in bytes; undefined where the field
 * is damaged.
 */
export function snappyLength(source: Buffer): { readonly length: number; readonly size: number } | undefined {
  let length = 0;
  for (let size = 0; size < 5 && size < source.length; size++) {
    const byte = source[size] as number;
    length += (byte & 0x7f) * 2 ** (7 * size);
    if (byte < 0x80) return length > 0xffffffff ? undefined : { length, size: size + 1 };
  }
  return undefined;
}

/**
 * Decompresses a Snappy block to `target[targetOffset …]`, `limit` bytes at most. Returns the number of bytes, or -1 where the
 * block is damaged or longer than `limit`.
 */
export function decodeSnappy(source: Buffer, target: Buffer, targetOffset: number, limit: number): number {
  const stated = snappyLength(source);
  if (!stated || stated.length > limit || targetOffset + stated.length > target.length) return -1;
  const sourceEnd = source.length;
  const end = targetOffset + stated.length;
  let from = stated.size;
  let to = targetOffset;
  while (from < sourceEnd) {
    const tag = source[from++] as number;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const extra = length - 60;
        if (from + extra > sourceEnd) return -1;
        length = source.readUIntLE(from, extra) + 1;
        from += extra;
      }
      if (length > sourceEnd - from || length > end - to) return -1;
      if (length > 24) target.set(source.subarray(from, from + length), to);
      else for (let index = 0; index < length; index++) target[to + index] = source[from + index] as number;
      from += length;
      to += length;
      continue;
    }
    const offsetSize = kind === 3 ? 4 : kind;
    if (from + offsetSize > sourceEnd) return -1;
    let distance: number;
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | (source[from] as number);
    } else {
      distance = source.readUIntLE(from, offsetSize);
    }
    from += offsetSize;
    if (distance === 0 || distance > to - targetOffset || length > end - to) return -1;
    // Byte by byte: the copy may read what it has just written (a repeated pattern).
    for (let index = 0; index < length; index++, to++) target[to] = target[to - distance] as number;
  }
  return to === end ? stated.length : -1;
}
