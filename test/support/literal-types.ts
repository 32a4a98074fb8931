import type { IntegerType, MemberLayout, StructLayout, TypeDescriptor, TypeSource } from '../../src/symbols/types.js';

/**
 * A type in a literal: the name of a C integer, of a struct, or one with stars behind it (`int`, `list_head`, `task_struct *`,
 * `void *`); `['array', count, type]`; `['bits', integer, first bit, bits]`; or a descriptor.
 */
export type LiteralType = string | readonly ['array', number, LiteralType] | readonly ['bits', string, number, number] | TypeDescriptor;

/** `{ task_struct: [size, { pid: [offset, 'int'], comm: [offset, ['array', 16, 'char']] }] }` */
export type LiteralTypes = Readonly<Record<string, readonly [size: number, members: Readonly<Record<string, readonly [offset: number, type: LiteralType]>>]>>;

const widths: Readonly<Record<string, readonly [size: number | 'word', signed: boolean, encoding?: 'char' | 'bool']>> = {
  char: [1, true, 'char'],
  'signed char': [1, true],
  'unsigned char': [1, false],
  bool: [1, false, 'bool'],
  short: [2, true],
  'unsigned short': [2, false],
  int: [4, true],
  'unsigned int': [4, false],
  long: ['word', true],
  'unsigned long': ['word', false],
  'long long': [8, true],
  'unsigned long long': [8, false],
  u8: [1, false],
  u16: [2, false],
  u32: [4, false],
  u64: [8, false],
  s8: [1, true],
  s16: [2, true],
  s32: [4, true],
  s64: [8, true],
};

/** Structs that every kernel has, by pointer width: no test has to spell them out. */
function everyday(word: number): LiteralTypes {
  return {
    list_head: [2 * word, { next: [0, 'list_head *'], prev: [word, 'list_head *'] }],
    hlist_head: [word, { first: [0, 'hlist_node *'] }],
    hlist_node: [2 * word, { next: [0, 'hlist_node *'], pprev: [word, 'void *'] }],
    llist_head: [word, { first: [0, 'llist_node *'] }],
    llist_node: [word, { next: [0, 'llist_node *'] }],
    rb_node: [3 * word, { __rb_parent_color: [0, 'unsigned long'], rb_right: [word, 'rb_node *'], rb_left: [2 * word, 'rb_node *'] }],
    rb_root: [word, { rb_node: [0, 'rb_node *'] }],
    rb_root_cached: [2 * word, { rb_root: [0, 'rb_root'], rb_leftmost: [word, 'rb_node *'] }],
  };
}

/** A {@link TypeSource} made from a literal. */
export class LiteralTypeSource implements TypeSource {
  private readonly layouts = new Map<string, StructLayout>();

  constructor(
    types: LiteralTypes,
    readonly pointerSize: 4 | 8,
  ) {
    for (const [name, [size, literal]] of Object.entries({ ...everyday(pointerSize), ...types })) {
      const members = new Map<string, MemberLayout>();
      for (const [member, [offset, type]] of Object.entries(literal)) members.set(member, { offset, type: this.descriptor(type) });
      this.layouts.set(name, { name, union: false, size, members });
    }
  }

  struct(name: string): StructLayout | undefined {
    return this.layouts.get(name);
  }

  enum(): undefined {
    return undefined;
  }

  typedef(): undefined {
    return undefined;
  }

  structNames(): Iterable<string> {
    return this.layouts.keys();
  }

  enumNames(): Iterable<string> {
    return [];
  }

  private descriptor(type: LiteralType): TypeDescriptor {
    if (typeof type !== 'string') {
      if (!('length' in type)) return type;
      if (type[0] === 'array') return { kind: 'array', count: type[1], target: this.descriptor(type[2]) };
      const base = this.integer(type[1]);
      if (!base) throw new RangeError(`${type[1]} is no integer`);
      return { kind: 'bitfield', base, startBit: type[2], bits: type[3] };
    }
    if (type.endsWith('*')) return { kind: 'pointer', target: this.descriptor(type.slice(0, -1).trim()) };
    if (type === 'void') return { kind: 'void' };
    return this.integer(type) ?? { kind: 'struct', name: type };
  }

  private integer(name: string): IntegerType | undefined {
    const width = widths[name];
    if (!width) return undefined;
    const [size, signed, encoding] = width;
    return { kind: 'int', name, size: size === 'word' ? this.pointerSize : size, signed, ...(encoding ? { encoding } : {}) };
  }
}

/** What writing needs of types: those of a literal, or of a profile. */
export type Layouts = Pick<TypeSource, 'struct'> & { readonly pointerSize: number };

/** What a member is given: a number, text for `char[]`, values of an array's elements or of a struct's members. */
export type FieldValue = number | bigint | boolean | string | readonly FieldValue[] | { readonly [member: string]: FieldValue };

/** Encodes a value as its type says, little-endian, into `bytes` at `offset`. */
export function encode(types: Layouts, type: TypeDescriptor, value: FieldValue, bytes: Buffer, offset: number): void {
  switch (type.kind) {
    case 'int':
      return putInteger(bytes, offset, type.size, BigInt(value as number | bigint | boolean));
    case 'enum':
      return putInteger(bytes, offset, type.size, BigInt(value as number | bigint));
    case 'pointer':
      return putInteger(bytes, offset, type.size ?? types.pointerSize, BigInt(value as number | bigint));
    case 'bitfield': {
      const mask = ((1n << BigInt(type.bits)) - 1n) << BigInt(type.startBit);
      const old = getInteger(bytes, offset, type.base.size);
      return putInteger(bytes, offset, type.base.size, (old & ~mask) | ((BigInt(value as number | bigint) << BigInt(type.startBit)) & mask));
    }
    case 'array': {
      if (typeof value === 'string') {
        bytes.write(value, offset, type.count, 'utf8');
        return;
      }
      const step = sizeOf(types, type.target);
      for (const [index, element] of (value as readonly FieldValue[]).entries()) encode(types, type.target, element, bytes, offset + index * step);
      return;
    }
    case 'struct':
    case 'inline': {
      const layout = type.kind === 'inline' ? type.layout : types.struct(type.name);
      for (const [name, inner] of Object.entries(value as Readonly<Record<string, FieldValue>>)) {
        const member = layout?.members.get(name);
        if (!member) throw new RangeError(`no member ${name} in ${layout?.name ?? 'an unknown struct'}`);
        encode(types, member.type, inner, bytes, offset + member.offset);
      }
      return;
    }
    default:
      throw new RangeError(`a value of kind ${type.kind} cannot be written`);
  }
}

/** Bytes of a type. */
export function sizeOf(types: Layouts, type: TypeDescriptor): number {
  switch (type.kind) {
    case 'int':
    case 'enum':
    case 'float':
      return type.size;
    case 'bitfield':
      return type.base.size;
    case 'pointer':
      return type.size ?? types.pointerSize;
    case 'array':
      return type.count * sizeOf(types, type.target);
    case 'struct':
      return types.struct(type.name)?.size ?? 0;
    case 'inline':
      return type.layout.size ?? 0;
    default:
      return 0;
  }
}

function putInteger(bytes: Buffer, offset: number, size: number, value: bigint): void {
  for (let i = 0; i < size; i++) bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

function getInteger(bytes: Buffer, offset: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] as number);
  return value;
}
