import type { DynamicRules } from '../dynamic.js';
import { jsonText } from '../json.js';
import { StructQueue } from '../struct-queue.js';
import type { EnumType, FunctionSignature, IntegerType, ProfileMetadata, StructLayout, SymbolSource, TypeDescriptor, TypeSource } from '../types.js';

/** Version of the profile format that is written (rekall-profiles v1.0). */
const FORMAT_VERSION = '1.0';

/** What a profile is made of. */
export interface ProfileParts {
  readonly types: TypeSource;
  /** names and addresses as linked: any slide is subtracted before */
  readonly constants: Iterable<readonly [name: string, address: bigint]>;
  readonly functions?: Iterable<readonly [name: string, address: bigint]>;
  /** types of globals, where the source knows them */
  readonly constantTypes?: Iterable<readonly [name: string, type: TypeDescriptor]>;
  readonly metadata: ProfileMetadata;
  /** rules by which more is found in code: they are written as they are */
  readonly dynamic?: DynamicRules;
  /** names of profiles whose sections this one takes over: they are named, not copied */
  readonly merge?: readonly string[];
}

/**
 * A profile in Rekall's JSON form ($METADATA, $CONSTANTS, $FUNCTIONS, $STRUCTS, $ENUMS, $REVENUMS), keys sorted because that
 * compresses best, in pieces of text. Integers are exact: addresses are written as plain JSON integers of 64 bits.
 */
export function* rekallProfileText({ types, constants, functions, constantTypes, metadata, dynamic, merge }: ProfileParts): Generator<string> {
  const writer = new VtypeWriter(types);
  const { config } = metadata;
  yield `{\n"$METADATA": ${JSON.stringify(metadataOf(metadata), null, 1)},\n`;
  yield* section('$CONSTANTS', constantTexts(constants));
  if (functions) yield* section('$FUNCTIONS', constantTexts(functions));
  if (merge && merge.length > 0) yield `"$MERGE": ${JSON.stringify(merge)},\n`;
  const enums = [...types.enumNames()].sort();
  yield* section('$ENUMS', texts(enums, (name) => enumText(types.enum(name), false)));
  yield* section('$REVENUMS', texts(enums, (name) => enumText(types.enum(name), true)));
  if (config) yield* section('$CONFIG', texts(Object.keys(config).sort(), (name) => JSON.stringify(config[name])));
  for (const [name, rules] of dynamic?.sections() ?? []) yield* section(name, Object.entries(rules).map(([key, value]) => `${JSON.stringify(key)}: ${jsonText(value)}`));
  if (constantTypes) yield* section('$CONSTANT_TYPES', writer.constants(constantTypes));
  // Last: what the others use gets its name as it is met.
  yield* section('$STRUCTS', writer.structs(), '\n}\n');
}

/** $METADATA; the kernel's configuration is a section of its own. */
function metadataOf({ config: _config, ...metadata }: ProfileMetadata): Record<string, unknown> {
  const profileClass = metadata.os === 'linux' ? (metadata.arch === 'I386' ? 'Linux32' : 'Linux64') : undefined;
  return { Type: 'Profile', Version: FORMAT_VERSION, ProfileClass: profileClass, ...metadata };
}

/** A section of a JSON file, of entries that are text already. */
export function* section(name: string, entries: Iterable<string>, end = ',\n'): Generator<string> {
  yield `"${name}": {`;
  let first = true;
  let pending: string[] = [];
  for (const entry of entries) {
    pending.push(`${first ? '' : ','}\n ${entry}`);
    first = false;
    if (pending.length === 1000) {
      yield pending.join('');
      pending = [];
    }
  }
  yield `${pending.join('')}\n}${end}`;
}

/** The first address of a name stands: static symbols may share one. */
function* constantTexts(entries: Iterable<readonly [string, bigint]>): Generator<string> {
  const first = new Map<string, bigint>();
  for (const [name, address] of entries) if (!first.has(name)) first.set(name, address);
  for (const name of [...first.keys()].sort()) yield `${JSON.stringify(name)}: ${(first.get(name) as bigint).toString()}`;
}

function* texts(names: readonly string[], text: (name: string) => string): Generator<string> {
  for (const name of names) yield `${JSON.stringify(name)}: ${text(name)}`;
}

function enumText(type: EnumType | undefined, reversed: boolean): string {
  const entries = [...(type?.choices ?? [])].map(([value, label]) =>
    reversed ? `${JSON.stringify(label)}: ${value}` : `${JSON.stringify(value)}: ${JSON.stringify(label)}`,
  );
  return `{${entries.join(', ')}}`;
}

/** Structs as vtypes. */
class VtypeWriter {
  private readonly queue: StructQueue;
  private readonly enums = new Map<string, EnumType | undefined>();

  constructor(private readonly types: TypeSource) {
    this.queue = new StructQueue(types);
  }

  *structs(): Generator<string> {
    for (const [name, layout] of this.queue.entries()) yield `${JSON.stringify(name)}: ${this.struct(layout)}`;
  }

  /** Types of globals. */
  *constants(constants: Iterable<readonly [string, TypeDescriptor]>): Generator<string> {
    for (const [name, type] of constants) yield `${JSON.stringify(name)}: ${JSON.stringify(this.vtype(type))}`;
  }

  private struct(layout: StructLayout): string {
    const members = [...layout.members].map(([name, { offset, type }]) => `${JSON.stringify(name)}: [${offset}, ${JSON.stringify(this.vtype(type))}]`);
    return `[${layout.size ?? 'null'}, {${members.join(', ')}}]`;
  }

  /** `[target]` or `[target, arguments]`. */
  private vtype(type: TypeDescriptor): [string] | [string, Record<string, unknown>] {
    switch (type.kind) {
      case 'int':
        return [nativeName(type)];
      case 'float':
        return [type.size === 4 ? 'float' : 'double'];
      case 'void':
        return ['Void'];
      case 'function':
        return type.signature ? ['Function', { args: this.signature(type.signature) }] : ['Function'];
      case 'pointer':
        return ['Pointer', this.target(type.target)];
      case 'array':
        return ['Array', { ...this.target(type.target), count: type.count }];
      case 'struct':
        this.queue.use(type.name);
        return [type.name];
      case 'inline':
        return [this.queue.nameOf(type.layout)];
      case 'enum':
        return ['Enumeration', this.enumeration(type)];
      case 'bitfield': {
        const bits = { start_bit: type.startBit, end_bit: type.startBit + type.bits };
        if (type.base.kind === 'int') return ['BitField', { ...bits, target: nativeName(type.base) }];
        return ['Enumeration', { ...this.enumeration(type.base), target: 'BitField', target_args: { ...bits, target: integerName(type.base.size, type.base.signed) } }];
      }
      case 'named':
        return [type.name, this.classArguments(type.name, type.args)];
    }
  }

  /** A class's arguments as vtypes state them: descriptors hold their target as a descriptor, and wide text in bytes. */
  private classArguments(name: string, args: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { target, length } = args;
    return {
      ...args,
      ...(isDescriptor(target) && this.target(target)),
      ...(name === 'UnicodeString' && typeof length === 'number' && { length: length / 2 }),
    };
  }

  /** What the original keeps in `args` are types, too, but of what it does not say: ours stand under names. */
  private signature({ returns, parameters, variadic, convention }: FunctionSignature): Record<string, unknown> {
    return { returns: this.vtype(returns), parameters: parameters.map((type) => this.vtype(type)), ...(variadic && { variadic }), ...(convention !== undefined && { convention }) };
  }

  private target(type: TypeDescriptor): Record<string, unknown> {
    const [target, args] = this.vtype(type);
    return args === undefined ? { target } : { target, target_args: args };
  }

  private enumeration(type: EnumType): Record<string, unknown> {
    const target = integerName(type.size, type.signed);
    const { name } = type;
    return name !== undefined && this.isKnown(name, type) ? { enum_name: name, target } : { choices: Object.fromEntries(type.choices), target };
  }

  /** True where the enumeration that $ENUMS has of a name is this one: several may share it. */
  private isKnown(name: string, type: EnumType): boolean {
    if (!this.enums.has(name)) this.enums.set(name, this.types.enum(name));
    const known = this.enums.get(name);
    if (!known || known.choices.size !== type.choices.size) return known === type;
    return known === type || [...type.choices].every(([value, label]) => known.choices.get(value) === label);
  }
}

function isDescriptor(value: unknown): value is TypeDescriptor {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

function nativeName(type: IntegerType): string {
  if (type.encoding === 'bool') return 'Bool';
  if (type.encoding === 'char' || type.name === 'char') return 'char';
  return integerName(type.size, type.signed);
}

/** Names whose size does not depend on the machine's word (`long` does). */
function integerName(size: number, signed: boolean): string {
  const name = { 1: 'char', 2: 'short', 4: 'int', 8: 'long long' }[size];
  if (name === undefined) return signed ? 'int128' : 'unsigned int128';
  if (size === 1) return signed ? 'signed char' : 'unsigned char';
  return signed ? name : `unsigned ${name}`;
}

/** A symbol table's entries with a slide taken away, functions apart from data; of a name that both have, the first stands. */
export function linkedSymbols(symbols: SymbolSource, slide: bigint, lowest: bigint): { constants: [string, bigint][]; functions: [string, bigint][] } {
  const constants: [string, bigint][] = [];
  const functions: [string, bigint][] = [];
  const seen = new Set<string>();
  for (const { name, address, kind } of symbols.symbols()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const linked = address >= lowest ? address - slide : address;
    (kind === 'T' || kind === 't' ? functions : constants).push([name, linked]);
  }
  return { constants, functions };
}
