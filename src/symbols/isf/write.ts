import { type ProfileParts, section } from '../rekall/write.js';
import { StructQueue } from '../struct-queue.js';
import type { EnumType, IntegerType, ProfileMetadata, StructLayout, TypeDescriptor, TypeSource } from '../types.js';

/** The schema that is written: the first with `unsigned` addresses checked and Windows PDBs named (volatility3/schemas/schema-6.2.0.json). */
const FORMAT = '6.2.0';
/** IMAGE_FILE_HEADER.Machine (PE/COFF specification). */
const MACHINES: Readonly<Record<ProfileMetadata['arch'], number>> = { I386: 0x14c, AMD64: 0x8664, ARM64: 0xaa64 };

/** A Windows symbol file is found by these: what the RSDS record of the image says. */
export interface PdbIdentity {
  /** `ntkrnlmp.pdb` */
  readonly database: string;
  /** 32 hexadecimal digits */
  readonly guid: string;
  readonly age: number;
}

/**
 * A profile as a Volatility 3 symbol file (ISF), in pieces of text.
 *
 * @param pdb of a Windows profile: without it Volatility finds the file by no image
 */
export function* isfText(parts: ProfileParts, pdb?: PdbIdentity): Generator<string> {
  const { metadata, types } = parts;
  const writer = new IsfWriter(types, metadata.os === 'windows');
  yield `{\n"metadata": ${JSON.stringify(metadataOf(metadata, pdb))},\n`;
  yield `"base_types": ${JSON.stringify(baseTypes(metadata))},\n`;
  yield* section('user_types', writer.structs());
  yield* section('symbols', writer.symbols(parts));
  // Last: unnamed ones are met in the others.
  yield* section('enums', writer.enums(), '\n}\n');
}

function metadataOf(metadata: ProfileMetadata, pdb: PdbIdentity | undefined): Record<string, unknown> {
  const producer = { name: 'rekall', version: FORMAT, datetime: new Date(0).toISOString() };
  if (metadata.os !== 'windows') return { format: FORMAT, producer, [metadata.os === 'linux' ? 'linux' : 'mac']: { symbols: [], types: [] } };
  const machine = MACHINES[metadata.arch];
  return { format: FORMAT, producer, windows: pdb ? { pdb: { GUID: pdb.guid, age: pdb.age, database: pdb.database, machine_type: machine } } : {} };
}

/** C's own types. `long` has 4 bytes on Windows and a pointer's elsewhere; `wchar` has 2 and 4. */
function baseTypes({ os, arch }: ProfileMetadata): Record<string, unknown> {
  const pointer = arch === 'I386' ? 4 : 8;
  const long = os === 'windows' ? 4 : pointer;
  const type = (kind: string, size: number, signed: boolean): unknown => ({ kind, size, signed, endian: 'little' });
  const both = (name: string, size: number, kind = 'int'): [string, unknown][] => [
    [name, type(kind, size, true)],
    [`unsigned ${name}`, type(kind, size, false)],
  ];
  return Object.fromEntries([
    ...both('char', 1, 'char'),
    ...both('short', 2),
    ...both('int', 4),
    ...both('long', long),
    ...both('long long', 8),
    ...both('int128', 16),
    ['bool', type('bool', 1, false)],
    ['float', type('float', 4, true)],
    ['double', type('float', 8, true)],
    ['void', type('void', 0, false)],
    ['wchar', type('int', os === 'windows' ? 2 : 4, true)],
    ['pointer', type('int', pointer, false)],
    // pointers that are not of the machine's width
    ['pointer32', type('int', 4, false)],
    ['pointer64', type('int', 8, false)],
  ]);
}

class IsfWriter {
  private readonly queue: StructQueue;
  private readonly unnamed = new Map<EnumType, string>();

  constructor(
    private readonly types: TypeSource,
    private readonly windows: boolean,
  ) {
    this.queue = new StructQueue(types);
  }

  *structs(): Generator<string> {
    for (const [name, layout] of this.queue.entries()) yield entry(name, this.struct(layout));
  }

  *symbols({ constants, functions, constantTypes }: ProfileParts): Generator<string> {
    const types = new Map(constantTypes ?? []);
    const seen = new Set<string>();
    for (const source of [constants, functions ?? []]) {
      for (const [name, address] of source) {
        // Volatility keeps ! for a module's name and fails on a symbol with one (texts of the image, in Rekall's profiles).
        if (seen.has(name) || name.includes('!')) continue;
        seen.add(name);
        const type = types.get(name);
        const described = type ? `, "type": ${JSON.stringify(this.type(type))}` : '';
        // All digits of addresses beyond 2^53: JSON knows no limit.
        yield `${JSON.stringify(name)}: {"address": ${address}${described}}`;
      }
    }
  }

  *enums(): Generator<string> {
    for (const name of [...this.types.enumNames()].sort()) {
      const type = this.types.enum(name);
      if (type) yield entry(name, this.enumeration(type));
    }
    for (const [type, name] of this.unnamed) yield entry(name, this.enumeration(type));
  }

  private struct({ size, union, members }: StructLayout): unknown {
    const fields = [...members].map(([name, { offset, type }]) => [name, { offset, type: this.type(type) }]);
    return { kind: union ? 'union' : 'struct', size: size ?? 0, fields: Object.fromEntries(fields) };
  }

  private type(type: TypeDescriptor): unknown {
    switch (type.kind) {
      case 'int':
        return base(this.integer(type));
      case 'float':
        return base(type.size === 4 ? 'float' : 'double');
      case 'void':
        return base('void');
      case 'function':
        return { kind: 'function' };
      case 'pointer':
        return { kind: 'pointer', subtype: this.type(type.target), ...(type.size !== undefined && { base: `pointer${type.size * 8}` }) };
      case 'array':
        return { kind: 'array', count: type.count, subtype: this.type(type.target) };
      case 'struct':
        this.queue.use(type.name);
        return this.reference(type.name, this.types.struct(type.name));
      case 'inline':
        return this.reference(this.queue.nameOf(type.layout), type.layout);
      case 'enum':
        return { kind: 'enum', name: this.enumName(type) };
      case 'bitfield':
        return { kind: 'bitfield', bit_position: type.startBit, bit_length: type.bits, type: this.type(type.base) };
      case 'named':
        return this.named(type.name, type.args);
    }
  }

  private reference(name: string, layout: StructLayout | undefined): unknown {
    return { kind: layout?.union === true ? 'union' : 'struct', name };
  }

  /** Rekall's classes are more than C: texts become arrays of characters, others the bytes that nobody explains. */
  private named(name: string, { length }: Readonly<Record<string, unknown>>): unknown {
    const bytes = typeof length === 'number' && length >= 0 ? length : 0;
    return name === 'UnicodeString' ? { kind: 'array', count: bytes >> 1, subtype: base('wchar') } : { kind: 'array', count: bytes, subtype: base('unsigned char') };
  }

  private integer({ size, signed, encoding }: IntegerType): string {
    if (encoding === 'bool') return 'bool';
    const name = { 1: 'char', 2: 'short', 4: this.windows ? 'long' : 'int', 8: 'long long' }[size] ?? 'int128';
    return signed ? name : `unsigned ${name}`;
  }

  private enumName(type: EnumType): string {
    if (type.name !== undefined && this.types.enum(type.name) === type) return type.name;
    let name = this.unnamed.get(type);
    if (name === undefined) this.unnamed.set(type, (name = `__unnamed_enum_${this.unnamed.size}`));
    return name;
  }

  private enumeration({ size, signed, choices }: EnumType): unknown {
    const constants = Object.fromEntries([...choices].map(([value, label]) => [label, Number(value)]));
    return { base: this.integer({ kind: 'int', size, signed }), size, constants };
  }
}

function base(name: string): unknown {
  return { kind: 'base', name };
}

function entry(name: string, value: unknown): string {
  return `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
}
