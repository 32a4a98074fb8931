/**
 * The binary form of BTF: include/uapi/linux/btf.h (Linux 6.12) and Documentation/bpf/btf.rst. A header, a section of types that
 * follow one another without gaps (ids count from 1; 0 is void), and a section of NUL-terminated strings.
 */

/** A BTF blob, or a type in it, that cannot be decoded. */
export class BtfError extends Error {
  override readonly name = 'BtfError';
}

/** btf.h: BTF_MAGIC, as it stands in little-endian memory, and BTF_VERSION with flags 0. */
export const BTF_NEEDLE = Buffer.from([0x9f, 0xeb, 0x01, 0x00]);
/** sizeof(struct btf_header) */
export const HEADER_SIZE = 24;
/** Bytes of the largest blob that is believed; that of a distribution's kernel has 4 to 10 MiB. */
const MAX_SECTION = 64 * 1024 * 1024;

/** btf.h: BTF_KIND_* */
export const Kind = {
  Void: 0,
  Int: 1,
  Pointer: 2,
  Array: 3,
  Struct: 4,
  Union: 5,
  Enum: 6,
  Forward: 7,
  Typedef: 8,
  Volatile: 9,
  Const: 10,
  Restrict: 11,
  Function: 12,
  Prototype: 13,
  Variable: 14,
  DataSection: 15,
  Float: 16,
  DeclTag: 17,
  TypeTag: 18,
  Enum64: 19,
} as const;
export const LAST_KIND = 19;

/** 32-bit words that follow struct btf_type (3 words: name_off, info, size or type), per kind. */
const FIXED_WORDS = kindTable([
  [Kind.Int, 1],
  [Kind.Array, 3],
  [Kind.Variable, 1],
  [Kind.DeclTag, 1],
]);
/** … and for each of its vlen entries. */
const ENTRY_WORDS = kindTable([
  [Kind.Struct, 3],
  [Kind.Union, 3],
  [Kind.Enum, 2],
  [Kind.Prototype, 2],
  [Kind.DataSection, 3],
  [Kind.Enum64, 3],
]);
/** Kinds whose third word is a type id. */
const REFERS = kindTable(
  [
    Kind.Pointer,
    Kind.Typedef,
    Kind.Volatile,
    Kind.Const,
    Kind.Restrict,
    Kind.Function,
    Kind.Prototype,
    Kind.Variable,
    Kind.DeclTag,
    Kind.TypeTag,
  ].map((kind) => [kind, 1]),
);

function kindTable(entries: (readonly [number, number])[]): Uint8Array {
  const table = new Uint8Array(32);
  for (const [kind, value] of entries) table[kind] = value;
  return table;
}

export function kindOf(info: number): number {
  return (info >>> 24) & 0x1f;
}

export function lengthOf(info: number): number {
  return info & 0xffff;
}

export function kindFlagOf(info: number): boolean {
  return info >>> 31 === 1;
}

/** Words that the type with this `info` takes, its struct btf_type included. */
export function typeWords(info: number): number {
  const kind = (info >>> 24) & 0x1f;
  return 3 + (FIXED_WORDS[kind] as number) + (ENTRY_WORDS[kind] as number) * (info & 0xffff);
}

/** Offsets in the blob, in bytes. */
export interface BtfSections {
  readonly typeStart: number;
  readonly typeLength: number;
  readonly stringStart: number;
  readonly stringLength: number;
  /** bytes of the blob from its header to the end of its last section */
  readonly total: number;
}

/**
 * Reads struct btf_header (magic, version, flags, hdr_len, type_off, type_len, str_off, str_len; the offsets count from the
 * header's end). Needs only the header's bytes.
 * @returns the sections, or why this is no BTF header
 */
export function readSections(header: Buffer): BtfSections | string {
  if (header.length < HEADER_SIZE) return `${header.length} bytes are too few for a BTF header`;
  if (header.readUInt16LE(0) !== 0xeb9f) return 'no BTF magic';
  if (header[2] !== 1) return `BTF version ${header[2]}; only version 1 is known`;
  const headerLength = header.readUInt32LE(4);
  const typeOffset = header.readUInt32LE(8);
  const typeLength = header.readUInt32LE(12);
  const stringOffset = header.readUInt32LE(16);
  const stringLength = header.readUInt32LE(20);
  if (headerLength < HEADER_SIZE || headerLength > 4096 || headerLength % 4 !== 0)
    return `header of ${headerLength} bytes`;
  if (typeLength > MAX_SECTION || stringLength > MAX_SECTION || stringOffset > MAX_SECTION)
    return 'sections are too large';
  if (typeOffset % 4 !== 0 || typeLength % 4 !== 0) return 'type section is not aligned to 4 bytes';
  if (typeOffset + typeLength > stringOffset) return 'type and string sections overlap';
  if (stringLength === 0) return 'no strings';
  return {
    typeStart: headerLength + typeOffset,
    typeLength,
    stringStart: headerLength + stringOffset,
    stringLength,
    total: headerLength + stringOffset + stringLength,
  };
}

/** The two sections of a blob, the types as 32-bit words (a copy where they are not aligned). */
export interface BtfParts {
  readonly words: Uint32Array;
  readonly strings: Buffer;
}

/** @throws {BtfError} when the header is none or the blob is cut short */
export function splitBlob(blob: Buffer): BtfParts {
  const sections = readSections(blob);
  if (typeof sections === 'string') throw new BtfError(`not a BTF blob: ${sections}`);
  if (sections.total > blob.length)
    throw new BtfError(`BTF blob is cut short: ${blob.length} of ${sections.total} bytes`);
  const { typeStart, typeLength, stringStart, stringLength } = sections;
  const start = blob.byteOffset + typeStart;
  const words =
    start % 4 === 0
      ? new Uint32Array(blob.buffer, start, typeLength / 4)
      : new Uint32Array(new Uint8Array(blob.subarray(typeStart, typeStart + typeLength)).buffer);
  return { words, strings: blob.subarray(stringStart, stringStart + stringLength) };
}

/** Ids and string offsets that a split BTF continues: those of its base. */
export interface BtfBaseSize {
  /** one past the base's highest type id */
  readonly types: number;
  /** bytes of the base's string section */
  readonly strings: number;
}

/**
 * Why a blob is not a sound BTF, or undefined when it is: its types fill their section exactly, names lie in the string section
 * and are text, every type id exists. The sections of a stale, partly overwritten copy do not survive this.
 * @param base what a split BTF (a module's) stands on
 */
export function verifyBtf(blob: Buffer, base: BtfBaseSize = { types: 1, strings: 0 }): string | undefined {
  let parts;
  try {
    parts = splitBlob(blob);
  } catch (error) {
    if (error instanceof BtfError) return error.message;
    throw error;
  }
  const { words, strings } = parts;
  return verifyStrings(strings, base.strings > 0) ?? verifyTypes(words, strings, base);
}

function verifyStrings(strings: Buffer, split: boolean): string | undefined {
  // A split blob continues the strings of its base, which hold the empty string (kernel/bpf/btf.c: btf_parse_str_sec).
  if (strings[strings.length - 1] !== 0 || (!split && strings[0] !== 0))
    return 'string section does not begin and end with NUL';
  // Control characters are in no name; bytes from 0x80 on may be UTF-8.
  for (let i = 0; i < strings.length; i++) {
    const byte = strings[i] as number;
    if (byte < 0x20 && byte !== 0) return `string section holds byte 0x${byte.toString(16)} at ${i}`;
  }
  return undefined;
}

function verifyTypes(words: Uint32Array, strings: Buffer, base: BtfBaseSize): string | undefined {
  const counted = countTypes(words);
  if (typeof counted === 'string') return counted;
  const ids = base.types + counted;
  const firstString = base.strings;
  const stringEnd = base.strings + strings.length;
  // Offset 0 is the empty name; any other must not be empty.
  const badName = (offset: number): boolean =>
    offset !== 0 && (offset >= stringEnd || (offset >= firstString && strings[offset - firstString] === 0));
  let id = base.types;
  for (let at = 0; at < words.length; id++) {
    const info = words[at + 1] as number;
    const kind = kindOf(info);
    if (badName(words[at] as number)) return `type ${id} has no sound name`;
    if (REFERS[kind] === 1 && (words[at + 2] as number) >= ids)
      return `type ${id} refers to a type that does not exist`;
    if (kind === Kind.Array && ((words[at + 3] as number) >= ids || (words[at + 4] as number) >= ids))
      return `array ${id} refers to a type that does not exist`;
    const next = at + typeWords(info);
    const step = ENTRY_WORDS[kind] as number;
    if (step > 0) {
      const typed = kind !== Kind.Enum && kind !== Kind.Enum64;
      const named = kind !== Kind.DataSection;
      const typeWord = kind === Kind.DataSection ? 0 : 1;
      for (let entry = at + 3; entry < next; entry += step) {
        if (named && badName(words[entry] as number)) return `an entry of type ${id} has no sound name`;
        if (typed && (words[entry + typeWord] as number) >= ids)
          return `an entry of type ${id} refers to a type that does not exist`;
      }
    }
    at = next;
  }
  return undefined;
}

/** The number of types in a type section, or why they do not fill it exactly. */
export function countTypes(words: Uint32Array): number | string {
  let count = 0;
  let at = 0;
  while (at + 3 <= words.length) {
    const info = words[at + 1] as number;
    const kind = (info >>> 24) & 0x1f;
    if (kind === 0 || kind > LAST_KIND) return `unknown kind ${kind} at word ${at} of the type section`;
    at += typeWords(info);
    count++;
  }
  return at === words.length ? count : 'the last type does not end at the end of the type section';
}
