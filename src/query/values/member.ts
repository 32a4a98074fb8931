import { Absent, orAbsent } from '../../memory/absent.js';
import { ArrayView } from '../../object/array.js';
import { Pointer } from '../../object/pointer.js';
import { Struct } from '../../object/struct.js';
import { Timestamp } from '../../object/time.js';
import { listOf, type Type, types } from '../types.js';
import type { ValueContext } from './context.js';
import { asList, isList } from './list.js';
import { conveniences, structConvenience } from './struct-members.js';
import { TIME_PARTS, timePart } from './time-parts.js';

/**
 * `a.name`: a struct's member (or one of its conveniences, see struct-members.ts), a row's column, a part of a time, a value by its key; of a
 * list, that of each element; of a pointer, of what it points at. Null stays null and Absent stays Absent; what a struct of this kernel does
 * not have is Absent, what a row does not have is null. Never throws.
 */
export function member(value: unknown, name: string, context: ValueContext): unknown {
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof Absent) return value;
  if (value instanceof Struct) return structMember(value, name);
  if (isList(value)) return listMember(value, name, context);
  if (value instanceof Pointer) return pointerMember(value, name, context);
  if (value instanceof Timestamp) return timePart(value, name, context);
  if (value instanceof Map) return (value as Map<unknown, unknown>).get(name) ?? null;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) return null;
  return Object.hasOwn(value, name) ? ((value as Record<string, unknown>)[name] ?? null) : null;
}

function structMember(struct: Struct, name: string): unknown {
  if (struct.$has(name)) return orAbsent(() => struct.$get(name));
  const convenience = structConvenience(struct.$type, name);
  if (convenience) return orAbsent(() => convenience.read(struct));
  return new Absent('no-member', `no member ${name} in ${struct.$type}`);
}

/** Elements that are themselves lists give one list, as repeated values do not nest. */
function listMember(list: readonly unknown[] | ArrayView, name: string, context: ValueContext): unknown {
  if (list instanceof ArrayView && (name === 'address' || name === 'obj_offset')) return list.$address;
  return asList(list).map((element) => member(element, name, context));
}

function pointerMember(pointer: Pointer, name: string, context: ValueContext): unknown {
  if (name === 'address' || name === 'obj_offset') return pointer.address;
  if (pointer.isNull) return null;
  return member(
    orAbsent(() => pointer.deref()),
    name,
    context,
  );
}

/**
 * The type of `a.name`.
 * @param members of the struct that `type` is (or whose list it is), where the profile is asked
 * @returns undefined where there is no such member, so that the query is wrong
 */
export function memberType(type: Type, name: string, members?: ReadonlyMap<string, Type>): Type | undefined {
  switch (type.kind) {
    case 'any':
    case 'null':
      return type;
    case 'struct':
      return (
        members?.get(name) ??
        conveniences(type.struct).get(name)?.type ??
        (members && type.struct !== undefined ? undefined : types.any)
      );
    case 'list': {
      const of = memberType(type.of, name, members);
      return of && listOf(of);
    }
    case 'row':
      return type.members ? type.members.get(name) : types.any;
    case 'time':
      return TIME_PARTS.get(name)?.type;
    default:
      return undefined;
  }
}

/** Names that stand behind `.` for a value of this type, for suggestions and completion. */
export function memberNames(type: Type, members?: ReadonlyMap<string, Type>): string[] {
  switch (type.kind) {
    case 'struct':
      return [...new Set([...(members?.keys() ?? []), ...conveniences(type.struct).keys()])];
    case 'list':
      return memberNames(type.of, members);
    case 'row':
      return [...(type.members?.keys() ?? [])];
    case 'time':
      return [...TIME_PARTS.keys()];
    default:
      return [];
  }
}

/** The struct whose members `a.name` needs the profile for: of `type` itself, or of its elements. */
export function structOf(type: Type): string | undefined {
  if (type.kind === 'list') return structOf(type.of);
  return type.kind === 'struct' ? type.struct : undefined;
}
