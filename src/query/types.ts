import { ArrayView } from '../object/array.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Column, ColumnType } from '../plugin/columns.js';
import type { MemberType } from './catalog.js';

/** Kinds of values that have nothing inside: what columns are, and `null` (only null). `any`: known only when the value is there. */
export type ScalarKind =
  | 'any'
  | 'null'
  | 'bool'
  | 'int'
  | 'float'
  | 'address'
  | 'physical'
  | 'size'
  | 'time'
  | 'duration'
  | 'string'
  | 'bytes';

/**
 * What is known of a value before a query runs.
 *
 * At run time: `int`, `size`, `address`, `physical`, `duration` are `number` or `bigint` (a duration nanoseconds), `time` is
 * Timestamp, `struct` Struct, `bytes` Uint8Array, `list` and `tuple` arrays (a list also ArrayView), `row` a plain object; any of
 * them may be null or Absent.
 */
export type Type =
  | { readonly kind: ScalarKind }
  /** a view of a C struct; without a name: some struct */
  | { readonly kind: 'struct'; readonly struct?: string }
  /** a repeated value: operators work on its elements */
  | { readonly kind: 'list'; readonly of: Type }
  /** `[a, b]`: one value, compared as a whole */
  | { readonly kind: 'tuple'; readonly items: readonly Type[] }
  /** a row, or what bind() and dict() make; without members: not known which */
  | { readonly kind: 'row'; readonly members?: ReadonlyMap<string, Type> };

export type TypeKind = Type['kind'];

/** The types that have no parameters. */
export const types = {
  any: { kind: 'any' },
  null: { kind: 'null' },
  bool: { kind: 'bool' },
  int: { kind: 'int' },
  float: { kind: 'float' },
  address: { kind: 'address' },
  physical: { kind: 'physical' },
  size: { kind: 'size' },
  time: { kind: 'time' },
  duration: { kind: 'duration' },
  string: { kind: 'string' },
  bytes: { kind: 'bytes' },
} as const satisfies Record<ScalarKind, Type>;

export function listOf(of: Type): Type {
  return { kind: 'list', of };
}

export function structType(struct?: string): Type {
  return struct === undefined ? { kind: 'struct' } : { kind: 'struct', struct };
}

export function tupleOf(items: readonly Type[]): Type {
  return { kind: 'tuple', items };
}

export function rowType(members?: ReadonlyMap<string, Type>): Type {
  return members === undefined ? { kind: 'row' } : { kind: 'row', members };
}

/** The type of a column's cells. */
export function columnType(column: Column): Type {
  if (column.type === 'struct') return structType(column.struct);
  if (column.type === 'list') return listOf(types.any);
  return types[column.type];
}

/** The type of a struct's member. */
export function memberTypeOf(member: MemberType): Type {
  if (member.type === 'struct') return structType(member.struct);
  if (member.type === 'list') return listOf(member.struct === undefined ? types.any : structType(member.struct));
  return types[member.type];
}

/** The type of a value that is at hand: of a literal, of a parameter that was bound. */
export function typeOfValue(value: unknown): Type {
  switch (typeof value) {
    case 'string':
      return types.string;
    case 'boolean':
      return types.bool;
    case 'bigint':
      return types.int;
    case 'number':
      return Number.isInteger(value) ? types.int : types.float;
    default:
      break;
  }
  if (value === null || value === undefined) return types.null;
  if (value instanceof Uint8Array) return types.bytes;
  if (Array.isArray(value))
    return listOf(value.length > 32 ? types.any : (value as unknown[]).map(typeOfValue).reduce(unify, types.null));
  if (value instanceof Timestamp) return types.time;
  if (value instanceof Struct) return structType(value.$type);
  if (value instanceof ArrayView) return listOf(types.any);
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null ? rowType() : types.any;
}

/** A column of this type: renderers then show an address as hex, a time as time. */
export function toColumn(type: Type, doc: string, options: Omit<Column, 'type' | 'doc' | 'struct'> = {}): Column {
  if (type.kind === 'struct')
    return { type: 'struct', doc, ...options, ...(type.struct === undefined ? {} : { struct: type.struct }) };
  return { type: columnKind(type), doc, ...options };
}

function columnKind(type: Type): ColumnType {
  if (type.kind === 'list' || type.kind === 'tuple') return 'list';
  return type.kind === 'row' || type.kind === 'null' ? 'any' : type.kind;
}

/** The type in words, as errors and `describe` say it: `struct task_struct`, `list of int`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case 'struct':
      return type.struct === undefined ? 'struct' : `struct ${type.struct}`;
    case 'list':
      return type.of.kind === 'any' || type.of.kind === 'null' ? 'list' : `list of ${typeName(type.of)}`;
    case 'tuple':
      return `tuple of ${type.items.length}`;
    case 'row':
      return type.members === undefined
        ? 'row'
        : `row of ${[...type.members.keys()].slice(0, 4).join(', ')}${type.members.size > 4 ? ', …' : ''}`;
    default:
      return type.kind;
  }
}

const WHOLE: ReadonlySet<TypeKind> = new Set(['int', 'address', 'physical', 'size', 'duration']);

/** Whole numbers, whatever they count. */
export function isWhole(type: Type): boolean {
  return WHOLE.has(type.kind);
}

export function isNumeric(type: Type): boolean {
  return WHOLE.has(type.kind) || type.kind === 'float' || type.kind === 'bool';
}

export function sameType(a: Type, b: Type): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'struct') return a.struct === (b as typeof a).struct;
  if (a.kind === 'list') return sameType(a.of, (b as typeof a).of);
  if (a.kind === 'tuple') {
    const other = (b as typeof a).items;
    return a.items.length === other.length && a.items.every((item, index) => sameType(item, other[index] ?? types.any));
  }
  if (a.kind !== 'row') return true;
  const { members } = b as typeof a;
  if (a.members === undefined || members === undefined) return a.members === members;
  return (
    a.members.size === members.size &&
    [...a.members].every(([name, type]) => sameType(type, members.get(name) ?? types.null))
  );
}

/**
 * The one type that holds values of both: of the branches of a `case`, the elements of a list, the columns of a union. `any` where
 * they have nothing in common (that is no error: a cell of type `any` holds anything).
 */
export function unify(a: Type, b: Type): Type {
  if (a === b || sameType(a, b)) return a;
  if (a.kind === 'null') return b;
  if (b.kind === 'null') return a;
  if (a.kind === 'any' || b.kind === 'any') return types.any;
  if (isNumeric(a) && isNumeric(b)) return unifyNumbers(a, b);
  if (a.kind === 'struct' && b.kind === 'struct') return structType();
  if (a.kind === 'list' && b.kind === 'list') return listOf(unify(a.of, b.of));
  if (a.kind === 'tuple' && b.kind === 'tuple' && a.items.length === b.items.length) {
    return tupleOf(a.items.map((item, index) => unify(item, b.items[index] ?? types.any)));
  }
  if (a.kind === 'row' && b.kind === 'row') return rowType();
  return types.any;
}

function unifyNumbers(a: Type, b: Type): Type {
  if (a.kind === 'bool' || b.kind === 'bool') return types.any;
  if (a.kind === 'float' || b.kind === 'float') return types.float;
  // A literal 0 beside an address is an address; a size beside a count is a number.
  if (a.kind === 'address' || b.kind === 'address') return types.address;
  return types.int;
}

/**
 * Why values of these types cannot be compared (`==`, `<`, `in`, a join), in words; undefined where they can.
 */
export function incomparable(a: Type, b: Type): string | undefined {
  if (a.kind === 'any' || b.kind === 'any' || a.kind === 'null' || b.kind === 'null') return undefined;
  // A list is compared element by element.
  if (a.kind === 'list') return incomparable(a.of, b.kind === 'list' ? b.of : b);
  if (b.kind === 'list') return incomparable(a, b.of);
  if (isNumeric(a) && isNumeric(b)) return undefined;
  if (a.kind === 'tuple' || b.kind === 'tuple') return incomparableTuples(a, b);
  if (a.kind === b.kind) return undefined;
  const reason = mixed(a, b) ?? mixed(b, a) ?? unlike(a, b);
  return reason === FITS ? undefined : reason;
}

function incomparableTuples(a: Type, b: Type): string | undefined {
  if (a.kind !== 'tuple' || b.kind !== 'tuple') return unlike(a, b);
  if (a.items.length !== b.items.length)
    return `a tuple of ${a.items.length} is never equal to one of ${b.items.length}`;
  for (const [index, item] of a.items.entries()) {
    const reason = incomparable(item, b.items[index] ?? types.any);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Unlike types that can be compared all the same. */
const FITS = '';

/** {@link FITS}, or why not; undefined where no rule speaks of these two in this order. */
function mixed(a: Type, b: Type): string | undefined {
  if (a.kind === 'struct' && isNumeric(b)) return b.kind === 'bool' || b.kind === 'float' ? undefined : FITS;
  // Dates and lengths of time, as people write them.
  if ((a.kind === 'time' || a.kind === 'duration') && b.kind === 'string') return FITS;
  if (a.kind === 'time' && isNumeric(b))
    return `time and ${b.kind} are unlike; timestamp(n) makes a time of seconds since 1970`;
  if (a.kind === 'struct' && b.kind === 'string')
    return `${typeName(a)} and string are unlike; compare one of its members (.name)`;
  if (a.kind === 'string' && isNumeric(b))
    return `string and ${b.kind} are unlike; int(x) makes a number of text, str(x) text of a number`;
  if (a.kind === 'bytes' && b.kind === 'string')
    return 'bytes and string are unlike; str(x) reads bytes as text, bytes(x) gives the bytes of text';
  return undefined;
}

function unlike(a: Type, b: Type): string {
  return `${typeName(a)} and ${typeName(b)} are unlike`;
}
