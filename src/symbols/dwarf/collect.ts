import { Tag } from './constants.js';
import { Die, NameIn } from './die.js';
import { describeEnum, describeInteger, placeMember } from './describe.js';
import { damaged } from './error.js';
import type { EntryUnit, EntryUnits } from './entries.js';
import type { DwarfTypes } from './types.js';
import type { EnumType, MemberLayout, StructLayout, TypeDescriptor } from '../types.js';

/** Typedefs, modifiers and pointers one behind the other before a chain counts as endless. */
const DEEPEST = 64;
/** Members of one struct with all that is lifted into it; the kernel's largest has about 400. */
const MOST_MEMBERS = 1 << 20;
/** Kinds of names that are seen, as bits. */
const Seen = { Enum: 1, Typedef: 2, Variable: 4 } as const;

const UNKNOWN: TypeDescriptor = { kind: 'named', name: 'unknown', args: {} };

interface Entry {
  readonly unit: EntryUnit;
  readonly die: Die;
  /** offset over all units */
  readonly offset: number;
  /** the name of the innermost typedef on the way to it */
  readonly alias: string;
}

/**
 * Collects the types and global variables of units. A definition whose name is known is passed over without a look inside:
 * each of a kernel's 3000 units repeats the same headers.
 */
export class Collector {
  /** by name: bytes of the struct that has it */
  private readonly sizes = new Map<string, number>();
  private readonly seen = new Map<string, number>();
  /** names by their place in .debug_str, so that one is decoded once */
  private readonly names = new Map<number, string>();
  private readonly scan = new Die();

  // What is known of the entries of the unit at hand, by offset.
  private readonly descriptors = new Map<number, TypeDescriptor>();
  private readonly layouts = new Map<number, StructLayout>();
  private readonly busy = new Set<number>();
  private pending: { name: string; offset: number }[] = [];
  private depth = 0;

  constructor(
    private readonly units: EntryUnits,
    private readonly types: DwarfTypes,
  ) {}

  /** @throws ProfileError where the unit makes no sense */
  collect(unit: EntryUnit): void {
    const found = this.newDefinitions(unit);
    for (const { kind, name, offset } of found) {
      if (kind === Tag.Structure) this.define(name, offset);
      else if (kind === Tag.Enumeration) this.types.enums.set(name, this.enumeration(offset, name));
      else if (kind === Tag.Typedef) this.defineTypedef(name, offset);
      else this.defineVariable(name, offset);
      // Structs that only a reference showed (nested in another one).
      for (let next = this.pending.pop(); next; next = this.pending.pop()) this.define(next.name, next.offset);
    }
    this.descriptors.clear();
    this.layouts.clear();
  }

  /** The outermost entries of a unit, and those of its namespaces, that define a name not seen before. */
  private newDefinitions(unit: EntryUnit): { kind: number; name: string; offset: number }[] {
    const found: { kind: number; name: string; offset: number }[] = [];
    const { scan: die } = this;
    const { start, headerLength } = unit.header;
    unit.decode(headerLength, die);
    if (!die.children) return found;
    let at = die.next;
    let depth = 1;
    while (depth > 0 && at < unit.end) {
      const position = at;
      unit.decode(at, die);
      const { tag } = die;
      if (tag === 0) {
        depth--;
        at = die.next;
        continue;
      }
      if (tag === Tag.Namespace && die.children) {
        depth++;
        at = die.next;
        continue;
      }
      if (tag === Tag.Structure || tag === Tag.Union || tag === Tag.Class) {
        const name = die.declaration ? '' : this.nameOf(unit, die);
        if (name !== '' && this.claim(name, die.byteSize) === 'new') found.push({ kind: Tag.Structure, name: this.keyOf(name, die.byteSize), offset: start + position });
      } else if (tag === Tag.Enumeration || tag === Tag.Typedef) {
        const name = die.declaration ? '' : this.nameOf(unit, die);
        const bit = tag === Tag.Enumeration ? Seen.Enum : Seen.Typedef;
        if (name !== '' && this.firstOf(name, bit)) found.push({ kind: tag, name, offset: start + position });
      } else if (tag === Tag.Variable && !die.declaration && (die.locationAt >= 0 || die.specification >= 0)) {
        const name = this.nameOf(unit, die) || this.specifiedName(die.specification);
        if (name !== '' && this.firstOf(name, Seen.Variable)) found.push({ kind: tag, name, offset: start + position });
      }
      at = unit.behind(die);
    }
    return found;
  }

  /** Whether a struct of this name and size is to be defined. */
  private claim(name: string, size: number): 'new' | 'known' {
    const known = this.sizes.get(name);
    if (known === undefined) {
      this.sizes.set(name, size);
      return 'new';
    }
    if (known === size) return 'known';
    const variant = `${name}#${size}`;
    if (this.sizes.has(variant)) return 'known';
    this.sizes.set(variant, size);
    return 'new';
  }

  /** The name under which a struct of this name and size is kept. */
  private keyOf(name: string, size: number): string {
    return this.sizes.get(name) === size ? name : `${name}#${size}`;
  }

  private firstOf(name: string, bit: number): boolean {
    const bits = this.seen.get(name) ?? 0;
    if (bits & bit) return false;
    this.seen.set(name, bits | bit);
    return true;
  }

  private nameOf(unit: EntryUnit, die: Die): string {
    if (die.nameIn !== NameIn.Str) return unit.name(die);
    let name = this.names.get(die.nameAt);
    if (name === undefined) {
      name = unit.name(die);
      this.names.set(die.nameAt, name);
    }
    return name;
  }

  private specifiedName(offset: number): string {
    if (offset < 0) return '';
    const { unit, die } = this.entry(offset);
    return this.nameOf(unit, die);
  }

  private define(key: string, offset: number): void {
    const { members, size, union } = this.layout(offset);
    this.types.structs.set(key, { name: key.replace(/#\d+$/, ''), union, size, members });
  }

  private defineTypedef(name: string, offset: number): void {
    const { die } = this.entry(offset);
    const target = this.resolve(die.type, name);
    const untagged = target && isStruct(target.die) && !target.die.declaration && this.nameOf(target.unit, target.die) === '';
    if (untagged) {
      const layout = this.layout(target.offset);
      if (!this.types.aliases.has(target.alias)) this.types.aliases.set(target.alias, { ...layout, name: target.alias });
      this.types.typedefs.set(name, { kind: 'inline', layout });
    } else this.types.typedefs.set(name, this.describe(die.type, name));
  }

  private defineVariable(name: string, offset: number): void {
    const { unit, die } = this.entry(offset);
    const type = die.type >= 0 || die.specification < 0 ? die.type : this.entry(die.specification).die.type;
    this.types.variables.set(name, { type: this.describe(type), address: unit.address(die) });
  }

  private entry(offset: number): Entry {
    const unit = this.units.at(offset);
    const die = new Die();
    unit.decode(offset - unit.header.start, die);
    return { unit, die, offset, alias: '' };
  }

  /** The entry behind typedefs and modifiers; undefined for void. */
  private resolve(start: number, outer = ''): Entry | undefined {
    let offset = start;
    let alias = outer;
    for (let steps = 0; steps < DEEPEST; steps++) {
      if (offset < 0) return undefined;
      const { unit, die } = this.entry(offset);
      switch (die.tag) {
        case Tag.Typedef:
          alias = this.nameOf(unit, die);
          break;
        case Tag.Const:
        case Tag.Volatile:
        case Tag.Restrict:
        case Tag.Atomic:
        case Tag.Packed:
        case Tag.Immutable:
          break;
        case Tag.Structure:
        case Tag.Union:
        case Tag.Class:
        case Tag.Enumeration:
          // What stands in a type unit is referred to by signature.
          if (die.declaration && die.type >= 0) break;
          return { unit, die, offset, alias };
        default:
          return { unit, die, offset, alias };
      }
      offset = die.type;
    }
    throw damaged('a chain of typedefs without end');
  }

  private describe(offset: number, alias = ''): TypeDescriptor {
    if (offset < 0) return { kind: 'void' };
    const known = this.descriptors.get(offset);
    if (known) return known;
    if (this.depth === DEEPEST) return UNKNOWN;
    this.depth++;
    try {
      const type = this.describeEntry(this.resolve(offset, alias));
      this.descriptors.set(offset, type);
      return type;
    } finally {
      this.depth--;
    }
  }

  private describeEntry(entry: Entry | undefined): TypeDescriptor {
    if (!entry) return { kind: 'void' };
    const { unit, die, offset, alias } = entry;
    switch (die.tag) {
      case Tag.BaseType:
        return describeInteger(this.nameOf(unit, die), die) ?? UNKNOWN;
      case Tag.Pointer:
      case Tag.Reference:
      case Tag.RvalueReference: {
        const target = this.describe(die.type);
        const odd = (die.byteSize === 4 || die.byteSize === 8) && die.byteSize !== unit.header.addressSize;
        return odd ? { kind: 'pointer', target, size: die.byteSize } : { kind: 'pointer', target };
      }
      case Tag.Structure:
      case Tag.Union:
      case Tag.Class:
        return this.describeStruct(entry);
      case Tag.Enumeration:
        return this.enumeration(offset, this.nameOf(unit, die) || alias);
      case Tag.Array:
        return this.array(entry);
      case Tag.Subroutine:
        return { kind: 'function' };
      case Tag.Unspecified:
        return { kind: 'void' };
      case Tag.PointerToMember:
        return { kind: 'int', size: unit.header.addressSize, signed: false };
      case Tag.Subrange:
        return this.describe(die.type);
      default:
        return UNKNOWN;
    }
  }

  private describeStruct({ unit, die, offset, alias }: Entry): TypeDescriptor {
    const tag = this.nameOf(unit, die);
    if (tag === '') {
      if (alias === '') return { kind: 'inline', layout: this.layout(offset) };
      if (!this.types.aliases.has(alias) && !this.busy.has(offset)) this.types.aliases.set(alias, { ...this.layout(offset), name: alias });
      return { kind: 'struct', name: alias };
    }
    if (die.declaration) return { kind: 'struct', name: tag };
    if (this.claim(tag, die.byteSize) === 'new') this.pending.push({ name: this.keyOf(tag, die.byteSize), offset });
    return { kind: 'struct', name: this.keyOf(tag, die.byteSize) };
  }

  /** One array type has all its dimensions, the outermost first. */
  private array({ unit, die }: Entry): TypeDescriptor {
    const counts: number[] = [];
    for (const child of this.children(unit, die)) {
      if (child.tag !== Tag.Subrange && child.tag !== Tag.Enumeration) continue;
      const stated = child.count >= 0 ? child.count : child.upperBound + 1;
      // A bound of 2^32 - 1 or 2^64 - 1 is how older compilers wrote `[]`.
      counts.push(stated > 0 && stated <= 0xffffffff ? stated : 0);
    }
    let type = this.describe(die.type);
    for (const count of counts.slice(0, DEEPEST).reverse()) type = { kind: 'array', count, target: type };
    return counts.length > 0 ? type : { kind: 'array', count: 0, target: type };
  }

  private enumeration(offset: number, name: string): EnumType {
    const { unit, die } = this.entry(offset);
    const labels: [string, bigint][] = [];
    for (const child of this.children(unit, die)) {
      const value = child.tag === Tag.Enumerator ? unit.constant(child) : undefined;
      if (value !== undefined) labels.push([this.nameOf(unit, child), value]);
    }
    const base = die.type >= 0 ? this.describe(die.type) : undefined;
    return describeEnum(name, die.byteSize, base?.kind === 'int' ? base : undefined, labels);
  }

  private layout(offset: number): StructLayout {
    const known = this.layouts.get(offset);
    if (known) return known;
    if (this.busy.has(offset)) throw damaged('a struct that contains itself');
    this.busy.add(offset);
    try {
      const { unit, die } = this.entry(offset);
      const union = die.tag === Tag.Union;
      const size = die.byteSize < 0 ? undefined : die.byteSize;
      const layout: StructLayout = { union, size, members: this.members(unit, die) };
      this.layouts.set(offset, layout);
      return layout;
    } finally {
      this.busy.delete(offset);
    }
  }

  private members(unit: EntryUnit, struct: Die): Map<string, MemberLayout> {
    const members = new Map<string, MemberLayout>();
    let lifted = 0;
    for (const die of this.children(unit, struct)) {
      if (die.tag !== Tag.Member && die.tag !== Tag.Inheritance) continue;
      // A class's static member has no place in it.
      if ((die.external || die.declaration) && die.memberLocation < 0) continue;
      const name = die.tag === Tag.Member ? this.nameOf(unit, die) : '';
      if (name !== '') {
        if (!members.has(name)) members.set(name, placeMember(die, this.describe(die.type), struct.byteSize));
        continue;
      }
      const inner = this.resolve(die.type);
      if (!inner || !isStruct(inner.die) || inner.die.declaration) continue;
      // An unnamed struct or union, or the class that this one is derived from: its members are this one's.
      const nested = this.layout(inner.offset).members;
      lifted += nested.size;
      if (lifted > MOST_MEMBERS) throw damaged('a struct with more than a million members');
      const base = Math.max(die.memberLocation, 0);
      for (const [key, { offset, type }] of nested) if (!members.has(key)) members.set(key, { offset: base + offset, type });
    }
    return members;
  }

  /** The entries right below one. The same object is given again and again. */
  private *children(unit: EntryUnit, die: Die): Generator<Die> {
    if (!die.children) return;
    const child = new Die();
    for (let at = die.next; at < unit.end;) {
      unit.decode(at, child);
      if (child.tag === 0) return;
      const next = unit.behind(child);
      yield child;
      at = next;
    }
    throw damaged('a list of entries without end');
  }
}

function isStruct(die: Die): boolean {
  return die.tag === Tag.Structure || die.tag === Tag.Union || die.tag === Tag.Class;
}
