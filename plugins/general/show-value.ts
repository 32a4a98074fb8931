import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import type { AddressSpace } from '../../src/memory/space.js';
import { ArrayView } from '../../src/object/array.js';
import type { TypeCompiler } from '../../src/object/compiler.js';
import { Pointer } from '../../src/object/pointer.js';
import { presentStruct, type Within } from '../../src/kernel/windows/find/present.js';
import { Struct } from '../../src/object/struct.js';
import { Timestamp } from '../../src/object/time.js';
import type { Resolver } from '../../src/session/resolver/resolver.js';
import type { EnumType, TypeDescriptor } from '../../src/symbols/types.js';

/** Arrays up to this length are shown element by element. */
const SHORT_ARRAY = 8;
/** A FILETIME of 0: no time was set. */
const UNSET = Timestamp.fromFileTime(0n).ns;
/** Text behind a `char *` is shown up to here. */
const LONGEST_TEXT = 64;

/**
 * A value in a form that fits a cell: enumerations with their label, short arrays as lists, a pointer to text with the text, one to code or
 * to anything with the name of what lies there. Throws Absent where it cannot be read.
 */
export function showValue(compiler: TypeCompiler, type: TypeDescriptor, space: AddressSpace, address: bigint, resolver?: Resolver, within?: Within): unknown {
  const value = compiler.value(type).readAt(space, address);
  if (value instanceof Struct) return presentStruct(value, within, (at) => exactName(resolver, at)) ?? value;
  if (value instanceof Timestamp) return value.ns === UNSET ? null : value;
  if (type.kind === 'named' && type.name === 'Flags') return flagsText(value, type.args);
  if (type.kind === 'named' && type.name === 'Tag') return tagText(value);
  const choices = enumOf(type)?.choices;
  if (choices) {
    const label = choices.get(String(value));
    return label === undefined ? value : `${label} (${String(value)})`;
  }
  if (type.kind === 'function' || type.kind === 'void') return resolver?.name(address) ?? address;
  if (value === null) return 'NULL';
  if (value instanceof ArrayView) return elements(compiler, type, value, resolver);
  if (value instanceof Pointer) return pointer(value, resolver);
  return value;
}

/** The name of what begins at an address. */
function exactName(resolver: Resolver | undefined, address: bigint): string | undefined {
  return resolver?.nearest(address)?.distance === 0n ? resolver.name(address) : undefined;
}

/** `Proc (0x636f7250)` */
function tagText(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return `${bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.')} (0x${value.toString(16)})`;
}

/** `0x44042 SYNCHRONOUS_IO | CACHE_SUPPORTED`; bits without a name in hex. */
function flagsText(value: unknown, args: Readonly<Record<string, unknown>>): unknown {
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  const width = typeof value === 'number' ? 32 : 64;
  let rest = BigInt.asUintN(width, BigInt(value));
  const whole = `0x${rest.toString(16)}`;
  const names: string[] = [];
  for (const [mask, name] of Object.entries((args['maskmap'] ?? {}) as Readonly<Record<string, unknown>>)) {
    const bits = /^\d{1,20}$/.test(mask) ? BigInt(mask) : 0n;
    if (bits === 0n || (rest & bits) !== bits || typeof name !== 'string') continue;
    names.push(name);
    rest &= ~bits;
  }
  if (names.length > 0 && rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return [whole, ...(names.length > 0 ? [names.join(' | ')] : [])].join(' ');
}

/** The enumeration that a value is of: by itself, or in bits. */
function enumOf(type: TypeDescriptor): EnumType | undefined {
  const base = type.kind === 'bitfield' ? type.base : type;
  return base.kind === 'enum' ? base : undefined;
}

function elements(compiler: TypeCompiler, type: TypeDescriptor, array: ArrayView, resolver: Resolver | undefined): unknown {
  if (type.kind !== 'array' || array.length === 0 || array.length > SHORT_ARRAY || array.stride > 8) return array.toString();
  const shown: unknown[] = [];
  for (let index = 0; index < array.length; index++) {
    const at = array.$address + BigInt(index * array.stride);
    const value = orAbsent(() => showValue(compiler, type.target, array.$space, at, resolver));
    shown.push(value instanceof Struct || value instanceof Absent ? value.toString() : value);
  }
  return shown;
}

function pointer(value: Pointer, resolver: Resolver | undefined): unknown {
  if (value.isNull) return 'NULL';
  const { target } = value;
  if (target.kind === 'int' && target.size === 1) {
    const text = orElse(() => value.string(LONGEST_TEXT), undefined);
    return text === undefined || text === '' ? value : `${value.toString()} "${text}"`;
  }
  const name = target.kind === 'function' || target.kind === 'void' ? resolver?.name(value.address) : undefined;
  return name === undefined ? value : `${value.toString()} ${name}`;
}
