import { Absent } from '../memory/absent.js';
import { addressOf, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, pageNumber, pageOffset } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import type { IntegerType, MemberLayout, StructLayout, TypeDescriptor } from '../symbols/types.js';
import type { TypeCompiler, ValueType } from './compiler.js';
import { memoryOfProcess, Struct } from './struct.js';

type Constructor<T> = new (space: AddressSpace, page: number, offset: number) => T;

/** A struct or union of a profile, compiled: a class whose getters read its members. */
export class StructType<T extends Struct = Struct> {
  /** Bytes; undefined when the profile does not say. */
  readonly size: number | undefined;
  readonly members: ReadonlyMap<string, MemberLayout>;
  private readonly View: Constructor<T>;
  private readonly values = new Map<string, ValueType>();

  constructor(
    readonly compiler: TypeCompiler,
    readonly name: string,
    readonly layout: StructLayout,
  ) {
    this.size = layout.size;
    this.members = layout.members;
    this.View = this.compile();
  }

  /** The struct at an address. */
  at(space: AddressSpace, address: bigint): T {
    return new this.View(space, pageNumber(address), pageOffset(address));
  }

  /** The struct at an offset from a page; the offset may lie before or behind that page. */
  atPage(space: AddressSpace, page: number, offset: number): T {
    return new this.View(space, page + (offset >> PAGE_SHIFT), offset & PAGE_MASK);
  }

  has(member: string): boolean {
    return this.members.has(member);
  }

  /** Byte offset of a member; `a.b` for a member of a struct in place. Throws Absent when there is none. */
  offsetOf(path: string): number {
    if (!path.includes('.')) return this.member(path).offset;
    let offset = 0;
    let current: StructType | undefined = this as unknown as StructType;
    for (const name of path.split('.')) {
      if (!current) throw new Absent('no-member', `no member ${path} in ${this.name}`);
      const member: MemberLayout = current.member(name);
      offset += member.offset;
      current = current.inPlace(member.type);
    }
    return offset;
  }

  /** Layout of a member. Throws Absent when there is none. */
  member(name: string): MemberLayout {
    const member = this.members.get(name);
    if (!member) throw new Absent('no-member', this.layout.missing?.get(name) ?? `no member ${name} in ${this.name}`);
    return member;
  }

  /** How a member is read. */
  value(name: string): ValueType {
    let value = this.values.get(name);
    if (!value) {
      const { type, offset } = this.member(name);
      value = this.compiler.value(type);
      if (type.kind === 'pointer' && type.space === 'process') value = this.inProcess(value, offset);
      this.values.set(name, value);
    }
    return value;
  }

  read(view: Struct, name: string): unknown {
    return this.value(name).read(view.$space, view.$page, view.$offset + this.member(name).offset);
  }

  /** Label of an enumeration member's value, or the value in decimal. */
  label(view: Struct, name: string): string {
    const type = this.member(name).type;
    const enumeration = type.kind === 'bitfield' ? type.base : type;
    const value = String(this.read(view, name));
    return (enumeration.kind === 'enum' ? enumeration.choices.get(value) : undefined) ?? value;
  }

  /** How a member is read that leads into the memory of the process whose object this struct is. */
  private inProcess(own: ValueType, memberOffset: number): ValueType {
    const read: ValueType['read'] = (space, page, offset) => {
      const target = own.read(space, page, offset);
      if (!(target instanceof Struct)) return target;
      return target.$struct.atPage(memoryOfProcess(this.atPage(space, page, offset - memberOffset)), target.$page, target.$offset);
    };
    return { ...own, read, readAt: (space, address) => read(space, pageNumber(address), pageOffset(address)) };
  }

  private inPlace(type: TypeDescriptor): StructType | undefined {
    if (type.kind === 'struct') return this.compiler.struct(type.name);
    if (type.kind === 'inline') return this.compiler.inline(type.layout, this.name);
    return undefined;
  }

  private compile(): Constructor<T> {
    const View = class extends Struct {};
    Object.defineProperty(View.prototype, '$struct', { value: this });
    for (const [name, member] of this.members) {
      // A member may bear the name of something every object has (`constructor`): it is still readable with $get.
      if (name in Object.prototype || name === 'then') continue;
      const get = fastGetter(member) ?? this.slowGetter(name, member.offset);
      Object.defineProperty(View.prototype, name, { get, enumerable: true });
    }
    return View as unknown as Constructor<T>;
  }

  private slowGetter(name: string, offset: number): (this: Struct) => unknown {
    const type = this as unknown as StructType;
    let value: ValueType | undefined;
    return function (this: Struct) {
      value ??= type.value(name);
      return value.read(this.$space, this.$page, this.$offset + offset);
    };
  }
}

/** Integers are what walks read most: straight from the bound page, without a copy, unless they straddle two pages. */
function fastGetter(member: MemberLayout): ((this: Struct) => unknown) | undefined {
  const type = member.type;
  if (type.kind === 'enum') return integerGetter({ kind: 'int', size: type.size, signed: type.signed }, member.offset);
  if (type.kind === 'int' && type.encoding !== 'bool') return integerGetter(type, member.offset);
  return undefined;
}

function integerGetter({ size, signed }: IntegerType, offset: number): ((this: Struct) => number | bigint) | undefined {
  const read = integerReaders[`${signed ? 's' : 'u'}${size}`];
  if (!read) return undefined;
  const last = PAGE_SIZE - size;
  return function (this: Struct) {
    const at = (this.$offset + offset) & PAGE_MASK;
    return at > last ? straddling(this, offset, size, signed) : read(this.$pageAt(offset).view, at);
  };
}

const integerReaders: Readonly<Record<string, (view: DataView, at: number) => number | bigint>> = {
  u1: (view, at) => view.getUint8(at),
  s1: (view, at) => view.getInt8(at),
  u2: (view, at) => view.getUint16(at, true),
  s2: (view, at) => view.getInt16(at, true),
  u4: (view, at) => view.getUint32(at, true),
  s4: (view, at) => view.getInt32(at, true),
  u8: (view, at) => view.getBigUint64(at, true),
  s8: (view, at) => view.getBigInt64(at, true),
};

function straddling(view: Struct, offset: number, size: number, signed: boolean): number | bigint {
  const bytes = view.$space.read(addressOf(view.$page, view.$offset + offset), size);
  if (size === 8) return signed ? bytes.readBigInt64LE(0) : bytes.readBigUInt64LE(0);
  return signed ? bytes.readIntLE(0, size) : bytes.readUIntLE(0, size);
}
