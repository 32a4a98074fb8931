import { due, turn } from '../../memory/breathe.js';
import { Collector } from '../dwarf/collect.js';
import { Encoding, Tag } from '../dwarf/constants.js';
import { DwarfTypes } from '../dwarf/types.js';
import { TextUnit, type TextAttributes } from './text-unit.js';

/** `<1><0x2d><DW_TAG_base_type> DW_AT_…<…> …`: libdwarf's `dwarfdump -di`. The id may be `0x0+0x2d` or `45`; macOS' is without `DW_`. */
const DENSE = /^<\s*(\d+)><\s*([^>]*)><(?:DW_)?TAG_(\w+)>/;
const DENSE_GAP = /\s(?=(?:DW_)?AT_\w+<)/;
const DENSE_ATTRIBUTE = /^(?:DW_)?AT_(\w+)</;
/** `0x0000002a:     TAG_base_type [2] *` and `                 AT_name( "char" )`: macOS' and LLVM's dwarfdump. */
const LONG = /^0x([0-9a-fA-F]+):(\s+)(?:DW_)?TAG_(\w+)/;
const LONG_ATTRIBUTE = /^\s+(?:DW_)?AT_(\w+)\s*\(/;

/** After how many lines it is looked whether others wait for their turn. */
const TURN = 1024;

const TAGS: ReadonlyMap<string, number> = new Map([
  ['array_type', Tag.Array],
  ['class_type', Tag.Class],
  ['enumeration_type', Tag.Enumeration],
  ['member', Tag.Member],
  ['pointer_type', Tag.Pointer],
  ['reference_type', Tag.Reference],
  ['structure_type', Tag.Structure],
  ['subroutine_type', Tag.Subroutine],
  ['typedef', Tag.Typedef],
  ['union_type', Tag.Union],
  ['inheritance', Tag.Inheritance],
  ['ptr_to_member_type', Tag.PointerToMember],
  ['subrange_type', Tag.Subrange],
  ['base_type', Tag.BaseType],
  ['const_type', Tag.Const],
  ['enumerator', Tag.Enumerator],
  ['packed_type', Tag.Packed],
  ['variable', Tag.Variable],
  ['volatile_type', Tag.Volatile],
  ['restrict_type', Tag.Restrict],
  ['namespace', Tag.Namespace],
  ['unspecified_type', Tag.Unspecified],
  ['rvalue_reference_type', Tag.RvalueReference],
  ['atomic_type', Tag.Atomic],
]);
/** An entry that is neither a type nor a variable. */
const OTHER_TAG = 0xffff;

const ENCODINGS: ReadonlyMap<string, number> = new Map([
  ['boolean', Encoding.Boolean],
  ['complex_float', Encoding.ComplexFloat],
  ['float', Encoding.Float],
  ['signed', Encoding.Signed],
  ['signed_char', Encoding.SignedChar],
  ['unsigned', Encoding.Unsigned],
  ['unsigned_char', Encoding.UnsignedChar],
  ['UTF', Encoding.Utf],
]);

/**
 * Types from the text that a dwarfdump program printed: libdwarf's in its dense form (`-di`, what Volatility 2's Linux
 * profiles hold as module.dwarf), macOS' (old `TAG_…` and new `DW_TAG_…`) and LLVM's.
 *
 * @param addressSize bytes of an address, from the symbols that come with it
 * @throws ProfileError where the entries make no sense
 */
export async function readDwarfText(text: string, addressSize: 4 | 8): Promise<DwarfTypes> {
  const types = new DwarfTypes();
  let unit = new TextUnit(addressSize);
  const collector = new Collector({ at: () => unit }, types);
  const finish = (): void => {
    if (unit.close()) collector.collect(unit);
    unit = new TextUnit(addressSize);
  };
  /** columns of the entries above, in the long form */
  const columns: number[] = [];
  let attributes: TextAttributes | undefined;
  let count = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
    if (++count % TURN === 0 && due()) await turn();
    const dense = DENSE.exec(line);
    if (dense) {
      const [head, level, id, tag] = dense as unknown as [string, string, string, string];
      if (tag === 'compile_unit' || tag === 'partial_unit') finish();
      const entry = unit.add(Number(level), idOf(id), TAGS.get(tag) ?? OTHER_TAG);
      for (const part of line.slice(head.length).split(DENSE_GAP)) {
        const name = DENSE_ATTRIBUTE.exec(part);
        if (name) attribute(entry, name[1] as string, part.slice(name[0].length, part.lastIndexOf('>')));
      }
      continue;
    }
    const long = LONG.exec(line);
    if (long) {
      const [, id, blank, tag] = long as unknown as [string, string, string, string];
      if (/^(Compile|compile|partial)_unit$/.test(tag)) {
        finish();
        columns.length = 0;
      }
      while (columns.length > 0 && (columns.at(-1) as number) >= blank.length) columns.pop();
      attributes = unit.add(columns.length, parseInt(id, 16), TAGS.get(tag) ?? OTHER_TAG);
      columns.push(blank.length);
      continue;
    }
    const name = attributes && LONG_ATTRIBUTE.exec(line);
    if (attributes && name) attribute(attributes, name[1] as string, line.slice(name[0].length, line.lastIndexOf(')')).trim());
  }
  finish();
  return types;
}

/** True where text begins as one of these programs prints. */
export function looksLikeDwarfText(text: string): boolean {
  return /^<\s*0><[^>]*><(?:DW_)?TAG_\w+>/m.test(text) || /^0x[0-9a-fA-F]+:\s+(?:DW_)?TAG_\w+/m.test(text);
}

/** `0x0+0x2d`, `45`, `0x2d GOFF=0x2d`: within the unit. */
function idOf(text: string): number {
  const relative = text.slice(text.indexOf('+') + 1);
  return integer(relative) ?? -1;
}

function attribute(entry: TextAttributes, name: string, value: string): void {
  switch (name) {
    case 'name':
      entry.name = value.replace(/^"(.*)"$/s, '$1');
      return;
    case 'type':
      entry.type = reference(value);
      return;
    case 'specification':
      entry.specification = reference(value);
      return;
    case 'byte_size':
      entry.byteSize = integer(value);
      return;
    case 'data_member_location':
      entry.memberLocation = unsigned(integer(/DW_OP_(?:plus_uconst|constu)\s+(\S+)/.exec(value)?.[1] ?? value));
      return;
    case 'bit_size':
      entry.bitSize = integer(value);
      return;
    case 'bit_offset':
      entry.bitOffset = integer(value);
      return;
    case 'data_bit_offset':
      entry.dataBitOffset = unsigned(integer(value));
      return;
    case 'upper_bound':
      entry.upperBound = integer(value);
      return;
    case 'count':
      entry.count = integer(value);
      return;
    case 'encoding':
      entry.encoding = ENCODINGS.get(value.replace(/^(?:DW_)?ATE_/, ''));
      return;
    case 'const_value': {
      const match = /^[+]?(-?)(0x[0-9a-fA-F]+|\d+)/.exec(value);
      if (match?.[2] !== undefined) entry.constant = match[1] === '-' ? -BigInt(match[2]) : BigInt(match[2]);
      return;
    }
    case 'declaration':
      entry.declaration = true;
      return;
    case 'external':
      entry.external = true;
      return;
    case 'location': {
      const match = /DW_OP_addr[\s(]+(0x[0-9a-fA-F]+|\d+)/.exec(value);
      entry.location = match?.[1] === undefined ? undefined : BigInt(match[1]);
    }
  }
}

/** `<0x0000002f>`, `0x0000002f "int"`, `{0x0000002f} ( int )` */
function reference(value: string): number | undefined {
  return integer(/0x[0-9a-fA-F]+|\d+/.exec(value)?.[0]);
}

/** `0x00000008`, `8`, `+8`, `8 (-8)` */
function integer(value: string | undefined): number | undefined {
  const match = /^\s*[+]?(-?)(0x[0-9a-fA-F]+|\d+)/.exec(value ?? '');
  if (match?.[2] === undefined) return undefined;
  const number = Number(match[2]);
  return match[1] === '-' ? -number : number;
}

/** dwarfdump prints what has no sign as if it had one: -128 is 128 in a byte, 32896 - 65536 in two. */
function unsigned(value: number | undefined): number | undefined {
  if (value === undefined || value >= 0) return value;
  return value + (value >= -0x80 ? 0x100 : value >= -0x8000 ? 0x10000 : 0x100000000);
}
