import type { EnumType, StructLayout, TypeDescriptor, TypeSource } from '../types.js';

/** A global variable that DWARF describes. */
export interface DwarfVariable {
  readonly type: TypeDescriptor;
  /** as linked; for per-CPU variables the offset in the per-CPU area */
  readonly address: bigint | undefined;
}

/**
 * The types of a file's DWARF, by name. Where units define different structs of one name, the first has the name and another of
 * a different size is `name#size`, which descriptors use where it is meant.
 */
export class DwarfTypes implements TypeSource {
  readonly structs = new Map<string, StructLayout>();
  readonly enums = new Map<string, EnumType>();
  readonly typedefs = new Map<string, TypeDescriptor>();
  /** untagged structs by the name of their typedef */
  readonly aliases = new Map<string, StructLayout>();
  readonly variables = new Map<string, DwarfVariable>();

  struct(name: string): StructLayout | undefined {
    const known = this.structs.get(name) ?? this.aliases.get(name);
    if (known) return known;
    const target = this.typedefs.get(name);
    if (target?.kind === 'inline') return target.layout;
    return target?.kind === 'struct' ? this.structs.get(target.name) : undefined;
  }

  enum(name: string): EnumType | undefined {
    const known = this.enums.get(name);
    if (known) return known;
    const target = this.typedefs.get(name);
    return target?.kind === 'enum' ? target : undefined;
  }

  typedef(name: string): TypeDescriptor | undefined {
    return this.typedefs.get(name);
  }

  /** Tags, and typedefs of untagged structs. */
  *structNames(): Generator<string> {
    for (const name of this.structs.keys()) if (!name.includes('#')) yield name;
    for (const name of this.aliases.keys()) if (!this.structs.has(name)) yield name;
  }

  *enumNames(): Generator<string> {
    yield* this.enums.keys();
    for (const [name, target] of this.typedefs) {
      if (target.kind === 'enum' && target.name === name && !this.enums.has(name)) yield name;
    }
  }
}
