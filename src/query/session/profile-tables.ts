/** Tables of what the profile knows: symbols, types, members; and the members of structs as the type checker sees them. */
import { arg } from '../../plugin/args.js';
import { col } from '../../plugin/columns.js';
import { PluginError } from '../../plugin/error.js';
import { similar } from '../../plugin/similar.js';
import type { Session } from '../../session/session.js';
import type { TypeDescriptor } from '../../symbols/types.js';
import type { Profile } from '../../symbols/profile.js';
import type { CatalogTable, MemberType } from '../catalog.js';
import { fixedTable, matcher } from './fixed-table.js';

export function profileTables(session: Session): CatalogTable[] {
  return [
    fixedTable({
      name: 'symbols',
      summary: 'symbols of the kernel and its modules, in a process context also those of its programs',
      args: { pattern: arg.string('module!name with * and ?; a name without them is that symbol', { positional: true, completes: 'symbol', default: '*' }) },
      columns: {
        name: col.string("the symbol's name"),
        address: col.address('where it is'),
        kind: col.string('letter of nm: T text, D data, B bss, R read-only …'),
        module: col.string('linux, or the kernel module or program that has it'),
      },
      async *rows({ pattern }, note) {
        const resolver = await session.resolver();
        let count = 0;
        for (const { name, address, kind, module } of resolver.search(pattern)) {
          count++;
          yield { name, address, kind, module };
        }
        if (count === 0) note(`No symbol fits ${pattern}.`);
      },
    }),
    fixedTable({
      name: 'types',
      summary: 'structs, unions and enumerations of the kernel',
      args: { pattern: arg.string('names, with * and ?', { positional: true, completes: 'struct' }) },
      columns: {
        name: col.string('as C names it, without struct, union or enum'),
        kind: col.string('struct, union or enum'),
        size: col.int('size', { unit: 'bytes' }),
        members: col.int('how many members, or labels of an enumeration'),
      },
      async *rows({ pattern }, note) {
        const { types } = (await session.kernel()).profile;
        const fits = matcher(pattern);
        let count = 0;
        for (const name of types.structNames()) {
          if (!fits(name)) continue;
          const layout = types.struct(name);
          if (!layout) continue;
          count++;
          yield { name, kind: layout.union ? 'union' : 'struct', size: layout.size ?? null, members: layout.members.size };
        }
        for (const name of types.enumNames()) {
          const found = fits(name) ? types.enum(name) : undefined;
          if (!found) continue;
          count++;
          yield { name, kind: 'enum', size: found.size, members: found.choices.size };
        }
        if (count === 0) note(`No type fits ${pattern ?? '*'}.`);
      },
    }),
    fixedTable({
      name: 'members',
      summary: 'members of a struct',
      args: { struct: arg.string.required('the struct: task_struct', { positional: true, completes: 'struct' }) },
      columns: {
        name: col.string("the member's name"),
        offset: col.int('from the beginning of the struct', { unit: 'bytes' }),
        type: col.string('as C writes it'),
        size: col.int('size', { unit: 'bytes' }),
        struct: col.string('the struct that it is or points to'),
      },
      async *rows({ struct }) {
        const { profile } = await session.kernel();
        const layout = profile.types.struct(struct);
        if (!layout) {
          const [near] = similar(struct, profile.types.structNames(), 1);
          throw new PluginError(`There is no struct ${struct}.${near === undefined ? '' : ` Did you mean ${near}?`}`, `select name from types("*${struct.slice(0, 12)}*")`);
        }
        for (const [name, { offset, type }] of layout.members) {
          yield { name, offset, type: profile.compiler.describe(type), size: sizeOf(profile, type), struct: structOf(type) ?? null };
        }
      },
    }),
  ];
}

/** The members of a struct with the types that the checker knows. */
export async function memberTypes(session: Session, struct: string): Promise<ReadonlyMap<string, MemberType> | undefined> {
  if (session.parameters.filename === undefined) return undefined;
  const { profile } = await session.kernel();
  return session.memo(`members of ${struct}`, () => {
    const layout = profile.types.struct(struct);
    return layout && new Map([...layout.members].map(([name, { type }]) => [name, memberType(type)]));
  });
}

function memberType(type: TypeDescriptor): MemberType {
  switch (type.kind) {
    case 'int':
      return { type: type.encoding === 'bool' ? 'bool' : 'int' };
    case 'bitfield':
      return { type: type.base.kind === 'int' && type.base.encoding === 'bool' ? 'bool' : 'int' };
    case 'float':
      return { type: 'float' };
    case 'struct':
      return { type: 'struct', struct: type.name };
    case 'inline':
      return { type: 'struct' };
    case 'pointer':
      // A pointer to a struct reads as that struct.
      return type.target.kind === 'struct' ? { type: 'struct', struct: type.target.name } : { type: 'any' };
    case 'array': {
      if (type.target.kind === 'int') return { type: type.target.size === 1 ? 'any' : 'list' };
      const inner = structOf(type.target);
      return { type: 'list', ...(inner === undefined ? {} : { struct: inner }) };
    }
    default:
      return { type: 'any' };
  }
}

function structOf(type: TypeDescriptor): string | undefined {
  if (type.kind === 'struct') return type.name;
  return type.kind === 'pointer' || type.kind === 'array' ? structOf(type.target) : undefined;
}

function sizeOf(profile: Profile, type: TypeDescriptor): number | null {
  switch (type.kind) {
    case 'int':
    case 'enum':
    case 'float':
      return type.size;
    case 'bitfield':
      return type.base.size;
    case 'pointer':
      return type.size ?? profile.pointerSize;
    case 'array': {
      const one = sizeOf(profile, type.target);
      return one === null ? null : one * type.count;
    }
    case 'struct':
      return profile.types.struct(type.name)?.size ?? null;
    case 'inline':
      return type.layout.size ?? null;
    default:
      return null;
  }
}
