/**
 * The token table of kallsyms: 256 NUL-terminated strings, one per byte of a compressed name, and after it, aligned to a
 * pointer, `kallsyms_token_index`: the 16-bit offset of each string (scripts/kallsyms.c, write_src).
 */

/**
 * The tokens '0' to '3'. Digits stand for themselves in every kernel, since names contain them and only unused bytes become
 * longer tokens. Seven bytes: longer needles are searched six times as slowly.
 */
export const TOKEN_NEEDLE = Buffer.from('0\x001\x002\x003', 'latin1');
const NEEDLE_TOKEN = 0x30;
export const TOKENS = 256;
/** Bytes of kallsyms_token_index. */
export const INDEX_BYTES = 2 * TOKENS;
/** Bytes of the longest token table that is believed: the index has 16 bits, real ones have about 1 KiB. */
export const MAX_TOKEN_TABLE = 0x4000;

/** Offsets of the tables in the bytes they were found in. */
export interface TokenPlace {
  readonly table: number;
  readonly index: number;
}

/**
 * The token table around a needle, verified: 256 printable tokens, and an index that agrees with every one.
 * @param bytes around the needle: {@link MAX_TOKEN_TABLE} before it and twice that behind it, or as much as there is
 * @param at offset of the needle
 * @param alignment bytes of a pointer: 4 or 8; offsets of `bytes` must be aligned as the addresses are
 */
export function locateTokens(bytes: Buffer, at: number, alignment: number): TokenPlace | undefined {
  let end = at;
  for (let token = NEEDLE_TOKEN; token < TOKENS; token++) {
    const nul = bytes.indexOf(0, end);
    if (nul <= end || nul - at > MAX_TOKEN_TABLE) return undefined;
    end = nul + 1;
  }
  const index = Math.ceil(end / alignment) * alignment;
  if (index + INDEX_BYTES > bytes.length) return undefined;
  const table = at - bytes.readUInt16LE(index + 2 * NEEDLE_TOKEN);
  if (table < 0 || table % alignment !== 0) return undefined;
  return tokensProblem(bytes.subarray(table, end), bytes.subarray(index, index + INDEX_BYTES)) === undefined
    ? { table, index }
    : undefined;
}

/** Why a token table (through the NUL of its last token) and an index do not belong together. */
export function tokensProblem(table: Buffer, index: Buffer): string | undefined {
  if (index.length < INDEX_BYTES) return 'token index is cut short';
  let at = 0;
  for (let token = 0; token < TOKENS; token++) {
    if (index.readUInt16LE(2 * token) !== at) return `token ${token} is not where the index says`;
    const nul = table.indexOf(0, at);
    if (nul <= at) return `token ${token} is empty or cut short`;
    for (let i = at; i < nul; i++)
      if ((table[i] as number) <= 0x20 || (table[i] as number) === 0x7f) return `token ${token} is no text`;
    at = nul + 1;
  }
  return undefined;
}

/** The tokens, ready to expand names and to hash them without expanding them. */
export class Tokens {
  readonly starts = new Uint16Array(TOKENS);
  readonly lengths = new Uint16Array(TOKENS);
  /** {@link hashName} of each token, of each token without its first byte, and the factor that appending it multiplies by */
  readonly hashes = new Int32Array(TOKENS);
  readonly tailHashes = new Int32Array(TOKENS);
  readonly factors = new Int32Array(TOKENS);

  /** @param bytes the token table; must have passed {@link tokensProblem} */
  constructor(readonly bytes: Buffer) {
    for (let token = 0, at = 0; token < TOKENS; token++) {
      const end = bytes.indexOf(0, at);
      this.starts[token] = at;
      this.lengths[token] = end - at;
      this.hashes[token] = hashName(bytes, at, end);
      this.tailHashes[token] = hashName(bytes, at + 1, end);
      let factor = 1;
      for (let i = at; i < end; i++) factor = Math.imul(factor, FACTOR);
      this.factors[token] = factor;
      at = end + 1;
    }
  }
}

const FACTOR = 0x01000193;

/** A polynomial modulo 2^32, so that the hash of `ab` is hash(a) · FACTOR^|b| + hash(b). */
export function hashName(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, FACTOR) + (bytes[i] as number)) | 0;
  return hash;
}
