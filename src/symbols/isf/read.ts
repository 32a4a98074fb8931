import { ProfileError } from '../error.js';
import { bigintOf, integerOf, objectOf, own, parseJsonObject, stringOf, type JsonObject } from '../json.js';
import type { Constants, ProfileSource } from '../source.js';
import type { ProfileMetadata, TypeDescriptor } from '../types.js';
import { IsfTypes } from './types.js';

/** IMAGE_FILE_HEADER.Machine (PE/COFF specification) */
const MACHINES: ReadonlyMap<number, ProfileMetadata['arch']> = new Map([
  [0x014c, 'I386'],
  [0x8664, 'AMD64'],
  [0xaa64, 'ARM64'],
]);

/** x86-64 kernels are linked into the top 2 GiB (Documentation/arch/x86/x86_64/mm.rst), arm64 ones below. */
const X86_KERNEL = 0xffffffff80000000n;

/** True for the JSON of a Volatility 3 symbol file. */
export function isIsf(json: JsonObject): boolean {
  return own(json, 'user_types') !== undefined || own(json, 'base_types') !== undefined;
}

/**
 * Reads a Volatility 3 symbol file (ISF, the intermediate symbol format), already decompressed.
 *
 * @throws ProfileError where it is not JSON or not such a file
 */
export function readIsf(bytes: Buffer, path: string): ProfileSource {
  return isfProfile(parseJsonObject(bytes, path), path);
}

/** The same from parsed JSON ({@link parseJsonObject}). */
export function isfProfile(json: JsonObject, path: string): ProfileSource {
  const [structs, enums, base] = ['user_types', 'enums', 'base_types'].map((section) => objectOf(own(json, section)));
  const symbols = objectOf(own(json, 'symbols')) ?? {};
  if (!structs || !base) {
    throw new ProfileError(
      `${path} is JSON, but not a Volatility 3 symbol file: user_types or base_types is missing or not an object.`,
      'Make it again with dwarf2json, or give a Rekall profile or a vmlinux with debug information.',
    );
  }
  const types = new IsfTypes(structs, enums ?? {}, base);
  return { types, constants: new IsfConstants(symbols, types), metadata: metadataOf(json, structs, symbols, base, path) };
}

class IsfConstants implements Constants {
  private count: number | undefined;

  constructor(
    private readonly symbols: JsonObject,
    private readonly types: IsfTypes,
  ) {}

  get size(): number {
    return (this.count ??= Object.keys(this.symbols).length);
  }

  get(name: string): bigint | undefined {
    return addressOf(this.symbols, name);
  }

  type(name: string): TypeDescriptor | undefined {
    const type = own(objectOf(own(this.symbols, name)), 'type');
    const described = type === undefined ? undefined : this.types.describe(type);
    // dwarf2json gives void to symbols of the symbol table: it does not know.
    return described?.kind === 'void' || described?.kind === 'named' ? undefined : described;
  }

  kind(name: string): 'function' | 'data' | undefined {
    const symbol = objectOf(own(this.symbols, name));
    if (!symbol) return undefined;
    return own(objectOf(own(symbol, 'type')), 'kind') === 'function' ? 'function' : 'data';
  }

  *entries(): Generator<[string, bigint]> {
    for (const name of Object.keys(this.symbols)) {
      const address = name === '' ? undefined : addressOf(this.symbols, name);
      if (address !== undefined) yield [name, address];
    }
  }
}

function addressOf(symbols: JsonObject, name: string): bigint | undefined {
  return bigintOf(own(objectOf(own(symbols, name)), 'address'));
}

function metadataOf(json: JsonObject, structs: JsonObject, symbols: JsonObject, base: JsonObject, path: string): ProfileMetadata {
  const stated = objectOf(own(json, 'metadata'));
  const pdb = objectOf(own(objectOf(own(stated, 'windows')), 'pdb'));
  const os = osOf(stated, structs, symbols);
  const wide = integerOf(own(objectOf(own(base, 'pointer')), 'size')) !== 4;
  const start = addressOf(symbols, '_stext') ?? addressOf(symbols, '_text') ?? X86_KERNEL;
  const arm = os === 'linux' && wide && start < X86_KERNEL;
  const arch = MACHINES.get(integerOf(own(pdb, 'machine_type')) ?? 0) ?? (arm ? 'ARM64' : wide ? 'AMD64' : 'I386');
  const banner = constantText(symbols, 'linux_banner') ?? constantText(symbols, 'version');
  const guid = stringOf(own(pdb, 'GUID'));
  return {
    os,
    arch,
    source: path,
    ...(banner === undefined ? {} : { banner }),
    ...(guid === undefined ? {} : { GUID_AGE: `${guid}${(integerOf(own(pdb, 'age')) ?? 0).toString(16).toUpperCase()}`, PDBFile: stringOf(own(pdb, 'database')) }),
    producer: own(stated, 'producer'),
    format: own(stated, 'format'),
  };
}

function osOf(stated: JsonObject | undefined, structs: JsonObject, symbols: JsonObject): ProfileMetadata['os'] {
  if (own(stated, 'windows') !== undefined) return 'windows';
  if (own(stated, 'linux') !== undefined) return 'linux';
  if (own(stated, 'mac') !== undefined) return 'darwin';
  // Schemas before 6 did not say.
  if (Object.hasOwn(symbols, 'linux_banner') || Object.hasOwn(structs, 'task_struct')) return 'linux';
  return Object.hasOwn(structs, 'vm_map') ? 'darwin' : 'windows';
}

/** The text that the file carries of a symbol's memory, up to its NUL. */
function constantText(symbols: JsonObject, name: string): string | undefined {
  const data = stringOf(own(objectOf(own(symbols, name)), 'constant_data'));
  if (data === undefined) return undefined;
  const text = Buffer.from(data, 'base64').toString('latin1');
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}
