import { Absent } from '../memory/absent.js';
import { addressOf, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, pageNumber, pageOffset } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import type { FunctionSignature, StructLayout, TypeDescriptor, TypeSource } from '../symbols/types.js';
import { ArrayView } from './array.js';
import { namedType } from './named.js';
import { Pointer } from './pointer.js';
import { bitfield, integer, reader, scalar } from './scalars.js';
import type { Struct } from './struct.js';
import { StructType } from './struct-type.js';
import { decodeCString } from './text.js';

/** How values of one type are read. */
export interface ValueType {
  /** bytes in memory; 0 when unknown */
  readonly size: number;
  /** the type as C writes it: `unsigned int`, `struct mm_struct *`, `char[16]` */
  readonly name: string;
  /** @param offset from the start of page `page`; may reach past it or before it */
  read(space: AddressSpace, page: number, offset: number): unknown;
  /** The same with an address. */
  readAt(space: AddressSpace, address: bigint): unknown;
}

/**
 * Turns type descriptors into readers and struct layouts into classes, once per type and only when first used. One
 * compiler belongs to one profile.
 */
export class TypeCompiler {
  private readonly structs = new Map<string, StructType>();

  /** @param pointerSize bytes of a pointer: 8 or 4 */
  constructor(
    readonly types: TypeSource,
    readonly pointerSize: 4 | 8,
  ) {}

  /** The compiled struct or union. Throws Absent `no-member` when the profile has none of that name. */
  struct<T extends Struct = Struct>(name: string): StructType<T> {
    const known = this.structs.get(name);
    if (known) return known as unknown as StructType<T>;
    const layout = this.layout(name);
    if (!layout) throw new Absent('no-member', this.types.whyNot?.(name) ?? `this profile has no struct ${name}`);
    const compiled = new StructType<T>(this, name, layout);
    this.structs.set(name, compiled as unknown as StructType);
    return compiled;
  }

  /** The struct is compiled anew when it is asked for again: more is known of it. */
  forget(name: string): void {
    this.structs.delete(name);
  }

  hasStruct(name: string): boolean {
    return this.structs.has(name) || this.layout(name) !== undefined;
  }

  /** An unnamed struct in place. */
  inline(layout: StructLayout, name: string): StructType {
    return new StructType(this, layout.name ?? name, layout);
  }

  /** How values of a type are read. */
  value(type: TypeDescriptor): ValueType {
    switch (type.kind) {
      case 'int':
        return integer(type);
      case 'enum':
        return integer({ kind: 'int', size: type.size, signed: type.signed }, `enum ${type.name ?? ''}`.trim());
      case 'bitfield':
        return bitfield(type.base, type.startBit, type.bits);
      case 'float':
        return type.size === 4
          ? scalar(4, type.name ?? 'float', (bytes) => bytes.readFloatLE(0))
          : scalar(8, type.name ?? 'double', (bytes) => bytes.readDoubleLE(0));
      case 'pointer':
        return this.pointer(type.target, type.size ?? this.pointerSize);
      case 'array':
        return this.array(type.count, type.target);
      case 'struct':
        return this.structValue(type.name);
      case 'inline': {
        const compiled = this.inline(type.layout, '(anonymous)');
        return reader(compiled.size ?? 0, compiled.name, (space, page, offset) => compiled.atPage(space, page, offset));
      }
      case 'named':
        return namedType(this, type.name, type.args);
      case 'void':
      case 'function':
        return reader(0, type.kind, (_space, page, offset) => addressOf(page, offset));
    }
  }

  /** A type as C writes it. */
  describe(type: TypeDescriptor): string {
    switch (type.kind) {
      case 'struct':
        return type.name;
      case 'pointer':
        return `${this.describe(type.target)} *`;
      case 'array':
        return `${this.describe(type.target)}[${type.count || ''}]`;
      case 'int':
        return type.name ?? `${type.signed ? 'int' : 'uint'}${type.size * 8}`;
      case 'enum':
        return type.name === undefined ? 'enum' : `enum ${type.name}`;
      case 'bitfield':
        return `${this.describe(type.base)}:${type.bits}`;
      case 'inline':
        return type.layout.union ? 'union' : 'struct';
      case 'named': {
        // Flags are an integer that is shown with names.
        const target = type.name === 'Flags' ? type.args['target'] : undefined;
        return typeof target === 'object' && target !== null && 'kind' in target ? this.describe(target as TypeDescriptor) : type.name;
      }
      case 'float':
        return type.name ?? 'float';
      case 'function':
        return type.signature ? this.signature(type.signature) : type.kind;
      case 'void':
        return type.kind;
    }
  }

  /** `long (_DRIVER_OBJECT *, unsigned long, ...)` */
  private signature({ returns, parameters, variadic, convention }: FunctionSignature): string {
    const taken = [...parameters.map((type) => this.describe(type)), ...(variadic ? ['...'] : [])];
    return `${this.describe(returns)} ${convention === undefined ? '' : `__${convention} `}(${taken.join(', ') || 'void'})`;
  }

  private layout(name: string): StructLayout | undefined {
    const direct = this.types.struct(name);
    if (direct) return direct;
    let target = this.types.typedef(name);
    // A typedef of a typedef … of a struct; a profile that goes round in circles ends here.
    for (let depth = 0; target && depth < 16; depth++) {
      if (target.kind === 'inline') return target.layout;
      if (target.kind !== 'struct') return undefined;
      const layout = this.types.struct(target.name);
      if (layout) return layout;
      target = this.types.typedef(target.name);
    }
    return undefined;
  }

  private structValue(name: string): ValueType {
    let compiled: StructType | undefined;
    const compile = (): StructType => (compiled ??= this.struct(name));
    return {
      name,
      get size() {
        return compile().size ?? 0;
      },
      read: (space, page, offset) => compile().atPage(space, page, offset),
      readAt: (space, address) => compile().at(space, address),
    };
  }

  private pointer(target: TypeDescriptor, size: number): ValueType {
    const wide = size === 8;
    const name = `${this.describe(target)} *`;
    if (target.kind === 'struct' && this.hasStruct(target.name)) {
      const structName = target.name;
      let compiled: StructType | undefined;
      return reader(size, name, (space, page, offset) => {
        readHalves(space, page, offset, wide);
        if (low === 0 && high === 0) return null;
        compiled ??= this.struct(structName);
        return compiled.atPage(space, high * 0x100000 + (low >>> PAGE_SHIFT), low & PAGE_MASK);
      });
    }
    return reader(size, name, (space, page, offset) => {
      readHalves(space, page, offset, wide);
      return new Pointer(space, (BigInt(high) << 32n) | BigInt(low), target, this);
    });
  }

  private array(count: number, target: TypeDescriptor): ValueType {
    if (target.kind === 'int' && target.size === 1 && (target.encoding === 'char' || target.name === 'char') && count > 0) {
      return reader(count, `char[${count}]`, (space, page, offset) =>
        decodeCString(readBytes(space, page, offset, count)),
      );
    }
    const element = this.value(target);
    return {
      name: `${element.name}[${count || ''}]`,
      get size() {
        return count * element.size;
      },
      read: (space, page, offset) =>
        new ArrayView(space, page + (offset >> PAGE_SHIFT), offset & PAGE_MASK, element, count),
      readAt: (space, address) => new ArrayView(space, pageNumber(address), pageOffset(address), element, count),
    };
  }
}

/** Bytes at an offset from a page, which may lie before or behind it: a window where possible, a copy across pages. */
export function readBytes(space: AddressSpace, page: number, offset: number, length: number): Buffer {
  const number = page + (offset >> PAGE_SHIFT);
  const at = offset & PAGE_MASK;
  if (at + length <= PAGE_SIZE) {
    const here = space.pageAt(number);
    // Of a page with holes the space knows which bytes are there.
    if (here?.whole === true) return here.bytes.subarray(at, at + length);
  }
  return space.read(addressOf(number, at), length);
}

/** The halves of the pointer last read, taken over at once by the caller: an object per pointer would cost a third more. */
let low = 0;
let high = 0;

function readHalves(space: AddressSpace, page: number, offset: number, wide: boolean): void {
  const at = offset & PAGE_MASK;
  const size = wide ? 8 : 4;
  const here = at + size <= PAGE_SIZE ? space.pageAt(page + (offset >> PAGE_SHIFT)) : undefined;
  if (here) {
    low = here.view.getUint32(at, true);
    high = wide ? here.view.getUint32(at + 4, true) : 0;
    return;
  }
  const bytes = space.read(addressOf(page + (offset >> PAGE_SHIFT), at), size);
  low = bytes.readUInt32LE(0);
  high = wide ? bytes.readUInt32LE(4) : 0;
}

