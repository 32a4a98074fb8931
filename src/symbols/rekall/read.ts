import { ProfileError } from '../error.js';
import { bigintOf, objectOf, own, parseJsonObject, stringOf, type Json, type JsonObject } from '../json.js';
import { dataModel } from '../native.js';
import type { Constants, ProfileSource } from '../source.js';
import type { ProfileMetadata, TypeDescriptor } from '../types.js';
import { RekallRules } from './dynamic.js';
import { VtypeSource } from './vtypes.js';

/** Sections of rules by which more is found in code. */
const DYNAMIC = ['$DYNAMIC_CONSTANTS', '$DYNAMIC_STRUCTS'];

type Os = ProfileMetadata['os'];
type Arch = ProfileMetadata['arch'];

/** A Rekall profile, with the sections that only some profiles have. */
export interface RekallProfile extends ProfileSource {
  readonly types: VtypeSource;
  /** $DYNAMIC_CONSTANTS and $DYNAMIC_STRUCTS; undefined where it has neither */
  readonly dynamic?: RekallRules;
  /** $METADATA Type: `Profile`, `Symlink`, `Inventory` or `Index` */
  readonly type: string;
  /** $MERGE: names of profiles whose sections this one takes over */
  readonly merge: readonly string[];
  /** any section as it stands, `$INDEX` for one; integers of 16 digits and more are strings */
  section(name: string): Json | undefined;
  sectionNames(): readonly string[];
}

/**
 * Reads a profile in the JSON form of Rekall's repository (v1.0), already decompressed. Nothing but the JSON is parsed now;
 * types become descriptors when they are asked for.
 *
 * @param path where it came from, for messages and `metadata.source`
 * @throws ProfileError where it is not JSON or not a profile
 */
export function readRekall(bytes: Buffer, path: string): RekallProfile {
  return rekallProfile(parseJsonObject(bytes, path), path);
}

/** The same from parsed JSON ({@link parseJsonObject}). */
export function rekallProfile(json: JsonObject, path: string): RekallProfile {
  if (!Object.keys(json).some((key) => key.startsWith('$'))) {
    throw new ProfileError(
      `${path} is JSON, but not a Rekall profile: it has no section such as $METADATA, $STRUCTS or $CONSTANTS.`,
      'Give a Rekall profile, a Volatility 3 symbol file, a vmlinux with debug information, or none to recover it from the image.',
    );
  }
  for (const section of ['$METADATA', '$STRUCTS', '$ENUMS', '$CONSTANTS', '$FUNCTIONS', '$CONSTANT_TYPES', ...DYNAMIC]) {
    if (own(json, section) !== undefined && !objectOf(own(json, section))) {
      throw new ProfileError(`${path} is not a profile that can be read: its ${section} is not an object.`, 'Fetch or make the profile again.');
    }
  }
  const structs = objectOf(own(json, '$STRUCTS')) ?? {};
  const stated = objectOf(own(json, '$METADATA')) ?? {};
  const os = osOf(stated, structs);
  const arch = archOf(stated, structs, json);
  const types = new VtypeSource(
    structs,
    objectOf(own(json, '$ENUMS')) ?? {},
    dataModel(os, arch),
    objectOf(own(json, '$REVENUMS')),
  );
  const banner = stringOf(own(stated, 'banner'));
  const [constantRules, structRules] = DYNAMIC.map((name) => objectOf(own(json, name)));
  const merge = own(json, '$MERGE');
  const config = objectOf(own(json, '$CONFIG'));
  return {
    types,
    constants: new JsonConstants(json, types),
    ...((constantRules ?? structRules) && { dynamic: new RekallRules(constantRules ?? {}, structRules ?? {}, (vtype) => types.describe(vtype)) }),
    metadata: { ...stated, os, arch, source: path, ...(banner !== undefined && { banner }), ...(config && { config }) },
    type: stringOf(own(stated, 'Type')) ?? 'Profile',
    merge: (Array.isArray(merge) ? (merge as readonly Json[]) : []).filter((name) => typeof name === 'string'),
    section: (name) => own(json, name),
    sectionNames: () => Object.keys(json),
  };
}

/** $CONSTANTS and $FUNCTIONS, read in place. */
class JsonConstants implements Constants {
  private readonly data: JsonObject;
  private readonly functions: JsonObject;
  private readonly typed: JsonObject;
  private count: number | undefined;

  constructor(
    json: JsonObject,
    private readonly types: VtypeSource,
  ) {
    this.data = objectOf(own(json, '$CONSTANTS')) ?? {};
    this.functions = objectOf(own(json, '$FUNCTIONS')) ?? {};
    this.typed = objectOf(own(json, '$CONSTANT_TYPES')) ?? {};
  }

  get size(): number {
    if (this.count === undefined) {
      this.count = Object.keys(this.data).length;
      for (const name of Object.keys(this.functions)) if (!Object.hasOwn(this.data, name)) this.count++;
    }
    return this.count;
  }

  get(name: string): bigint | undefined {
    return bigintOf(own(this.data, name)) ?? bigintOf(own(this.functions, name));
  }

  type(name: string): TypeDescriptor | undefined {
    const vtype = own(this.typed, name);
    return vtype === undefined ? undefined : this.types.describe(vtype);
  }

  kind(name: string): 'function' | 'data' | undefined {
    if (Object.hasOwn(this.data, name)) return 'data';
    return Object.hasOwn(this.functions, name) ? 'function' : undefined;
  }

  *entries(): Generator<[string, bigint]> {
    for (const [name, value] of Object.entries(this.data)) {
      const address = bigintOf(value);
      if (address !== undefined) yield [name, address];
    }
    for (const [name, value] of Object.entries(this.functions)) {
      const address = Object.hasOwn(this.data, name) ? undefined : bigintOf(value);
      if (address !== undefined) yield [name, address];
    }
  }
}

/** Whose kernel: stated, or by the profile's class, the marks of a PDB, or a struct that only one has. */
function osOf(metadata: JsonObject, structs: JsonObject): Os {
  const stated = stringOf(own(metadata, 'os'))?.toLowerCase() ?? '';
  if (stated === 'linux' || stated === 'windows' || stated === 'darwin') return stated;
  const profileClass = stringOf(own(metadata, 'ProfileClass')) ?? '';
  if (/^Linux/.test(profileClass)) return 'linux';
  if (/^(Darwin|OSX)/.test(profileClass)) return 'darwin';
  if (own(metadata, 'GUID_AGE') !== undefined || own(metadata, 'PDBFile') !== undefined) return 'windows';
  if (/^(Nt|Win|PE|BasicPE|PDB|Tcpip|Kdbg|EProcess)/.test(profileClass)) return 'windows';
  if (Object.hasOwn(structs, 'task_struct')) return 'linux';
  if (Object.hasOwn(structs, '_EPROCESS') || Object.hasOwn(structs, '_LIST_ENTRY')) return 'windows';
  return Object.hasOwn(structs, 'proc') && Object.hasOwn(structs, 'vm_map') ? 'darwin' : 'linux';
}

/** Which machine: stated, or in the class's name, or by the size of a struct of two pointers, or by the addresses. */
function archOf(metadata: JsonObject, structs: JsonObject, json: JsonObject): Arch {
  const stated = stringOf(own(metadata, 'arch'))?.toUpperCase() ?? '';
  if (stated === 'AMD64' || stated === 'I386' || stated === 'ARM64') return stated;
  const profileClass = stringOf(own(metadata, 'ProfileClass')) ?? '';
  if (/64$/.test(profileClass)) return 'AMD64';
  if (/32$/.test(profileClass)) return 'I386';
  for (const name of ['_LIST_ENTRY', 'list_head', 'queue_entry']) {
    const vtype = own(structs, name);
    const size = Array.isArray(vtype) ? (vtype as readonly Json[])[0] : undefined;
    if (size === 16) return 'AMD64';
    if (size === 8) return 'I386';
  }
  const constants = objectOf(own(json, '$CONSTANTS')) ?? {};
  for (const name of ['linux_banner', 'init_task', '_stext', '_version', '_allproc']) {
    const address = bigintOf(own(constants, name));
    if (address !== undefined) return address >> 32n === 0n ? 'I386' : 'AMD64';
  }
  return 'AMD64';
}
