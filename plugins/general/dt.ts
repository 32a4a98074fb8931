import { Absent } from '../../src/memory/absent.js';
import type { TypeCompiler } from '../../src/object/compiler.js';
import { ArrayView } from '../../src/object/array.js';
import { Struct } from '../../src/object/struct.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Kernel } from '../../src/kernel/kernel.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { moduleTypes } from '../../src/kernel/linux/module-types.js';
import { spaceNamed } from '../../src/session/spaces.js';
import type { TypeDescriptor } from '../../src/symbols/types.js';

export const dt = definePlugin({
  name: 'dt',
  needs: 'kernel',
  topic: 'profile',
  summary: "a struct's members: offset, type, and their values when an address is given",
  notes: "Types come from the session's profile. Structs in place are shown indented, down to depth.",
  args: {
    target: arg.string.required('the struct or union: task_struct, linux!task_struct', { positional: true, completes: 'struct' }),
    offset: arg.address('where it is: values are shown too', { positional: true, completes: 'symbol' }),
    address_space: arg.string('K (kernel), P (physical), pid@N', { completes: 'space' }),
    member_offset: arg.int('only the member at this byte offset', { completes: 'member' }),
    depth: arg.int('levels of structs in place to open', { default: 0 }),
  },
  columns: {
    offset: col.physical('bytes from the start of the struct', { tree: true }),
    field: col.string('name of the member'),
    type: col.string('its type, as C writes it'),
    content: col.any('its value, when an address was given'),
  },
  examples: [{ line: 'dt list_head' }, { line: 'dt uts_namespace linux!init_uts_ns', doc: 'with values' }],
  async *collect(context, args) {
    const { compiler, name } = compilerFor(context.kernel, args.target);
    if (!compiler.hasStruct(name)) {
      const near = [...compiler.types.structNames()].filter((known) => known.includes(name)).slice(0, 6);
      throw new PluginError(`This profile has no struct ${name}.${near.length > 0 ? ` There is ${near.join(', ')}.` : ''}`, 'describe dt');
    }
    const space = await spaceNamed(context.session, args.address_space);
    const type = compiler.struct(name);
    const view = args.offset === undefined ? undefined : type.at(space, args.offset);
    context.note(`${type.layout.union ? 'union' : 'struct'} ${name}, ${type.size ?? '?'} bytes`);
    function* members(of: typeof type, at: Struct | undefined, base: number, depth: number): Generator<Record<string, unknown>> {
      for (const [field, member] of of.members) {
        const wanted = args.member_offset === undefined || member.offset + base === args.member_offset;
        if (wanted) {
          yield {
            $depth: depth,
            offset: base + member.offset,
            field,
            type: compiler.describe(member.type),
            content: () => (at ? show(at, field) : null),
          };
        }
        const inner = depth < args.depth ? open(member.type) : undefined;
        if (inner) yield* members(inner, at ? (at.$get(field) as Struct) : undefined, base + member.offset, depth + 1);
      }
    }
    const open = (member: TypeDescriptor): typeof type | undefined =>
      member.kind === 'struct' && compiler.hasStruct(member.name) ? compiler.struct(member.name) : member.kind === 'inline' ? compiler.inline(member.layout, name) : undefined;
    yield* members(type, view, 0, 0);
  },
});

/** `task_struct` and `linux!task_struct` are the kernel's; `loop!loop_device` comes from the module's own types. */
function compilerFor(kernel: Kernel, target: string): { compiler: TypeCompiler; name: string } {
  const [module, name] = target.includes('!') ? (target.split('!', 2) as [string, string]) : ['linux', target];
  const own = kernel.os === 'linux' ? moduleTypes(kernel as LinuxKernel).get(module) : undefined;
  return { compiler: own ?? kernel.profile.compiler, name };
}

/** A member's value in a form that fits a cell. */
function show(at: Struct, field: string): unknown {
  const value = at.$get(field);
  const label = typeof value === 'number' ? at.$label(field) : undefined;
  if (label !== undefined && label !== String(value)) return `${label} (${value})`;
  if (value instanceof ArrayView) return value.length > 0 && value.length <= 8 && value.stride <= 8 ? [...value].map((item) => (item instanceof Struct || item instanceof Absent ? item.toString() : item)) : value.toString();
  if (value === null) return 'NULL';
  return value;
}
