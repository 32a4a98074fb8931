/** Input that is no LZO1X stream. */
export class LzoError extends Error {
  override readonly name = 'LzoError';
}

/**
 * Unpacks an LZO1X stream into `size` bytes. The instructions are those of Documentation/staging/lzo.rst in the Linux tree;
 * every copy is checked against both buffers.
 */
export function lzo1x(input: Buffer, size: number): Buffer {
  const output = Buffer.alloc(size);
  let at = 0;
  let done = 0;
  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw new LzoError('the stream ends within an instruction');
    return byte;
  };
  const literals = (count: number): void => {
    if (at + count > input.length || done + count > size) throw new LzoError('literals reach past the end');
    input.copy(output, done, at, at + count);
    at += count;
    done += count;
  };
  const match = (distance: number, length: number): void => {
    if (distance > done || done + length > size) throw new LzoError('a match reaches past the data');
    // Source and target may overlap: that is how runs are written.
    for (let i = 0; i < length; i++, done++) output[done] = output[done - distance] as number;
  };
  /** a length whose field was zero goes on in the bytes that follow: 255 for each zero byte */
  const long = (base: number): number => {
    let length = base;
    let byte = next();
    while (byte === 0) {
      length += 255;
      if (length > size + 512) throw new LzoError('an impossible length');
      byte = next();
    }
    return length + byte;
  };

  // How many literals the last instruction copied: 0 to 3 as stated in its low bits, or 4 for more.
  let state = 0;
  const first = input[0] ?? 0;
  if (first >= 18) {
    at = 1;
    literals(first - 17);
    state = first - 17 < 4 ? first - 17 : 4;
  }
  for (;;) {
    const code = next();
    let tail: number;
    if (code >= 64) {
      const length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);
      match(next() * 8 + ((code >> 2) & 7) + 1, length);
      tail = code & 3;
    } else if (code >= 32) {
      const length = (code & 31) === 0 ? long(31) + 2 : (code & 31) + 2;
      const word = next() | (next() << 8);
      match((word >> 2) + 1, length);
      tail = word & 3;
    } else if (code >= 16) {
      const length = (code & 7) === 0 ? long(7) + 2 : (code & 7) + 2;
      const word = next() | (next() << 8);
      const distance = 16384 + ((code & 8) << 11) + (word >> 2);
      if (distance === 16384) break;
      match(distance, length);
      tail = word & 3;
    } else if (state === 0) {
      literals(code === 0 ? long(15) + 3 : code + 3);
      state = 4;
      continue;
    } else {
      const near = next() * 4 + (code >> 2);
      if (state === 4) match(near + 2049, 3);
      else match(near + 1, 2);
      tail = code & 3;
    }
    literals(tail);
    state = tail;
  }
  if (done < size) throw new LzoError(`${done} bytes instead of ${size}`);
  return output;
}
