import type { DynamicRules } from './dynamic.js';
import type { ProfileMetadata, SourceLine, TypeDescriptor, TypeSource } from './types.js';

/** Names of a profile with their addresses (or, for Windows, offsets from the image's base) as linked: no slide in them. */
export interface Constants {
  /** the first address of the name */
  get(name: string): bigint | undefined;
  /** the type of the global, where the source states it ($CONSTANT_TYPES, ISF symbol types, DWARF variables) */
  type(name: string): TypeDescriptor | undefined;
  /** undefined when there is no such name */
  kind(name: string): 'function' | 'data' | undefined;
  entries(): Iterable<[string, bigint]>;
  readonly size: number;
}

/** What a profile file (or a kernel's debug information) gives: types, names, and what it says of itself. */
export interface ProfileSource {
  readonly types: TypeSource;
  readonly constants: Constants;
  readonly metadata: ProfileMetadata;
  /** how more of it is found in code */
  readonly dynamic?: DynamicRules;
  /** profiles whose sections it takes over, by name in a repository, which are not in it yet ($MERGE) */
  readonly merge?: readonly string[];
  /** the line of the source that made the code at an offset from the image's base, where the source can tell (private PDBs) */
  line?(offset: number): SourceLine | undefined;
}

/** Constants from a map. The kinds and types are optional knowledge. */
export class ConstantMap implements Constants {
  constructor(
    private readonly addresses: ReadonlyMap<string, bigint>,
    private readonly functions: ReadonlySet<string> = new Set(),
    private readonly types: (name: string) => TypeDescriptor | undefined = () => undefined,
  ) {}

  get size(): number {
    return this.addresses.size;
  }

  get(name: string): bigint | undefined {
    return this.addresses.get(name);
  }

  type(name: string): TypeDescriptor | undefined {
    return this.types(name);
  }

  kind(name: string): 'function' | 'data' | undefined {
    if (!this.addresses.has(name)) return undefined;
    return this.functions.has(name) ? 'function' : 'data';
  }

  entries(): Iterable<[string, bigint]> {
    return this.addresses.entries();
  }
}
