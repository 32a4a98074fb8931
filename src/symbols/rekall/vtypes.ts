import { bigintOf, integerOf, objectOf, own, stringOf, type Json, type JsonObject } from '../json.js';
import { nativeType, sizeOfType, type DataModel } from '../native.js';
import type { Convention, EnumType, FunctionSignature, IntegerType, MemberLayout, StructLayout, TypeDescriptor, TypeSource } from '../types.js';

/** Types nest a few levels (a pointer to an array of pointers); deeper ones are hostile. */
const MAX_NESTING = 32;
/** Members of unnamed unions may hold unnamed structs and so on. */
const MAX_LIFTING = 8;
/** Members that are lifted into one struct, at most: unnamed structs may hold each other many times over. */
const MOST_MEMBERS = 1 << 16;

/** Parameters of a function, at most. */
const MOST_PARAMETERS = 64;
const CONVENTIONS: readonly Convention[] = ['stdcall', 'fastcall', 'thiscall', 'vectorcall'];

/** Rekall's names for what C writes without a name: members `u1`, `u2` … of types `__unnamed_…`. */
const UNNAMED_MEMBER = /^u\d+$/;
const UNNAMED_TYPE = /^__unnamed_/;

const ABSENT: TypeDescriptor = { kind: 'named', name: 'unknown', args: {} };

/**
 * The $STRUCTS and $ENUMS of a Rekall profile: `{name: [size, {member: [offset, [target, arguments]]}]}`, with the old forms
 * `['pointer', [target]]`, `['array', count, [target]]` and `[name]`. A struct is turned into a layout when it is asked for.
 */
export class VtypeSource implements TypeSource {
  private readonly layouts = new Map<string, StructLayout | undefined>();
  private readonly enumerations = new Map<string, ReadonlyMap<string, string> | undefined>();

  constructor(
    private readonly structs: JsonObject,
    private readonly enums: JsonObject,
    private readonly model: DataModel,
    /** $REVENUMS: label → value. It holds the labels that share a value, of which $ENUMS has but one. */
    private readonly reverse: JsonObject = {},
  ) {}

  struct(name: string): StructLayout | undefined {
    if (!this.layouts.has(name)) this.layouts.set(name, this.layout(name));
    return this.layouts.get(name);
  }

  /** Vtypes state an enumeration's width where it is used; alone it is an `int`. */
  enum(name: string): EnumType | undefined {
    const choices = this.choices(name);
    return choices && { kind: 'enum', name, size: 4, signed: true, choices };
  }

  /** Vtypes have no typedefs. */
  typedef(_name: string): undefined {
    return undefined;
  }

  structNames(): Iterable<string> {
    return Object.keys(this.structs);
  }

  enumNames(): Iterable<string> {
    return Object.keys(this.enums);
  }

  /** A type as vtypes state it: `[target]`, `[target, {arguments}]` or an old form. */
  describe(vtype: Json | undefined, nesting = 0): TypeDescriptor {
    if (nesting > MAX_NESTING) return ABSENT;
    if (typeof vtype === 'string') return this.named(vtype, {}, nesting);
    if (!Array.isArray(vtype)) return ABSENT;
    const [target, first, second] = vtype as readonly Json[];
    if (typeof target !== 'string') return ABSENT;
    if (target === 'pointer' || target === 'pointer64' || target === 'pointer32') {
      const size = target === 'pointer64' ? 8 : target === 'pointer32' ? 4 : undefined;
      return pointer(this.describe(first, nesting + 1), size);
    }
    if (target === 'array') return { kind: 'array', count: count(first), target: this.describe(second, nesting + 1) };
    // Spread, not assigned: a key `__proto__` is one like any other.
    const args = (vtype as readonly Json[]).slice(1).reduce<JsonObject>((all, part) => ({ ...all, ...objectOf(part) }), {});
    return this.named(target, args, nesting);
  }

  private layout(name: string): StructLayout | undefined {
    const vtype = own(this.structs, name);
    if (!Array.isArray(vtype)) return undefined;
    const [size, members] = vtype as readonly Json[];
    const found = new Map<string, MemberLayout>();
    const stated = Object.entries(objectOf(members) ?? {})
      .map(([member, value]) => ({ member, value: Array.isArray(value) ? (value as readonly Json[]) : [] }))
      .map(({ member, value }) => ({ member, offset: integerOf(value[0]), type: value[1] }))
      // Profiles list members by name; computed ones have no offset.
      .filter((entry): entry is typeof entry & { offset: number } => entry.offset !== undefined)
      .map(({ member, offset, type }) => ({ member, offset, type: this.describe(type) }))
      .sort((a, b) => a.offset - b.offset || startBit(a.type) - startBit(b.type));
    for (const { member, offset, type } of stated) found.set(member, { offset, type });
    const budget = { left: MOST_MEMBERS };
    for (const [member, { offset, type }] of [...found]) {
      if (UNNAMED_MEMBER.test(member) && type.kind === 'struct') this.lift(type.name, offset, found, new Set([name]), budget);
    }
    // Bits alone at one place are a struct; a union has something that they are bits of.
    const union = found.size > 1 && [...found.values()].every(({ offset }) => offset === 0) && [...found.values()].some(({ type }) => type.kind !== 'bitfield');
    return { name, union, size: integerOf(size), members: found };
  }

  /** Adds the members of an unnamed struct to the struct that holds it, as C sees them. */
  private lift(unnamed: string, base: number, into: Map<string, MemberLayout>, above: ReadonlySet<string>, budget: { left: number }): void {
    if (!UNNAMED_TYPE.test(unnamed) || above.has(unnamed) || above.size > MAX_LIFTING) return;
    const vtype = own(this.structs, unnamed);
    const members = Array.isArray(vtype) ? objectOf((vtype as readonly Json[])[1]) : undefined;
    const entries = Object.entries(members ?? {});
    budget.left -= entries.length;
    for (const [member, value] of budget.left < 0 ? [] : entries) {
      const [at, type] = Array.isArray(value) ? (value as readonly Json[]) : [];
      const offset = integerOf(at);
      if (offset === undefined) continue;
      const described = this.describe(type);
      if (UNNAMED_MEMBER.test(member) && described.kind === 'struct') {
        this.lift(described.name, base + offset, into, new Set([...above, unnamed]), budget);
      } else if (!into.has(member)) into.set(member, { offset: base + offset, type: described });
    }
  }

  private named(name: string, args: JsonObject, nesting: number): TypeDescriptor {
    switch (name) {
      case 'Pointer':
        return pointer(this.target(args, nesting));
      case 'Pointer32':
        return pointer(this.target(args, nesting), 4);
      case 'Pointer64':
        return pointer(this.target(args, nesting), 8);
      case 'PointerArray':
        return { kind: 'array', count: count(args['count']), target: pointer(this.target(args, nesting)) };
      case 'Array':
        return this.array(args, nesting);
      case 'BitField':
        return this.bitfield(args, nesting);
      case 'Enumeration':
        return this.enumeration(args, nesting);
      case 'Function': {
        const stated = objectOf(args['args']);
        return stated ? { kind: 'function', signature: this.signature(stated, nesting) } : { kind: 'function' };
      }
      case 'UnicodeString': {
        // What PDBs call an array of wide characters: its length counts characters, descriptors count bytes.
        const length = integerOf(args['length']);
        return { kind: 'named', name, args: length === undefined ? args : { ...args, length: length * 2 } };
      }
    }
    // A profile's own struct of a class's name (`_LIST_ENTRY`, `timeval`) comes first.
    if (Object.hasOwn(this.structs, name)) return { kind: 'struct', name };
    const native = nativeType(name, this.model);
    if (native) return native;
    if (CLASSES.has(name)) {
      return { kind: 'named', name, args: args['target'] === undefined ? args : { ...args, target: this.target(args, nesting) } };
    }
    if (Object.hasOwn(this.enums, name)) return this.enum(name) ?? ABSENT;
    return { kind: 'struct', name };
  }

  /** What `target` and `target_args` name; void where nothing is named. */
  private target(args: JsonObject, nesting: number): TypeDescriptor {
    const target = args['target'];
    if (target === undefined || target === null) return { kind: 'void' };
    return this.describe(typeof target === 'string' ? [target, args['target_args'] ?? {}] : target, nesting + 1);
  }

  private signature(stated: JsonObject, nesting: number): FunctionSignature {
    const parameters = Array.isArray(stated['parameters']) ? (stated['parameters'] as readonly Json[]) : [];
    const convention = CONVENTIONS.find((known) => known === stated['convention']);
    return {
      returns: this.describe(stated['returns'], nesting + 1),
      parameters: parameters.slice(0, MOST_PARAMETERS).map((type) => this.describe(type, nesting + 1)),
      variadic: stated['variadic'] === true,
      ...(convention === undefined ? {} : { convention }),
    };
  }

  private array(args: JsonObject, nesting: number): TypeDescriptor {
    const target = this.target(args, nesting);
    const bytes = integerOf(args['size']);
    if (args['count'] !== undefined || bytes === undefined) return { kind: 'array', count: count(args['count']), target };
    const one = sizeOfType(target, this.model.pointer, (name) => this.statedSize(name));
    return { kind: 'array', count: one > 0 ? count(Math.floor(bytes / one)) : 0, target };
  }

  private statedSize(name: string): number | undefined {
    const vtype = own(this.structs, name);
    return Array.isArray(vtype) ? integerOf((vtype as readonly Json[])[0]) : undefined;
  }

  /** Bits of an integer, by default of an `unsigned long`; old profiles say `native_type`. */
  private bitfield(args: JsonObject, nesting: number): TypeDescriptor {
    const stated = args['target'] ?? args['native_type'];
    const base = stated === undefined ? nativeType('unsigned long', this.model) : this.target({ ...args, target: stated }, nesting);
    const start = args['start_bit'] === undefined ? 0 : integerOf(args['start_bit']);
    const end = args['end_bit'] === undefined ? 32 : integerOf(args['end_bit']);
    if ((base?.kind !== 'int' && base?.kind !== 'enum') || start === undefined || end === undefined) return unreadable('BitField', args);
    if (start < 0 || end <= start || end > base.size * 8) return unreadable('BitField', args);
    return { kind: 'bitfield', base, startBit: start, bits: end - start };
  }

  /** Labels for an integer, or for a bit field. */
  private enumeration(args: JsonObject, nesting: number): TypeDescriptor {
    const name = stringOf(args['enum_name']);
    const named = name === undefined ? undefined : this.choices(name);
    const choices = named ?? choicesOf(objectOf(args['choices']), undefined);
    const over = args['target'] === undefined ? INT : this.target(args, nesting);
    const label = (base: IntegerType | EnumType): EnumType => ({
      kind: 'enum',
      size: base.size,
      signed: base.signed,
      choices: choices ?? new Map<string, string>(),
      ...(name === undefined ? {} : { name }),
    });
    if (over.kind === 'bitfield') return { ...over, base: label(over.base) };
    return over.kind === 'int' || over.kind === 'enum' ? label(over) : unreadable('Enumeration', args);
  }

  private choices(name: string): ReadonlyMap<string, string> | undefined {
    if (!this.enumerations.has(name)) {
      this.enumerations.set(name, choicesOf(objectOf(own(this.enums, name)), objectOf(own(this.reverse, name))));
    }
    return this.enumerations.get(name);
  }
}

const INT: IntegerType = { kind: 'int', size: 4, signed: true, name: 'int' };

/** Classes of the vtype language that a member may name, other than pointers, arrays, bit fields and enumerations. */
const CLASSES: ReadonlySet<string> = new Set([
  'String',
  'Signature',
  'Flags',
  'ValueEnumeration',
  'IndexedArray',
  'ListArray',
  'LinkedListArray',
  'SentinelArray',
  'SentinelListArray',
  'ThunkArray',
  'RVAPointer',
  'ResourcePointer',
  'UnixTimeStamp',
  'WinFileTime',
  'ThreadCreateTimeStamp',
  'DosDate',
  'timeval',
  'Ipv4Address',
  'Ipv6Address',
  'MacAddress',
  'unsigned be short',
  'unsigned be int',
]);

/** Members at one place: the whole first, then its bits from the lowest. */
function startBit(type: TypeDescriptor): number {
  return type.kind === 'bitfield' ? type.startBit : -1;
}

function pointer(target: TypeDescriptor, size?: number): TypeDescriptor {
  return size === undefined ? { kind: 'pointer', target } : { kind: 'pointer', target, size };
}

function unreadable(name: string, args: JsonObject): TypeDescriptor {
  return { kind: 'named', name, args };
}

/** A stated count of elements; what is none (or negative) is a flexible array. */
function count(value: Json | undefined): number {
  const stated = integerOf(value);
  return stated === undefined || stated < 0 || stated > 0xffffffff ? 0 : stated;
}

/** {value: label}, with the values that only the reverse table {label: value} has. */
function choicesOf(stated: JsonObject | undefined, reverse: JsonObject | undefined): ReadonlyMap<string, string> | undefined {
  if (!stated) return undefined;
  const choices = new Map<string, string>();
  for (const [value, label] of Object.entries(stated)) {
    if (typeof label === 'string' && /^-?\d+$/.test(value)) choices.set(value, label);
  }
  for (const [label, value] of Object.entries(reverse ?? {})) {
    const exact = bigintOf(value)?.toString();
    if (exact !== undefined && !choices.has(exact)) choices.set(exact, label);
  }
  return choices;
}
