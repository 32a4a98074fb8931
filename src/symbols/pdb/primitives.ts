import type { TypeDescriptor } from '../types.js';

const int = (size: number, signed: boolean, name: string, encoding?: 'bool' | 'char'): TypeDescriptor => ({ kind: 'int', size, signed, name, ...(encoding ? { encoding } : {}) });

/**
 * The types that need no record, by the low byte of their index (microsoft-pdb, include/cvinfo.h, TYPE_ENUM_e). `long` has four bytes
 * on Windows, whatever the word of the machine.
 */
const BASES: ReadonlyMap<number, TypeDescriptor> = new Map<number, TypeDescriptor>([
  [0x00, { kind: 'void' }], // T_NOTYPE
  [0x03, { kind: 'void' }], // T_VOID
  [0x08, int(4, true, 'long')], // T_HRESULT
  [0x10, int(1, true, 'char')],
  [0x11, int(2, true, 'short')],
  [0x12, int(4, true, 'long')],
  [0x13, int(8, true, 'long long')],
  [0x14, int(16, true, 'int128')],
  [0x20, int(1, false, 'unsigned char')],
  [0x21, int(2, false, 'unsigned short')],
  [0x22, int(4, false, 'unsigned long')],
  [0x23, int(8, false, 'unsigned long long')],
  [0x24, int(16, false, 'unsigned int128')],
  [0x30, int(1, false, 'unsigned char', 'bool')],
  [0x31, int(2, false, 'unsigned short', 'bool')],
  [0x32, int(4, false, 'unsigned long', 'bool')],
  [0x33, int(8, false, 'unsigned long long', 'bool')],
  [0x40, { kind: 'float', size: 4, name: 'float' }],
  [0x41, { kind: 'float', size: 8, name: 'double' }],
  [0x42, { kind: 'float', size: 10, name: 'long double' }],
  [0x43, { kind: 'float', size: 16, name: 'float128' }],
  [0x46, { kind: 'float', size: 2, name: 'half' }],
  [0x60, { kind: 'void' }], // T_BIT
  [0x68, int(1, true, 'char')], // T_INT1
  [0x69, int(1, false, 'unsigned char')], // T_UINT1
  [0x70, int(1, true, 'char', 'char')], // T_RCHAR
  [0x71, int(2, false, 'wchar')],
  [0x72, int(2, true, 'short')], // T_INT2
  [0x73, int(2, false, 'unsigned short')],
  [0x74, int(4, true, 'long')], // T_INT4
  [0x75, int(4, false, 'unsigned long')],
  [0x76, int(8, true, 'long long')], // T_INT8
  [0x77, int(8, false, 'unsigned long long')],
  [0x78, int(16, true, 'int128')],
  [0x79, int(16, false, 'unsigned int128')],
  [0x7a, int(2, false, 'wchar')], // T_CHAR16
  [0x7b, int(4, false, 'unsigned long')], // T_CHAR32
  [0x7c, int(1, false, 'unsigned char', 'char')], // T_CHAR8
]);

/** Bytes of the pointer that bits 8 to 10 of an index make of its base: near (16 bits), far, huge, 32, 16:32, 64, 128. */
const POINTERS = [0, 2, 4, 4, 4, 6, 8, 16];

/**
 * The type of an index below 0x1000; undefined where it has no meaning that is known here.
 * @param pointerSize pointers of this size get none of their own: they are the machine's
 */
export function primitive(index: number, pointerSize: 4 | 8): TypeDescriptor | undefined {
  const base = BASES.get(index & 0xff);
  const mode = (index >> 8) & 0xf;
  if (!base || mode === 0) return base;
  const size = POINTERS[mode];
  if (size === undefined) return undefined;
  return size === pointerSize ? { kind: 'pointer', target: base } : { kind: 'pointer', target: base, size };
}
