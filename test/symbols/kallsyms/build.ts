/** Kallsyms tables as scripts/kallsyms.c of several kernel versions writes them, around a piece of kernel image. */

export interface BuiltSymbol {
  readonly name: string;
  readonly kind: string;
  readonly address: bigint;
}

/** What differs between versions. */
export interface Layout {
  readonly label: string;
  readonly bits: 32 | 64;
  /** bytes of a marker and of the count of symbols: `unsigned long` before 4.20 */
  readonly words: 4 | 8;
  readonly addresses: 'absolute' | 'relative' | 'percpu' | 'place';
  /** addresses before the names (until 6.3) or behind the tokens */
  readonly order: 'before' | 'behind';
  readonly sequence: boolean;
  /** every table is aligned to this */
  readonly alignment: 4 | 8;
}

export const LAYOUTS: readonly Layout[] = [
  { label: '4.4, 64 bits', bits: 64, words: 8, addresses: 'absolute', order: 'before', sequence: false, alignment: 8 },
  { label: '4.4, 32 bits', bits: 32, words: 4, addresses: 'absolute', order: 'before', sequence: false, alignment: 4 },
  { label: '4.19, x86_64', bits: 64, words: 8, addresses: 'percpu', order: 'before', sequence: false, alignment: 8 },
  { label: '5.10, x86_64', bits: 64, words: 4, addresses: 'percpu', order: 'before', sequence: false, alignment: 8 },
  { label: '5.10, arm64', bits: 64, words: 4, addresses: 'relative', order: 'before', sequence: false, alignment: 8 },
  {
    label: '6.1 with order, 32 bits',
    bits: 32,
    words: 4,
    addresses: 'relative',
    order: 'before',
    sequence: true,
    alignment: 4,
  },
  { label: '6.2, x86_64', bits: 64, words: 4, addresses: 'percpu', order: 'before', sequence: true, alignment: 8 },
  { label: '6.4, x86_64', bits: 64, words: 4, addresses: 'percpu', order: 'behind', sequence: true, alignment: 8 },
  {
    label: '6.4, 64 bits, absolute',
    bits: 64,
    words: 4,
    addresses: 'absolute',
    order: 'behind',
    sequence: true,
    alignment: 8,
  },
  { label: '6.15, x86_64', bits: 64, words: 4, addresses: 'relative', order: 'behind', sequence: true, alignment: 8 },
  { label: '7.0, 64 bits', bits: 64, words: 4, addresses: 'place', order: 'behind', sequence: true, alignment: 4 },
  { label: '7.0, 32 bits', bits: 32, words: 4, addresses: 'place', order: 'behind', sequence: true, alignment: 4 },
];

export interface BuiltImage {
  /** the bytes of the kernel's image, from {@link physical} on */
  readonly bytes: Buffer;
  readonly physical: number;
  readonly symbols: readonly BuiltSymbol[];
  readonly layout: Layout;
}

/** Physical address of the image; its text has {@link TEXT} bytes, the tables follow. */
export const PHYSICAL = 0x1600000;
const TEXT = 0x100000;

export function virtualBase(layout: Layout): bigint {
  return layout.bits === 64 ? 0xffffffffa8e00000n : 0xc3200000n;
}

/** `count` symbols, in the order of their addresses: per-CPU ones first where the layout has them apart. */
export function makeSymbols(layout: Layout, count: number): BuiltSymbol[] {
  const base = virtualBase(layout);
  const symbols: BuiltSymbol[] = [];
  const percpu = layout.addresses === 'percpu' || (layout.addresses === 'absolute' && layout.bits === 64) ? 40 : 0;
  for (let i = 0; i < percpu; i++) symbols.push({ name: `cpu_area_${i}`, kind: 'A', address: BigInt(i * 64) });
  symbols.push({ name: '_text', kind: 'T', address: base }, { name: '_stext', kind: 'T', address: base });
  for (let i = symbols.length; i < count; i++) {
    // Some names twice, some long (more than 127 tokens, which takes two bytes of length).
    const name =
      i % 50 === 7
        ? 'twice_used'
        : i % 500 === 3
          ? `Zq${'xQ9_Jv7.'.repeat(24)}${i}`
          : `fn_${(i * 7919) % 10007}_${i.toString(36)}_init`;
    symbols.push({
      name,
      kind: 'tTdDbBrR'.charAt(i % 8),
      address: base + BigInt(Math.floor((i * (TEXT - 64)) / count / 16) * 16),
    });
  }
  return symbols;
}

/** Tokens: printable characters stand for themselves, other bytes for pairs. */
function makeTokens(symbols: readonly BuiltSymbol[]): string[] {
  const tokens: string[] = [];
  for (let code = 0; code < 256; code++) tokens.push(code > 0x20 && code < 0x7f ? String.fromCharCode(code) : '');
  const pairs = new Map<string, number>();
  for (const { name } of symbols.slice(0, 500))
    for (let i = 0; i + 1 < name.length; i++)
      pairs.set(name.slice(i, i + 2), (pairs.get(name.slice(i, i + 2)) ?? 0) + 1);
  const best = [...pairs].sort((a, b) => b[1] - a[1]).map(([pair]) => pair);
  return tokens.map((token, code) => token || (best.shift() ?? `~${code}`));
}

function compress(text: string, codes: ReadonlyMap<string, number>): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < text.length;) {
    const pair = codes.get(text.slice(at, at + 2));
    bytes.push(pair ?? (codes.get(text.charAt(at)) as number));
    at += pair === undefined || text.length - at < 2 ? 1 : 2;
  }
  const length = bytes.length < 0x80 ? [bytes.length] : [0x80 | (bytes.length & 0x7f), bytes.length >> 7];
  return Buffer.from([...length, ...bytes]);
}

/** A kernel image with the tables in it. */
export function buildImage(layout: Layout, count = 3000): BuiltImage {
  const symbols = makeSymbols(layout, count);
  const base = virtualBase(layout);
  const pointer = layout.bits / 8;
  const image = new Writer();
  // Text that is a pattern, then pointers to functions, as a kernel's constant structures have.
  image.add(Buffer.alloc(TEXT, 0xcc));
  for (const { address, kind } of symbols) if (kind === 't' || kind === 'T') image.word(address, pointer);
  image.align(64);

  const tokens = makeTokens(symbols);
  const codes = new Map(tokens.map((token, code) => [token, code]));
  const names: Buffer[] = [];
  const markers: number[] = [];
  let length = 0;
  for (const [index, { kind, name }] of symbols.entries()) {
    if (index % 256 === 0) markers.push(length);
    const bytes = compress(kind + name, codes);
    names.push(bytes);
    length += bytes.length;
  }
  const addAddresses = (): void => {
    image.align(layout.alignment);
    const place = image.length;
    for (const [index, { address }] of symbols.entries()) {
      if (layout.addresses === 'absolute') image.word(address, pointer);
      else if (layout.addresses === 'place') image.word(address - (base + BigInt(place + 4 * index)), 4);
      else if (layout.addresses === 'percpu') image.word(address < 0x80000000n ? address : base - 1n - address, 4);
      else image.word(address - base, 4);
    }
    image.align(layout.alignment);
    if (layout.addresses === 'relative' || layout.addresses === 'percpu') image.word(base, pointer);
    image.align(layout.alignment);
  };
  const addSequence = (): void => {
    if (!layout.sequence) return;
    const order = [...symbols.keys()].sort(
      (a, b) =>
        Buffer.compare(Buffer.from((symbols[a] as BuiltSymbol).name), Buffer.from((symbols[b] as BuiltSymbol).name)) ||
        a - b,
    );
    for (const index of order) image.add(Buffer.from([index >> 16, (index >> 8) & 0xff, index & 0xff]));
    image.align(layout.alignment);
  };
  if (layout.order === 'before') addAddresses();
  image.word(BigInt(count), 4);
  image.align(layout.alignment);
  for (const bytes of names) image.add(bytes);
  image.align(layout.alignment);
  for (const marker of markers) image.word(BigInt(marker), layout.words);
  image.align(layout.alignment);
  if (layout.order === 'before') addSequence();
  const offsets: number[] = [];
  let at = 0;
  for (const token of tokens) {
    offsets.push(at);
    image.add(Buffer.from(`${token}\0`, 'latin1'));
    at += token.length + 1;
  }
  image.align(layout.alignment);
  for (const offset of offsets) image.word(BigInt(offset), 2);
  if (layout.order === 'behind') {
    addAddresses();
    addSequence();
  }
  image.add(Buffer.from('what follows in .rodata: text, and more text'));
  return { bytes: image.bytes(), physical: PHYSICAL, symbols, layout };
}

/** Bytes one behind the other. */
class Writer {
  private readonly parts: Buffer[] = [];
  length = 0;

  add(bytes: Buffer): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }

  word(value: bigint, bytes: number): void {
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(BigInt.asUintN(64, value));
    this.add(word.subarray(0, bytes));
  }

  align(to: number): void {
    this.add(Buffer.alloc((to - (this.length % to)) % to));
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}
