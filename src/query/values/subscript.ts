import { Absent, orAbsent } from '../../memory/absent.js';
import { ArrayView } from '../../object/array.js';
import { Pointer } from '../../object/pointer.js';
import { Struct } from '../../object/struct.js';
import { type Type, types, unify } from '../types.js';
import type { ValueContext } from './context.js';
import { member } from './member.js';

/**
 * `a[key]`: an element of a list or of an array in memory, a character of a text, a byte of bytes (all counted from 0, from the end where
 * negative), a member of a struct or a row by its name, what a map or dict has under a key. Null where there is no such element. Never
 * throws.
 */
export function subscript(value: unknown, key: unknown, context: ValueContext): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Absent) return value;
  if (key instanceof Absent) return key;
  if (key === null || key === undefined) return null;
  const index = indexOf(key);
  if (typeof value === 'string') return index === undefined ? null : (at(Array.from(value), index) ?? null);
  if (Array.isArray(value))
    return index === undefined ? named(value, key, context) : (at(value as unknown[], index) ?? null);
  if (value instanceof ArrayView) {
    if (index === undefined) return named(value, key, context);
    const place = index < 0 ? value.length + index : index;
    return place < 0 || place >= value.length ? null : orAbsent(() => value.at(place));
  }
  if (value instanceof Uint8Array) return index === undefined ? null : (value.at(index) ?? null);
  if (value instanceof Map) return mapped(value as Map<unknown, unknown>, key);
  if (value instanceof Pointer && !value.isNull) {
    return subscript(
      orAbsent(() => value.deref()),
      key,
      context,
    );
  }
  if (value instanceof Struct || typeof value === 'object') return named(value, key, context);
  return null;
}

function named(value: object, key: unknown, context: ValueContext): unknown {
  if (typeof key === 'string') return member(value, key, context);
  return typeof key === 'number' || typeof key === 'bigint' ? member(value, String(key), context) : null;
}

/** A map's keys are of any type: `1` and `1n` are one. */
function mapped(map: Map<unknown, unknown>, key: unknown): unknown {
  const found = map.get(key);
  if (found !== undefined) return found;
  if (typeof key === 'bigint') return map.get(Number(key)) ?? null;
  return typeof key === 'number' && Number.isSafeInteger(key) ? (map.get(BigInt(key)) ?? null) : null;
}

function at(list: readonly unknown[], index: number): unknown {
  return list.at(index);
}

/** A whole number as an index; beyond any list it stays beyond. */
function indexOf(key: unknown): number | undefined {
  if (typeof key === 'bigint') return Number(key);
  return typeof key === 'number' && Number.isInteger(key) ? key : undefined;
}

/**
 * The type of `a[key]`.
 * @param constant the key, where it is known beforehand
 * @returns undefined where such a value has no elements
 */
export function subscriptType(type: Type, constant?: { readonly value: unknown }): Type | undefined {
  switch (type.kind) {
    case 'any':
    case 'null':
    case 'string':
      return type;
    case 'bytes':
      return types.int;
    case 'list':
      return type.of;
    case 'tuple': {
      const index = constant === undefined ? undefined : indexOf(constant.value);
      if (index !== undefined) return type.items.at(index) ?? types.null;
      return type.items.reduce(unify, types.null);
    }
    case 'row':
      if (typeof constant?.value === 'string' && type.members) return type.members.get(constant.value) ?? types.null;
      return types.any;
    case 'struct':
      return types.any;
    default:
      return undefined;
  }
}
