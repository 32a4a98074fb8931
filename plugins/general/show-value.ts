import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import type { AddressSpace } from '../../src/memory/space.js';
import { ArrayView } from '../../src/object/array.js';
import type { TypeCompiler } from '../../src/object/compiler.js';
import { Pointer } from '../../src/object/pointer.js';
import { Struct } from '../../src/object/struct.js';
import type { Resolver } from '../../src/session/resolver/resolver.js';
import type { EnumType, TypeDescriptor } from '../../src/symbols/types.js';

/** Arrays up to this length are shown element by element. */
const SHORT_ARRAY = 8;
/** Text behind a `char *` is shown up to here. */
const LONGEST_TEXT = 64;

/**
 * A value in a form that fits a cell: enumerations with their label, short arrays as lists, a pointer to text with the text, one to code or
 * to anything with the name of what lies there. Throws Absent where it cannot be read.
 */
export function showValue(compiler: TypeCompiler, type: TypeDescriptor, space: AddressSpace, address: bigint, resolver?: Resolver): unknown {
  const value = compiler.value(type).readAt(space, address);
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
