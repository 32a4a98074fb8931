/** Writes BTF by hand: include/uapi/linux/btf.h. Types get their ids in the order of the calls. */
export class BtfBuilder {
  private readonly types: number[] = [];
  private readonly strings: Buffer[] = [];
  private stringLength = 0;
  private readonly known = new Map<string, number>();
  private next: number;

  /** @param base what a split BTF continues: one past its last id, and the bytes of its strings */
  constructor(private readonly base = { types: 1, strings: 0 }) {
    this.next = base.types;
    if (base.strings === 0) this.string('');
  }

  string(text: string): number {
    if (text === '' && this.base.strings > 0) return 0;
    let offset = this.known.get(text);
    if (offset === undefined) {
      offset = this.base.strings + this.stringLength;
      this.known.set(text, offset);
      const bytes = Buffer.from(`${text}\0`, 'latin1');
      this.strings.push(bytes);
      this.stringLength += bytes.length;
    }
    return offset;
  }

  /** A type in the raw: kind, name, size or type, what follows. Returns its id. */
  type(kind: number, name: string, sizeOrType: number, length = 0, rest: readonly number[] = [], flag = false): number {
    this.types.push(this.string(name), ((flag ? 1 << 31 : 0) | (kind << 24) | length) >>> 0, sizeOrType, ...rest);
    return this.next++;
  }

  /** @param encoding 1 signed, 2 char, 4 bool */
  int(name: string, size: number, encoding = 0, bits = size * 8, offset = 0): number {
    return this.type(1, name, size, 0, [(encoding << 24) | (offset << 16) | bits]);
  }

  pointer(to: number): number {
    return this.type(2, '', to);
  }

  array(of: number, count: number, index = 1): number {
    return this.type(3, '', 0, 0, [of, index, count]);
  }

  /** @param members [name, type, offset in bits, bits of a bit field]; any with bits makes it a kind_flag struct */
  struct(
    name: string,
    size: number,
    members: readonly (readonly [string, number, number, number?])[],
    union = false,
  ): number {
    const flag = members.some((member) => member[3] !== undefined);
    const rest = members.flatMap(([member, type, offset, bits]) => [
      this.string(member),
      type,
      flag ? (((bits ?? 0) << 24) | offset) >>> 0 : offset,
    ]);
    return this.type(union ? 5 : 4, name, size, members.length, rest, flag);
  }

  enum(name: string, size: number, choices: readonly (readonly [string, number])[], signed = false): number {
    const rest = choices.flatMap(([label, value]) => [this.string(label), value >>> 0]);
    return this.type(6, name, size, choices.length, rest, signed);
  }

  enum64(name: string, choices: readonly (readonly [string, bigint])[], signed = false): number {
    const rest = choices.flatMap(([label, value]) => [
      this.string(label),
      Number(BigInt.asUintN(32, value)),
      Number(BigInt.asUintN(32, value >> 32n)),
    ]);
    return this.type(19, name, 8, choices.length, rest, signed);
  }

  /** typedef 8, volatile 9, const 10, restrict 11, type tag 18 */
  alias(kind: 8 | 9 | 10 | 11 | 18, name: string, type: number): number {
    return this.type(kind, name, type);
  }

  /** Sizes that a split BTF on this one continues. */
  get extent(): { types: number; strings: number } {
    return { types: this.next, strings: this.base.strings + this.stringLength };
  }

  build(): Buffer {
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header[2] = 1;
    header.writeUInt32LE(24, 4);
    header.writeUInt32LE(this.types.length * 4, 12);
    header.writeUInt32LE(this.types.length * 4, 16);
    header.writeUInt32LE(this.stringLength, 20);
    return Buffer.concat([header, Buffer.from(Uint32Array.from(this.types).buffer), ...this.strings]);
  }
}
