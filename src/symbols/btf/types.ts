import type { EnumType, IntegerType, MemberLayout, StructLayout, TypeDescriptor, TypeSource } from '../types.js';
import { BtfBlob } from './blob.js';
import { type BtfFunction, type BtfVariable, declaredFunctions, declaredVariables } from './declarations.js';
import { BtfError, Kind, kindFlagOf, kindOf, lengthOf } from './format.js';
import { decodeEnum, decodeInteger, placeBitfield, statesSignedness } from './members.js';

const STRUCTS = (1 << Kind.Struct) | (1 << Kind.Union);
const ENUMS = (1 << Kind.Enum) | (1 << Kind.Enum64);
const TYPEDEFS = 1 << Kind.Typedef;
const MODIFIERS = (1 << Kind.Volatile) | (1 << Kind.Const) | (1 << Kind.Restrict) | (1 << Kind.TypeTag);

/** Typedefs, modifiers and pointers one behind the other before a chain counts as endless. */
const DEEPEST = 64;
/** Members lifted out of unnamed structs in all, before it is an attempt to exhaust us; a kernel has some 20,000. */
const MOST_LIFTED = 1 << 22;

/**
 * The types of a BTF blob: of a kernel, or of a module on top of its kernel's. The constructor indexes the blob (a few
 * milliseconds); a type is decoded when it is asked for, and kept.
 *
 * Several types may have one name. The first has the name; where another is meant, descriptors say `name#id`, which
 * {@link struct} understands.
 *
 * Format: include/uapi/linux/btf.h, Documentation/bpf/btf.rst.
 */
export class BtfTypes implements TypeSource {
  readonly blob: BtfBlob;
  private readonly layouts = new Map<number, StructLayout>();
  private readonly descriptors = new Map<number, TypeDescriptor>();
  private readonly enums = new Map<number, EnumType>();
  private readonly busy = new Set<number>();
  private depth = 0;
  private lifted = 0;
  private signs: boolean | undefined;

  /**
   * @param buffer a whole blob, header first; it is not copied
   * @param base the kernel's types, for a module's split BTF
   * @throws {BtfError} when it is no BTF or its types do not fit their section
   */
  constructor(
    buffer: Buffer,
    readonly base?: BtfTypes,
  ) {
    this.blob = new BtfBlob(buffer, base?.blob);
  }

  /** Types of this blob, without its base's. */
  get typeCount(): number {
    return this.blob.endId - this.blob.firstId;
  }

  /**
   * The struct or union with a tag; else the one that a typedef of that name stands for.
   * @throws {BtfError} when its description makes no sense
   */
  struct(name: string): StructLayout | undefined {
    const id = this.structId(name);
    if (id !== 0) return this.layout(id, name);
    return this.base?.struct(name);
  }

  /** All structs and unions with a tag: static ones of different files may share it. */
  structs(name: string): readonly StructLayout[] {
    const own = [...this.blob.named(name, STRUCTS)].map((id) => this.layout(id, name));
    return this.base ? [...own, ...this.base.structs(name)] : own;
  }

  enum(name: string): EnumType | undefined {
    let id = this.blob.first(name, ENUMS);
    if (id === 0) {
      const alias = this.blob.first(name, TYPEDEFS);
      if (alias !== 0) id = this.resolve(alias).id;
      if ((ENUMS & (1 << this.kind(id))) === 0) id = 0;
    }
    return id === 0 ? this.base?.enum(name) : this.enumeration(id, name);
  }

  typedef(name: string): TypeDescriptor | undefined {
    const id = this.blob.first(name, TYPEDEFS);
    return id === 0 ? this.base?.typedef(name) : this.describe(id);
  }

  /** Tags, and typedefs of untagged structs; each once. */
  *structNames(): Generator<string> {
    yield* this.names(STRUCTS);
  }

  *enumNames(): Generator<string> {
    yield* this.names(ENUMS);
  }

  *typedefNames(): Generator<string> {
    const seen = new Set<string>();
    for (const blob of [this.blob, this.base?.blob]) {
      for (let id = blob?.firstId ?? 0; blob && id < blob.endId; id++)
        if (kindOf(blob.word(id, 1)) === Kind.Typedef) yield* once(seen, blob.text(blob.word(id, 0)));
    }
  }

  /** The functions of this blob (BTF_KIND_FUNC), in its order. */
  functions(): Generator<BtfFunction> {
    return declaredFunctions(this.blob, (id) => this.describe(id));
  }

  /** The variables of this blob (BTF_KIND_VAR), those that a BTF_KIND_DATASEC lists with their place. */
  variables(): Generator<BtfVariable> {
    return declaredVariables(this.blob, (id) => this.describe(id));
  }

  private *names(kinds: number): Generator<string> {
    const seen = new Set<string>();
    for (const source of [this as BtfTypes, this.base]) {
      if (!source) continue;
      const { blob } = source;
      for (let id = blob.firstId; id < blob.endId; id++) {
        const kind = kindOf(blob.word(id, 1));
        if ((kinds >>> kind) & 1) yield* once(seen, blob.text(blob.word(id, 0)));
        else if (kind === Kind.Typedef) {
          const target = source.skipModifiers(blob.word(id, 2));
          const found = source.kind(target);
          if ((kinds >>> found) & 1 && source.nameOf(target) === '') yield* once(seen, blob.text(blob.word(id, 0)));
        }
      }
    }
  }

  /** The id of the struct of this blob that has a name, or 0. */
  private structId(name: string): number {
    const tagged = this.blob.first(name, STRUCTS);
    if (tagged !== 0) return tagged;
    const alias = this.blob.first(name, TYPEDEFS);
    if (alias !== 0) {
      const { id } = this.resolve(alias);
      return (STRUCTS >>> this.kind(id)) & 1 ? id : 0;
    }
    const numbered = /#(\d{1,9})$/.exec(name);
    if (!numbered) return 0;
    const id = Number(numbered[1]);
    return id > 0 && id < this.blob.endId && (STRUCTS >>> this.kind(id)) & 1 ? id : 0;
  }

  private kind(id: number): number {
    return id === 0 ? Kind.Void : kindOf(this.blob.holder(id).word(id, 1));
  }

  private word(id: number, index: number): number {
    return this.blob.holder(id).word(id, index);
  }

  private nameOf(id: number): string {
    const holder = this.blob.holder(id);
    return holder.text(holder.word(id, 0));
  }

  private skipModifiers(id: number): number {
    for (let steps = 0; (MODIFIERS >>> this.kind(id)) & 1; steps++) {
      if (steps === DEEPEST) throw new BtfError(`BTF type ${id} is a chain of modifiers without end`);
      id = this.word(id, 2);
    }
    return id;
  }

  /** The type behind typedefs and modifiers, and the name of the innermost typedef. */
  private resolve(id: number): { id: number; alias: string } {
    let alias = '';
    for (let steps = 0; ; steps++) {
      const kind = this.kind(id);
      if (kind === Kind.Typedef) alias = this.nameOf(id);
      else if (((MODIFIERS >>> kind) & 1) === 0) return { id, alias };
      if (steps === DEEPEST) throw new BtfError(`BTF type ${id} is a chain of typedefs without end`);
      id = this.word(id, 2);
    }
  }

  /** What a type id stands for. @throws {BtfError} */
  private describe(start: number): TypeDescriptor {
    const known = this.descriptors.get(start);
    if (known) return known;
    if (this.depth === DEEPEST) throw new BtfError(`BTF type ${start} is nested without end`);
    this.depth++;
    try {
      const { id, alias } = this.resolve(start);
      const type = this.describeResolved(id, alias);
      this.descriptors.set(start, type);
      return type;
    } finally {
      this.depth--;
    }
  }

  private describeResolved(id: number, alias: string): TypeDescriptor {
    const kind = this.kind(id);
    switch (kind) {
      case Kind.Void:
        return { kind: 'void' };
      case Kind.Int:
        return decodeInteger(this.blob.holder(id), id).type;
      case Kind.Float: {
        const name = this.nameOf(id);
        return { kind: 'float', size: this.word(id, 2), ...(name !== '' && { name }) };
      }
      case Kind.Pointer:
        return { kind: 'pointer', target: this.describe(this.word(id, 2)) };
      case Kind.Array:
        return { kind: 'array', count: this.word(id, 5), target: this.describe(this.word(id, 3)) };
      case Kind.Struct:
      case Kind.Union: {
        const name = this.nameOf(id) || alias;
        return name === ''
          ? { kind: 'inline', layout: this.layout(id, '') }
          : { kind: 'struct', name: this.unique(name, id) };
      }
      case Kind.Forward:
        return { kind: 'struct', name: this.nameOf(id) };
      case Kind.Enum:
      case Kind.Enum64:
        return this.enumeration(id, alias);
      case Kind.Function:
      case Kind.Prototype:
        return { kind: 'function' };
      default:
        throw new BtfError(`BTF type ${id} of kind ${kind} cannot be the type of anything`);
    }
  }

  /** The name by which {@link struct} finds this very struct. */
  private unique(name: string, id: number): string {
    const first = this.firstWith(name);
    return first === id || first === 0 || this.sameLayout(first, id) ? name : `${name}#${id}`;
  }

  private firstWith(name: string): number {
    return this.structId(name) || (this.base?.firstWith(name) ?? 0);
  }

  /** True when two structs have the same size, and members of the same names at the same places. */
  private sameLayout(a: number, b: number): boolean {
    const [one, other] = [this.blob.holder(a), this.blob.holder(b)];
    if (one.word(a, 1) !== other.word(b, 1) || one.word(a, 2) !== other.word(b, 2)) return false;
    const count = lengthOf(one.word(a, 1));
    for (let at = 3; at < 3 + 3 * count; at += 3) {
      if (one.word(a, at + 2) !== other.word(b, at + 2)) return false;
      if (one.text(one.word(a, at)) !== other.text(other.word(b, at))) return false;
    }
    return true;
  }

  private enumeration(id: number, alias: string): EnumType {
    let type = this.enums.get(id);
    if (!type) {
      const holder = this.blob.holder(id);
      const name = this.nameOf(id) || alias;
      this.signs ??= statesSignedness(this.blob) || (this.base !== undefined && statesSignedness(this.base.blob));
      type = decodeEnum(holder, id, this.kind(id) === Kind.Enum64, name, this.signs);
      this.enums.set(id, type);
    }
    return type;
  }

  private layout(id: number, name: string): StructLayout {
    const known = this.layouts.get(id);
    if (known && (known.name !== undefined || name === '')) return known;
    if (this.busy.has(id)) throw new BtfError(`BTF struct ${id} contains itself`);
    this.busy.add(id);
    try {
      const shown = this.nameOf(id) || name;
      const layout: StructLayout = {
        ...(shown !== '' && { name: shown }),
        union: this.kind(id) === Kind.Union,
        size: this.word(id, 2),
        members: this.decodeMembers(id),
      };
      this.layouts.set(id, layout);
      return layout;
    } finally {
      this.busy.delete(id);
    }
  }

  private decodeMembers(id: number): Map<string, MemberLayout> {
    const holder = this.blob.holder(id);
    const info = holder.word(id, 1);
    const size = holder.word(id, 2);
    const flagged = kindFlagOf(info);
    const end = 3 + 3 * lengthOf(info);
    const members = new Map<string, MemberLayout>();
    for (let at = 3; at < end; at += 3) {
      const name = holder.text(holder.word(id, at));
      const type = holder.word(id, at + 1);
      const place = holder.word(id, at + 2);
      // btf.h: with kind_flag, BTF_MEMBER_BITFIELD_SIZE is the upper 8 bits and BTF_MEMBER_BIT_OFFSET the lower 24.
      const bitOffset = flagged ? place & 0xffffff : place;
      if (name !== '') {
        if (!members.has(name)) members.set(name, this.member(type, bitOffset, flagged ? place >>> 24 : 0, size));
        continue;
      }
      const inner = this.resolve(type).id;
      if (((STRUCTS >>> this.kind(inner)) & 1) === 0) continue;
      // An unnamed struct or union: its members are this one's. (A tagged one without a name: -fms-extensions.)
      const nested = this.layout(inner, '').members;
      this.lifted += nested.size;
      if (this.lifted > MOST_LIFTED) throw new BtfError(`BTF struct ${id} has too many members`);
      const base = Math.floor(bitOffset / 8);
      for (const [key, { offset, type: target }] of nested)
        if (!members.has(key)) members.set(key, { offset: base + offset, type: target });
    }
    return members;
  }

  private member(type: number, bitOffset: number, bits: number, structSize: number): MemberLayout {
    if (bits === 0 && bitOffset % 8 === 0) {
      const described = this.describe(type);
      if (described.kind !== 'int') return { offset: bitOffset / 8, type: described };
    }
    // Before kind_flag a bit field was an integer of fewer bits than its size holds (btf.rst, BTF_KIND_INT).
    const base = this.bitfieldBase(type);
    const width = bits || base.bits;
    const start = bitOffset + (bits === 0 ? base.startBit : 0);
    if (width === base.type.size * 8 && start % 8 === 0) return { offset: start / 8, type: base.type };
    return placeBitfield(base.type, start, width, structSize);
  }

  private bitfieldBase(type: number): { type: IntegerType | EnumType; startBit: number; bits: number } {
    const { id, alias } = this.resolve(type);
    const kind = this.kind(id);
    if (kind === Kind.Int) return decodeInteger(this.blob.holder(id), id);
    if ((ENUMS >>> kind) & 1) {
      const described = this.enumeration(id, alias);
      return { type: described, startBit: 0, bits: described.size * 8 };
    }
    throw new BtfError(`a bit field of BTF type ${type}, which is no integer`);
  }
}

function* once(seen: Set<string>, name: string): Generator<string> {
  if (name === '' || seen.has(name)) return;
  seen.add(name);
  yield name;
}
