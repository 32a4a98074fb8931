import type { EnumType, MemberLayout, SourceLine, StructLayout, TypeDescriptor, TypeSource } from './types.js';

/**
 * What a member is meant to be: a type, or a function that makes one of the member's own type (so that bit fields stay where they are) and of the
 * profile's other types (builds differ); undefined leaves the member as it is.
 */
export type Meaning = TypeDescriptor | ((own: TypeDescriptor, types: TypeSource, layout: StructLayout) => TypeDescriptor | undefined);

/** How members of a profile are meant, beyond what its source could say: struct → member → meaning (at the member's own place). */
export type Overlay = Readonly<Record<string, Readonly<Record<string, Meaning>>>>;

/** Types with an overlay on top: `_EPROCESS.ImageFileName` is text, `CreateTime` a time. Members that the profile lacks are not added. */
export class OverlayTypes implements TypeSource {
  private readonly layouts = new Map<string, StructLayout | undefined>();

  constructor(
    private readonly base: TypeSource,
    private readonly overlay: Overlay,
  ) {}

  struct(name: string): StructLayout | undefined {
    if (!this.layouts.has(name)) this.layouts.set(name, this.laidOver(name));
    return this.layouts.get(name);
  }

  enum(name: string): EnumType | undefined {
    return this.base.enum(name);
  }

  typedef(name: string): TypeDescriptor | undefined {
    return this.base.typedef(name);
  }

  structNames(): Iterable<string> {
    return this.base.structNames();
  }

  enumNames(): Iterable<string> {
    return this.base.enumNames();
  }

  whyNot(struct: string): string | undefined {
    return this.base.whyNot?.(struct);
  }

  declaration(name: string): SourceLine | undefined {
    return this.base.declaration?.(name);
  }

  warm(): void {
    this.base.warm?.();
  }

  private laidOver(name: string): StructLayout | undefined {
    const layout = this.base.struct(name);
    const changes = Object.hasOwn(this.overlay, name) ? this.overlay[name] : undefined;
    if (!layout || !changes) return layout;
    const members = new Map<string, MemberLayout>(layout.members);
    for (const [member, meaning] of Object.entries(changes)) {
      const known = members.get(member);
      const type = known && (typeof meaning === 'function' ? meaning(known.type, this.base, layout) : meaning);
      if (known && type) members.set(member, { offset: known.offset, type });
    }
    return { ...layout, members };
  }
}

/** The tables of several overlays; where two speak of one member the later one counts. */
export function joined(...overlays: readonly Overlay[]): Overlay {
  const all: Record<string, Record<string, Meaning>> = {};
  for (const overlay of overlays) for (const [struct, members] of Object.entries(overlay)) all[struct] = { ...all[struct], ...members };
  return all;
}
