import { bigintOf, integerOf, objectOf, own, stringOf, type Json, type JsonObject } from '../json.js';
import type { EnumType, IntegerType, MemberLayout, StructLayout, TypeDescriptor, TypeSource } from '../types.js';

/** Types nest a few levels; deeper ones are hostile. */
const MAX_NESTING = 32;
/** Unnamed structs in unnamed unions in unnamed structs … */
const MAX_LIFTING = 16;

/** Members of a struct with those of the unnamed ones in it, at most: each of these may hold another many times over. */
const MOST_MEMBERS = 1 << 16;

const UNKNOWN: TypeDescriptor = { kind: 'named', name: 'unknown', args: {} };

/**
 * The `user_types`, `enums` and `base_types` of a Volatility 3 symbol file (schemas 2 to 6.2). A type becomes a descriptor
 * when it is asked for.
 */
export class IsfTypes implements TypeSource {
  private readonly layouts = new Map<string, StructLayout | undefined>();
  private readonly enumerations = new Map<string, EnumType | undefined>();

  constructor(
    private readonly structs: JsonObject,
    private readonly enums: JsonObject,
    private readonly base: JsonObject,
  ) {}

  struct(name: string): StructLayout | undefined {
    if (!this.layouts.has(name)) this.layouts.set(name, this.layout(name));
    return this.layouts.get(name);
  }

  enum(name: string): EnumType | undefined {
    if (!this.enumerations.has(name)) this.enumerations.set(name, this.enumeration(name));
    return this.enumerations.get(name);
  }

  /** Symbol files have typedefs resolved. */
  typedef(_name: string): undefined {
    return undefined;
  }

  structNames(): Iterable<string> {
    return Object.keys(this.structs);
  }

  enumNames(): Iterable<string> {
    return Object.keys(this.enums);
  }

  /** A type as the schema states it: `{"kind": "pointer", "subtype": {…}}`. */
  describe(stated: Json | undefined, nesting = 0): TypeDescriptor {
    const type = objectOf(stated);
    if (!type || nesting > MAX_NESTING) return UNKNOWN;
    const name = stringOf(own(type, 'name')) ?? '';
    switch (own(type, 'kind')) {
      case 'base':
        return this.native(name);
      case 'struct':
      case 'union':
      case 'class':
        return { kind: 'struct', name };
      case 'enum':
        return this.enum(name) ?? UNKNOWN;
      case 'function':
        return { kind: 'function' };
      case 'pointer': {
        const target = this.describe(own(type, 'subtype'), nesting + 1);
        const other = stringOf(own(type, 'base'));
        const size = other === undefined ? undefined : integerOf(own(objectOf(own(this.base, other)), 'size'));
        return size === 4 || size === 8 ? { kind: 'pointer', target, size } : { kind: 'pointer', target };
      }
      case 'array': {
        const count = integerOf(own(type, 'count')) ?? 0;
        return { kind: 'array', count: Math.max(0, Math.min(count, 0xffffffff)), target: this.describe(own(type, 'subtype'), nesting + 1) };
      }
      case 'bitfield': {
        const base = this.describe(own(type, 'type'), nesting + 1);
        const startBit = integerOf(own(type, 'bit_position')) ?? -1;
        const bits = integerOf(own(type, 'bit_length')) ?? 0;
        if ((base.kind !== 'int' && base.kind !== 'enum') || startBit < 0 || bits < 1 || startBit + bits > base.size * 8) return UNKNOWN;
        return { kind: 'bitfield', base, startBit, bits };
      }
      default:
        return UNKNOWN;
    }
  }

  private native(name: string): TypeDescriptor {
    const stated = objectOf(own(this.base, name));
    const size = integerOf(own(stated, 'size')) ?? 0;
    const kind = own(stated, 'kind');
    if (name === 'void' || kind === 'void') return { kind: 'void' };
    if (kind === 'float' && size > 0 && size <= 16) return { kind: 'float', size, name };
    if (![1, 2, 4, 8, 16].includes(size)) return UNKNOWN;
    const encoding = kind === 'bool' ? 'bool' : kind === 'char' && name === 'char' ? 'char' : undefined;
    return {
      kind: 'int',
      size,
      signed: encoding !== 'bool' && own(stated, 'signed') === true,
      name,
      ...(encoding === undefined ? {} : { encoding }),
    };
  }

  private layout(name: string): StructLayout | undefined {
    const stated = objectOf(own(this.structs, name));
    if (!stated) return undefined;
    const members = new Map<string, MemberLayout>();
    this.members(name, 0, members, new Set(), { left: MOST_MEMBERS });
    return { name, union: own(stated, 'kind') === 'union', size: integerOf(own(stated, 'size')), members };
  }

  /** The members of a struct by offset (files list them by name), those of unnamed structs in their place. */
  private members(name: string, base: number, into: Map<string, MemberLayout>, above: ReadonlySet<string>, budget: { left: number }): void {
    if (above.has(name) || above.size > MAX_LIFTING) return;
    const stated = Object.entries(objectOf(own(objectOf(own(this.structs, name)), 'fields')) ?? {});
    budget.left -= stated.length;
    if (budget.left < 0) return;
    const fields = stated
      .map(([member, value]) => ({ member, field: objectOf(value), offset: integerOf(own(objectOf(value), 'offset')) }))
      .filter((entry): entry is typeof entry & { offset: number } => entry.offset !== undefined)
      .sort((a, b) => a.offset - b.offset);
    for (const { member, field, offset } of fields) {
      const type = this.describe(own(field, 'type'));
      if (own(field, 'anonymous') === true && type.kind === 'struct') {
        this.members(type.name, base + offset, into, new Set([...above, name]), budget);
      } else if (!into.has(member)) into.set(member, { offset: base + offset, type });
    }
  }

  private enumeration(name: string): EnumType | undefined {
    const stated = objectOf(own(this.enums, name));
    if (!stated) return undefined;
    const base = this.native(stringOf(own(stated, 'base')) ?? '');
    const integer: Pick<IntegerType, 'size' | 'signed'> = base.kind === 'int' ? base : { size: integerOf(own(stated, 'size')) ?? 4, signed: true };
    const choices = new Map<string, string>();
    for (const [label, value] of Object.entries(objectOf(own(stated, 'constants')) ?? {})) {
      const exact = bigintOf(value)?.toString();
      if (exact !== undefined && !choices.has(exact)) choices.set(exact, label);
    }
    return { kind: 'enum', name, size: integer.size, signed: integer.signed, choices };
  }
}
