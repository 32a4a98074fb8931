/** A PDB in miniature, to say in it what no compiler would. Sources: LLVM, docs/PDB (MsfFile, PdbStream, TpiStream, DbiStream); microsoft-pdb, include/cvinfo.h. */
const PAGE = 4096;

export interface FakePdb {
  /** records of the type stream from 0x1000 on: leaf and what follows it */
  readonly types: readonly Buffer[];
  readonly symbols?: readonly Buffer[];
  readonly machine?: number;
  /** records of the stream of ids from 0x1000 on; without them the file has none */
  readonly ids?: readonly Buffer[];
  /** symbol records of each module; a number is the stream of another module, from 0 */
  readonly modules?: readonly (readonly Buffer[] | number)[];
}

const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, index * 2);
  return bytes;
};
export const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
};
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** Type records by what they are. Sizes and offsets below 0x8000 stand as they are. */
export const record = {
  pointer: (target: number): Buffer => Buffer.concat([u16(0x1002), u32(target, (8 << 13) | 0xc)]),
  modifier: (target: number): Buffer => Buffer.concat([u16(0x1001), u32(target), u16(1, 0)]),
  array: (element: number, size: number): Buffer => Buffer.concat([u16(0x1503), u32(element, 0x22), u16(0x8004), u32(size), text('')]),
  bits: (base: number, bits: number, start: number): Buffer => Buffer.concat([u16(0x1205), u32(base), Buffer.from([bits, start])]),
  struct: (name: string, fields: number, size: number): Buffer => Buffer.concat([u16(0x1505, 1, 0), u32(fields, 0, 0), u16(size), text(name)]),
  enumeration: (name: string, base: number, fields: number): Buffer => Buffer.concat([u16(0x1507, 1, 0), u32(base, fields), text(name)]),
  procedure: (returns: number, list: number, parameters: number): Buffer => Buffer.concat([u16(0x1008), u32(returns), u16(0, parameters), u32(list)]),
  parameters: (...types: readonly number[]): Buffer => Buffer.concat([u16(0x1201), u32(types.length, ...types)]),
  fields: (...parts: readonly Buffer[]): Buffer => Buffer.concat([u16(0x1203), ...parts]),
};
/** Records of the stream of ids. */
export const id = {
  functionOf: (type: number): Buffer => Buffer.concat([u16(0x1601), u32(0, type), text('function')]),
  method: (parent: number, type: number): Buffer => Buffer.concat([u16(0x1602), u32(parent, type), text('method')]),
  build: (...texts: readonly number[]): Buffer => Buffer.concat([u16(0x1603, texts.length), u32(...texts)]),
  list: (...texts: readonly number[]): Buffer => Buffer.concat([u16(0x1604), u32(texts.length, ...texts)]),
  text: (value: string, before = 0): Buffer => Buffer.concat([u16(0x1605), u32(before), text(value)]),
};
/** What stands in a field list. */
export const field = {
  member: (name: string, type: number, offset: number): Buffer => padded(Buffer.concat([u16(0x150d, 3), u32(type), u16(offset), text(name)])),
  base: (type: number, offset: number): Buffer => padded(Buffer.concat([u16(0x1400, 3), u32(type), u16(offset)])),
  label: (name: string, value: number): Buffer => padded(Buffer.concat([u16(0x1502, 3, value), text(name)])),
  more: (list: number): Buffer => Buffer.concat([u16(0x1404, 0), u32(list)]),
};

/** Fields begin at multiples of 4; F1 to F3 fill the gap. */
function padded(bytes: Buffer): Buffer {
  const gap = (4 - (bytes.length % 4)) % 4;
  return Buffer.concat([bytes, Buffer.from([0xf3, 0xf2, 0xf1].slice(3 - gap))]);
}

/** A public symbol in section 1. */
export function publicSymbol(name: string, offset: number): Buffer {
  return Buffer.concat([u16(0x110e), u32(2, offset), u16(1), text(name)]);
}

/** A function of a module, at an offset of section 1: S_LPROC32, or S_LPROC32_ID where what it names is an id. */
export function procedure(name: string, offset: number, named: { readonly type: number } | { readonly id: number }): Buffer {
  const [kind, index] = 'id' in named ? [0x1146, named.id] : [0x110f, named.type];
  return Buffer.concat([u16(kind), u32(0, 0, 0, 16, 0, 16, index, offset), u16(1), Buffer.from([0]), text(name)]);
}

/** S_BUILDINFO */
export function buildInfo(index: number): Buffer {
  return Buffer.concat([u16(0x114c), u32(index)]);
}

const counted = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);

/** A stream of numbered records behind its header. */
function numbered(records: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(records.map(counted));
  return Buffer.concat([u32(20040203, 56, 0x1000, 0x1000 + records.length, bytes.length), Buffer.alloc(36), bytes]);
}

export function fakePdb({ types, symbols = [], machine = 0x8664, ids, modules = [] }: FakePdb): Buffer {
  // An empty table of names, and the mark of files with ids.
  const features = ids ? u32(0, 0, 1, 0, 0, 0, 20140508) : Buffer.alloc(0);
  const information = Buffer.concat([u32(20000404, 1, 1), Buffer.alloc(16, 0x11), features]);
  const contents = modules.map((records) => (typeof records === 'number' ? Buffer.alloc(0) : Buffer.concat([u32(4), ...records.map(counted)])));
  const described = modules.map((records, index) => {
    const place = typeof records === 'number' ? records : index;
    return whole(Buffer.concat([Buffer.alloc(34), u16(7 + place), u32(contents[place]?.length ?? 0), Buffer.alloc(24), text(`module${index}.obj`), text('library.lib')]), 4);
  });
  const debugHeader = u16(...Array.from({ length: 11 }, (_, index) => (index === 5 ? 6 : 0xffff)));
  const substreams = Buffer.concat(described);
  const header = Buffer.concat([u32(0xffffffff, 19990903, 1), u16(0xffff, 0, 0xffff, 0, 5, 0), u32(substreams.length, 0, 0, 0, 0, 0, debugHeader.length, 0), u16(0, machine), u32(0)]);
  const section = Buffer.alloc(40);
  section.write('.text');
  section.writeUInt32LE(0x10000000, 8);
  section.writeUInt32LE(0x1000, 12);
  return msf([Buffer.alloc(0), information, numbered(types), Buffer.concat([header, substreams, debugHeader]), ids ? numbered(ids) : Buffer.alloc(0), Buffer.concat(symbols.map(counted)), section, ...contents]);
}

function whole(bytes: Buffer, unit: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((unit - (bytes.length % unit)) % unit)]);
}

/** Streams in a multi-stream file of version 7. */
export function msf(streams: readonly Buffer[]): Buffer {
  const pages: Buffer[] = [];
  let next = 3;
  const placed = streams.map((stream) => {
    const numbers: number[] = [];
    for (let at = 0; at < stream.length; at += PAGE) {
      const page = Buffer.alloc(PAGE);
      stream.copy(page, 0, at);
      pages.push(page);
      numbers.push(next++);
    }
    return numbers;
  });
  const directory = u32(streams.length, ...streams.map(({ length }) => length), ...placed.flat());
  const directoryPages = Math.ceil(directory.length / PAGE);
  const list = u32(...Array.from({ length: directoryPages }, (_, index) => next + index));
  const map = next + directoryPages;
  const header = Buffer.alloc(3 * PAGE);
  header.write('Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0', 'latin1');
  for (const [index, value] of [PAGE, 1, map + 1, directory.length, 0, map].entries()) header.writeUInt32LE(value, 32 + index * 4);
  return Buffer.concat([header, ...pages, whole(directory, PAGE), whole(list, PAGE)]);
}
