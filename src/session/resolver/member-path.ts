import type { TypeCompiler } from '../../object/compiler.js';
import { sizeOfType } from '../../symbols/native.js';
import type { StructLayout, TypeDescriptor } from '../../symbols/types.js';

/** Structs inside each other; the deepest of the kernel have a dozen. */
const DEEPEST = 32;

/** Bytes of a type; 0 where it has none or it is not known. */
export function sizeOf(compiler: TypeCompiler, type: TypeDescriptor): number {
  return sizeOfType(type, compiler.pointerSize, (name) => (compiler.hasStruct(name) ? compiler.struct(name).size : undefined));
}

/** The layout of a struct or union, or undefined for any other type. */
export function layoutOf(compiler: TypeCompiler, type: TypeDescriptor): StructLayout | undefined {
  if (type.kind === 'inline') return type.layout;
  return type.kind === 'struct' && compiler.hasStruct(type.name) ? compiler.struct(type.name).layout : undefined;
}

/**
 * Which member lies at an offset of a type: `.comm`, `.ipv4.devconf_all`, `[3].flags`, as deep as types go, and the bytes that are
 * left. Of a union the first member that reaches so far. undefined where the type does not reach to the offset.
 */
export function memberAt(compiler: TypeCompiler, type: TypeDescriptor, offset: number): { readonly path: string; readonly rest: number } | undefined {
  const size = sizeOf(compiler, type);
  const flexible = type.kind === 'array' && type.count === 0;
  if (offset < 0 || (!flexible && offset >= size)) return undefined;
  let path = '';
  let rest = offset;
  let current = type;
  for (let depth = 0; depth < DEEPEST; depth++) {
    if (current.kind === 'array') {
      const step = sizeOf(compiler, current.target);
      // Text is not taken to pieces.
      if (step === 0 || (current.target.kind === 'int' && current.target.size === 1)) break;
      path += `[${Math.floor(rest / step)}]`;
      rest %= step;
      current = current.target;
      continue;
    }
    const layout = layoutOf(compiler, current);
    if (!layout) break;
    const found = memberOf(compiler, layout, rest);
    if (!found) break;
    path += `.${found.name}`;
    rest -= found.offset;
    current = found.type;
  }
  return { path, rest };
}

interface Sized {
  readonly name: string;
  readonly offset: number;
  /** one past its last byte */
  readonly end: number;
  readonly type: TypeDescriptor;
}

/** Members with their extents: sizes are looked up once per layout. */
const known = new WeakMap<StructLayout, readonly Sized[]>();

function memberOf(compiler: TypeCompiler, layout: StructLayout, offset: number): Sized | undefined {
  let members = known.get(layout);
  if (!members) {
    members = [...layout.members].map(([name, { offset: start, type }]) => ({ name, offset: start, end: start + sizeOf(compiler, type), type }));
    known.set(layout, members);
  }
  return members.find((member) => offset >= member.offset && offset < member.end);
}
