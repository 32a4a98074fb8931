import type { TypeDescriptor } from './types.js';

/** How wide C's types are. `long` is what differs: a word on Linux and macOS, 4 bytes on Windows. */
export interface DataModel {
  readonly pointer: 4 | 8;
  readonly long: 4 | 8;
}

/** ILP32, LP64 (Linux and macOS), LLP64 (Windows). */
export function dataModel(os: string, arch: string): DataModel {
  const pointer = arch === 'I386' ? 4 : 8;
  return { pointer, long: pointer === 8 && os !== 'windows' ? 8 : 4 };
}

/** Names of one size for every model: [bytes, signed, encoding]. */
const FIXED: ReadonlyMap<string, readonly [size: number, signed: boolean, encoding?: 'bool' | 'char']> = new Map([
  ['char', [1, true, 'char']],
  ['signed char', [1, true]],
  ['unsigned char', [1, false]],
  ['byte', [1, false]],
  ['wchar', [2, false]],
  ['short', [2, true]],
  ['unsigned short', [2, false]],
  ['int', [4, true]],
  ['unsigned int', [4, false]],
  ['HRESULT', [4, true]],
  ['long long', [8, true]],
  ['unsigned long long', [8, false]],
  ['int128', [16, true]],
  ['unsigned int128', [16, false]],
  ['__int128', [16, true]],
  ['unsigned __int128', [16, false]],
  ['bool', [1, false, 'bool']],
  ['_Bool', [1, false, 'bool']],
  ['Bool', [1, false, 'bool']],
]);

/** `long unsigned int` and `unsigned long int` are both `unsigned long`. */
function canonical(name: string): string {
  if (!name.includes(' ')) return name;
  const words = name.trim().split(/\s+/);
  const kept = words.filter((word) => word !== 'unsigned' && word !== 'signed');
  const wide = kept.includes('char') || kept.length === 1 ? kept : kept.filter((word) => word !== 'int');
  const sign = words.includes('unsigned') ? ['unsigned'] : words.includes('signed') && kept.includes('char') ? ['signed'] : [];
  return [...sign, ...(wide.length === 0 ? ['int'] : wide)].join(' ');
}

/**
 * The type a native C name stands for (as compilers, PDBs and Rekall's vtypes spell them), or undefined when the name is
 * none of C's.
 */
export function nativeType(name: string, model: DataModel): TypeDescriptor | undefined {
  const plain = canonical(name);
  switch (plain) {
    case 'void':
    case 'Void':
      return { kind: 'void' };
    case 'function':
    case 'Function':
      return { kind: 'function' };
    case 'unsigned':
      return { kind: 'int', size: 4, signed: false, name };
    case 'long':
    case 'unsigned long':
      return { kind: 'int', size: model.long, signed: plain === 'long', name };
    case 'address':
    case 'pointer':
      return { kind: 'int', size: model.pointer, signed: false, name };
    case 'float':
      return { kind: 'float', size: 4, name };
    case 'double':
      return { kind: 'float', size: 8, name };
    case 'long double':
      return { kind: 'float', size: model.pointer === 8 ? 16 : 12, name };
  }
  const fixed = FIXED.get(plain);
  if (!fixed) return undefined;
  const [size, signed, encoding] = fixed;
  return { kind: 'int', size, signed, name, ...(encoding === undefined ? {} : { encoding }) };
}

/** Bytes of a type; 0 where it has none or it is not known. `structSize` answers for structs by name. */
export function sizeOfType(type: TypeDescriptor, pointer: number, structSize: (name: string) => number | undefined): number {
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'enum':
      return type.size;
    case 'bitfield':
      return type.base.size;
    case 'pointer':
      return type.size ?? pointer;
    case 'array':
      return type.count * sizeOfType(type.target, pointer, structSize);
    case 'struct':
      return structSize(type.name) ?? 0;
    case 'inline':
      return type.layout.size ?? 0;
    case 'void':
    case 'function':
    case 'named':
      return 0;
  }
}
