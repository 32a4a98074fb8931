import type { EnumType, FunctionSignature, IntegerType, MemberLayout, SourceLine, StructLayout, TypeDescriptor, TypeSource } from '../types.js';
import { isData } from './leaves.js';
import { primitive } from './primitives.js';
import { FIRST_RECORD } from './records.js';
import type { ClassRecord, EnumRecord, TypeRecord, TypeStream } from './tpi.js';

/** Types that lead to types (modifier, pointer, array) are followed so far: more is a circle. */
const DEEPEST = 64;
/** Members of a struct with those of its base classes, and constants of an enumeration, at most: the largest of Windows have some thousand. */
const MOST_MEMBERS = 1 << 14;
const MOST_LABELS = 1 << 16;
/** Parameters of a function at most: C++ asks compilers for 256, and people write ten. */
const MOST_PARAMETERS = 64;
/** What compilers call a type without a name. */
const UNNAMED = /^(?:__unnamed|<unnamed-tag>|<anonymous-tag>|<unnamed-type-.*>|<unnamed-enum-.*>)$|::(?:__unnamed|<unnamed-tag>|<unnamed-type-.*>)$/;

/**
 * Types of a PDB as descriptors. Structs without a name are called `__unnamed_N`, N being one less than the index of their record, as in
 * Rekall's profiles. Of several definitions of a name the first stands; an announcement leads to the definition of its name.
 */
export class PdbTypes implements TypeSource {
  private readonly classes = new Map<string, number>();
  private readonly enums = new Map<string, number>();
  /** names that are only announced, with their announcement */
  private readonly announced = new Map<string, number>();
  /** typedefs */
  private readonly names = new Map<string, number>();
  private readonly layouts = new Map<string, StructLayout | undefined>();
  /** constants of enumerations, by the field list that has them: many members are of one */
  private readonly labels = new Map<number, ReadonlyMap<string, string>>();
  private declared: ReadonlyMap<string, SourceLine> | undefined;
  private readonly signatures = new Map<number, TypeDescriptor>();
  private readonly parameters = new Map<number, Pick<FunctionSignature, 'parameters' | 'variadic'>>();

  constructor(
    private readonly stream: TypeStream,
    readonly pointerSize: 4 | 8,
    /** where types are declared, by their index; read when a declaration is first asked for */
    private readonly declarations: () => Iterable<{ readonly type: number } & SourceLine> = () => [],
  ) {
    for (let index = stream.first; index < stream.end; index++) {
      const record = stream.record(index);
      if (record?.kind === 'class') {
        const known = record.forward ? this.announced : this.classes;
        const name = structName(record, index);
        if (!known.has(name)) known.set(name, index);
      } else if (record?.kind === 'enum' && !record.forward) {
        const name = enumName(record, index);
        if (!this.enums.has(name)) this.enums.set(name, index);
      } else if (record?.kind === 'other' && isData(record.leaf)) stream.passOver(record.leaf);
    }
  }

  structNames(): Iterable<string> {
    return this.classes.keys();
  }

  enumNames(): Iterable<string> {
    return this.enums.keys();
  }

  typedef(name: string): TypeDescriptor | undefined {
    const index = this.names.get(name);
    return index === undefined ? undefined : this.describe(index);
  }

  declaration(name: string): SourceLine | undefined {
    return (this.declared ??= this.allDeclarations()).get(name);
  }

  /** By name: a declaration may be noted of an announcement. The first of a name stands. */
  private allDeclarations(): ReadonlyMap<string, SourceLine> {
    const found = new Map<string, SourceLine>();
    for (const { type, file, line } of this.declarations()) {
      const record = this.stream.record(type);
      const name = record?.kind === 'class' ? structName(record, type) : record?.kind === 'enum' ? enumName(record, type) : undefined;
      if (name !== undefined && file !== '' && !found.has(name)) found.set(name, { file, line });
    }
    return found;
  }

  /** Notes a `typedef`: they stand among the symbols. The first of a name stands. */
  addName(name: string, index: number): void {
    if (!this.names.has(name)) this.names.set(name, index);
  }

  struct(name: string): StructLayout | undefined {
    if (!this.layouts.has(name)) this.layouts.set(name, this.layout(name));
    return this.layouts.get(name);
  }

  enum(name: string): EnumType | undefined {
    const index = this.enums.get(name);
    const record = index === undefined ? undefined : this.stream.record(index);
    return record?.kind === 'enum' ? this.enumeration(record, name) : undefined;
  }

  /** The type of an index. What cannot be described is void: its bytes are there, but mean nothing to us. */
  describe(index: number, depth = 0): TypeDescriptor {
    if (depth > DEEPEST) return VOID;
    if (index < FIRST_RECORD) return primitive(index, this.pointerSize) ?? VOID;
    const record = this.stream.record(index);
    if (!record) return VOID;
    switch (record.kind) {
      case 'class':
        return { kind: 'struct', name: structName(record, index) };
      case 'enum': {
        const name = enumName(record, index);
        return record.forward ? (this.enum(name) ?? this.enumeration(record, name)) : this.enumeration(record, name);
      }
      case 'modifier':
      case 'alias':
        return this.describe(record.target, depth + 1);
      case 'pointer': {
        const target = this.describe(record.target, depth + 1);
        const size = record.size === 0 || record.size === this.pointerSize ? undefined : record.size;
        return { kind: 'pointer', target, ...(size === undefined ? {} : { size }) };
      }
      case 'array':
        return this.array(record, depth);
      case 'bitfield':
        return this.bitfield(record, depth);
      case 'function':
        return { kind: 'function' };
      case 'other':
        return VOID;
    }
  }

  /** The type of a global: of a function with what it takes and gives, of data as {@link describe} has it. */
  global(index: number): TypeDescriptor {
    const record = index < FIRST_RECORD ? undefined : this.stream.record(index);
    if (record?.kind !== 'function') return this.describe(index);
    let known = this.signatures.get(index);
    if (!known) this.signatures.set(index, (known = { kind: 'function', signature: this.signature(record) }));
    return known;
  }

  private signature({ returns, argumentList, self, convention }: Extract<TypeRecord, { kind: 'function' }>): FunctionSignature {
    let list = this.parameters.get(argumentList);
    if (!list) this.parameters.set(argumentList, (list = this.parameterList(argumentList)));
    const object = self === 0 ? [] : [this.describe(self)];
    return { returns: this.describe(returns), parameters: [...object, ...list.parameters], variadic: list.variadic, ...(convention === undefined ? {} : { convention }) };
  }

  private parameterList(list: number): Pick<FunctionSignature, 'parameters' | 'variadic'> {
    const types = this.stream.parameters(list, MOST_PARAMETERS);
    // T_NOTYPE at the end is C's `...`.
    const variadic = types.at(-1) === 0;
    return { variadic, parameters: (variadic ? types.slice(0, -1) : types).map((type) => this.describe(type)) };
  }

  /** Bytes of a type; 0 where it has none or they are not known. */
  sizeOf(index: number, depth = 0): number {
    if (depth > DEEPEST) return 0;
    if (index < FIRST_RECORD) {
      const type = primitive(index, this.pointerSize);
      if (type?.kind === 'pointer') return type.size ?? this.pointerSize;
      return type?.kind === 'int' || type?.kind === 'float' ? type.size : 0;
    }
    const record = this.stream.record(index);
    switch (record?.kind) {
      case 'class': {
        if (!record.forward) return record.size;
        const defined = this.classes.get(structName(record, index));
        return defined === undefined ? 0 : this.sizeOf(defined, depth + 1);
      }
      case 'enum':
        return this.sizeOf(record.base, depth + 1);
      case 'bitfield':
        return this.sizeOf(record.base, depth + 1);
      case 'modifier':
      case 'alias':
        return this.sizeOf(record.target, depth + 1);
      case 'pointer':
        return record.size === 0 ? this.pointerSize : record.size;
      case 'array':
        return record.size;
      default:
        return 0;
    }
  }

  private layout(name: string): StructLayout | undefined {
    const index = this.classes.get(name);
    const record = index === undefined ? undefined : this.stream.record(index);
    if (record?.kind !== 'class') return undefined;
    const members = new Map<string, MemberLayout>();
    this.addMembers(record.fields, 0, members, new Set([name]), { left: MOST_MEMBERS });
    return { name, union: record.union, size: record.size, members };
  }

  /** Members of a field list; those of base classes as if they were the class's own. */
  private addMembers(fields: number, base: number, into: Map<string, MemberLayout>, above: ReadonlySet<string>, budget: { left: number }): void {
    for (const { name, type, offset } of this.stream.members(fields, budget.left)) {
      if (--budget.left < 0) return;
      if (name !== undefined) {
        if (!into.has(name)) into.set(name, { offset: base + offset, type: this.describe(type) });
        continue;
      }
      const parent = this.describe(type);
      const index = parent.kind === 'struct' ? this.classes.get(parent.name) : undefined;
      const record = index === undefined ? undefined : this.stream.record(index);
      if (parent.kind !== 'struct' || record?.kind !== 'class' || above.has(parent.name)) continue;
      this.addMembers(record.fields, base + offset, into, new Set([...above, parent.name]), budget);
    }
  }

  private array(record: Extract<TypeRecord, { kind: 'array' }>, depth: number): TypeDescriptor {
    const target = this.describe(record.element, depth + 1);
    // Elements of 16 bits that are characters are text (microsoft-pdb calls the type wchar_t).
    if (target.kind === 'int' && target.name === 'wchar') return { kind: 'named', name: 'UnicodeString', args: { length: record.size } };
    const stride = this.sizeOf(record.element, depth + 1);
    return { kind: 'array', count: stride === 0 ? 0 : Math.floor(record.size / stride), target };
  }

  private bitfield({ base, bits, start }: Extract<TypeRecord, { kind: 'bitfield' }>, depth: number): TypeDescriptor {
    const over = this.describe(base, depth + 1);
    if (over.kind !== 'int' && over.kind !== 'enum') return VOID;
    if (bits === 0 || start + bits > over.size * 8) return VOID;
    return { kind: 'bitfield', base: over, startBit: start, bits };
  }

  private enumeration(record: EnumRecord, name: string): EnumType {
    const base = this.integerOf(record.base);
    const integer: Pick<IntegerType, 'size' | 'signed'> = base ?? { size: 4, signed: true };
    return { kind: 'enum', name, size: integer.size, signed: integer.signed, choices: this.choices(record.fields) };
  }

  /** The integer that an enumeration is made of; modifiers in front of it are passed, an enumeration of itself is none. */
  private integerOf(index: number): IntegerType | undefined {
    for (let depth = 0; depth < 4; depth++) {
      if (index < FIRST_RECORD) {
        const type = primitive(index, this.pointerSize);
        return type?.kind === 'int' ? type : undefined;
      }
      const record = this.stream.record(index);
      if (record?.kind !== 'modifier' && record?.kind !== 'alias') return undefined;
      index = record.target;
    }
    return undefined;
  }

  private choices(fields: number): ReadonlyMap<string, string> {
    let known = this.labels.get(fields);
    if (!known) this.labels.set(fields, (known = this.stream.enumerators(fields, MOST_LABELS)));
    return known;
  }
}

const VOID: TypeDescriptor = { kind: 'void' };

function structName(record: ClassRecord, index: number): string {
  return record.name === '' || UNNAMED.test(record.name) ? `__unnamed_${index - 1}` : record.name;
}

function enumName(record: EnumRecord, index: number): string {
  return record.name === '' || UNNAMED.test(record.name) ? `__unnamed_${index - 1}` : record.name;
}
