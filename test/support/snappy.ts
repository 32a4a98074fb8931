/** A Snappy compressor for tests, after the format's description: greedy, and using every kind of element. */

/** The raw Snappy block of some bytes. */
export function snappyCompress(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = [varint(bytes.length)];
  const seen = new Map<number, number>();
  let literal = 0;
  let at = 0;
  while (at + 4 <= bytes.length) {
    const key =
      (bytes[at] as number) * 0x1000000 +
      ((bytes[at + 1] as number) << 16) +
      ((bytes[at + 2] as number) << 8) +
      (bytes[at + 3] as number);
    const from = seen.get(key);
    seen.set(key, at);
    if (from === undefined) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < bytes.length && bytes[from + length] === bytes[at + length]) length++;
    if (at > literal) parts.push(...literals(bytes.subarray(literal, at)));
    parts.push(...copies(at - from, length));
    at += length;
    literal = at;
  }
  if (bytes.length > literal) parts.push(...literals(bytes.subarray(literal)));
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.of(...bytes, rest);
}

/** A literal: up to 60 bytes in the tag, else one to four bytes of length. */
function literals(bytes: Uint8Array): Buffer[] {
  const last = bytes.length - 1;
  if (last < 60) return [Buffer.of(last << 2), Buffer.from(bytes)];
  const size = last < 0x100 ? 1 : last < 0x10000 ? 2 : last < 0x1000000 ? 3 : 4;
  const header = Buffer.alloc(1 + size);
  header[0] = (59 + size) << 2;
  header.writeUIntLE(last, 1, size);
  return [header, Buffer.from(bytes)];
}

/** Copies of up to 64 bytes, each with an offset of 11, 16 or 32 bits, whichever is the shortest. */
function copies(distance: number, length: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let left = length; left > 0;) {
    const count = Math.min(64, left);
    left -= count;
    if (count >= 4 && count <= 11 && distance < 2048) {
      parts.push(Buffer.of(((distance >> 8) << 5) | ((count - 4) << 2) | 1, distance & 0xff));
      continue;
    }
    const size = distance < 0x10000 ? 2 : 4;
    const part = Buffer.alloc(1 + size);
    part[0] = ((count - 1) << 2) | (size === 2 ? 2 : 3);
    part.writeUIntLE(distance, 1, size);
    parts.push(part);
  }
  return parts;
}
