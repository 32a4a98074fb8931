/** Writes bits as LZX has them: 16-bit little-endian words, the highest bit first. */
class BitWriter {
  private readonly words: number[] = [];
  private word = 0;
  private count = 0;

  write(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.word = (this.word << 1) | (Math.floor(value / 2 ** bit) & 1);
      if (++this.count < 16) continue;
      this.words.push(this.word);
      this.word = 0;
      this.count = 0;
    }
  }

  bytes(): Buffer {
    while (this.count !== 0) this.write(0, 1);
    const bytes = Buffer.alloc(this.words.length * 2);
    for (const [index, word] of this.words.entries()) bytes.writeUInt16LE(word, index * 2);
    return bytes;
  }
}

/** A window of 2^15 bytes has 30 position slots. */
const MAIN = 256 + 8 * 30;
const FRAME = 32768;

/**
 * Frames of LZX with a window of 2^15 bytes: a block each, verbatim, with aligned offsets, or uncompressed in turn. All symbols of a
 * tree have codes of one length; matches are those with the data 1000 bytes before, and their repetition.
 */
export function lzxFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let before: { main: number; length: number } = { main: 0, length: 0 };
  for (let at = 0; at < bytes.length; at += FRAME) {
    const end = Math.min(at + FRAME, bytes.length);
    const type = 1 + (frames.length % 3);
    const writer = new BitWriter();
    if (at === 0) writer.write(0, 1);
    writer.write(type, 3);
    writer.write(end - at, 24);
    if (type === 3) {
      // Three offsets, the bytes, and one more where they are odd.
      const offsets = Buffer.alloc(12);
      for (const place of [0, 4, 8]) offsets.writeUInt32LE(1, place);
      frames.push(Buffer.concat([writer.bytes(), offsets, bytes.subarray(at, end), Buffer.alloc((end - at) % 2)]));
      continue;
    }
    if (type === 2) for (let i = 0; i < 8; i++) writer.write(3, 3);
    for (const count of [256, MAIN - 256]) lengths(writer, count, before.main, 9);
    lengths(writer, 249, before.length, 8);
    before = { main: 9, length: 8 };
    matches(writer, bytes, at, end, type === 2);
    frames.push(writer.bytes());
  }
  return frames;
}

/** Lengths of codes, as differences by a pretree whose codes have 5 bits each. */
function lengths(writer: BitWriter, count: number, before: number, now: number): void {
  for (let i = 0; i < 20; i++) writer.write(5, 4);
  for (let i = 0; i < count; i++) writer.write((before - now + 17) % 17, 5);
}

function matches(writer: BitWriter, bytes: Buffer, from: number, to: number, aligned: boolean): void {
  let repeated = false;
  for (let at = from; at < to; ) {
    let length = 0;
    while (at >= 1000 && at + length < to && length < 257 && bytes[at + length] === bytes[at + length - 1000]) length++;
    if (length < 2) {
      writer.write(bytes[at] ?? 0, 9);
      at++;
      continue;
    }
    // 1000 is in slot 19, which begins at 766 (768 less the first two) and has 8 bits more; slot 0 is the offset used last.
    const slot = repeated ? 0 : 19;
    const header = Math.min(length - 2, 7);
    writer.write(256 + slot * 8 + header, 9);
    if (header === 7) writer.write(length - 9, 8);
    if (!repeated) {
      const rest = 1000 - 766;
      if (aligned) {
        writer.write(rest >> 3, 5);
        writer.write(rest & 7, 3);
      } else writer.write(rest, 8);
    }
    repeated = true;
    at += length;
  }
}
