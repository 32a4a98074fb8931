import type { AddressSpace } from '../../src/memory/space.js';
import type { TypeCompiler } from '../../src/object/compiler.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { UsageError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { layoutOf, sizeOf } from '../../src/session/resolver/member-path.js';
import type { Resolver } from '../../src/session/resolver/resolver.js';
import { findSpace, resolverIn } from '../../src/session/spaces.js';
import { printable } from '../../src/symbols/error.js';
import type { EnumType, FunctionSignature, StructLayout, TypeDescriptor } from '../../src/symbols/types.js';
import { showValue } from './show-value.js';

/** Elements of an array that are shown. */
const MOST_ELEMENTS = 1024;

export const dt = definePlugin({
  name: 'dt',
  needs: 'kernel',
  topic: 'profile',
  summary: "a type's members: offset, type, and their values when an address is given",
  notes:
    "Types come from the session's profile, and those of modules from their own BTF: loop!loop_device. A path leads to a member's type, through pointers too: task_struct.mm shows the mm_struct, " +
    'and with an address that of this task. Arrays are shown by element (list_head[4]), enumerations by label. Instead of a type a global may be named whose type is known: dt init_task; of a function (from private PDBs) it shows the prototype. ' +
    'Members that the profile has rules for ($DYNAMIC_STRUCTS) are told with the instructions that they were found in. Structs in place are opened down to depth. Values are read in the process context, if there is one.',
  args: {
    target: arg.string.required('the type: task_struct, linux!task_struct, task_struct.mm, list_head[4], enum pid_type; or a typed global', { positional: true, completes: 'struct' }),
    offset: arg.address('where it is: values are shown too', { positional: true, completes: 'symbol' }),
    address_space: arg.space(),
    member_offset: arg.int('only the member that this byte is in', { completes: 'member', least: 0 }),
    depth: arg.int('levels of structs in place to open', { default: 0, least: 0 }),
  },
  columns: {
    offset: col.physical('bytes from the start of the struct', { tree: true }),
    field: col.string('name of the member, number of the element, or label'),
    type: col.string('its type, as C writes it'),
    content: col.any("its value, when an address was given; of a label its number"),
    address: col.address('where the member is', { hidden: true }),
  },
  examples: [
    { line: 'dt list_head' },
    { line: 'dt uts_namespace linux!init_uts_ns', doc: 'with values' },
    { line: 'dt task_struct.cred linux!init_task', doc: 'what a member points at' },
  ],
  async *collect(context, args) {
    const { session } = context;
    const { space } = await findSpace(session, args.address_space);
    const resolver = await resolverIn(session, args.address_space);
    const { type, compiler, name, at } = await subject(resolver, args.target, args.offset, space);
    const layout = layoutOf(compiler, type);
    const kind = layout ? (layout.union ? 'union ' : 'struct ') : '';
    const place = at === undefined ? '' : ` at 0x${at.toString(16)}`;
    const size = sizeOf(compiler, type);
    const declared = type.kind === 'struct' || type.kind === 'enum' ? compiler.types.declaration?.(type.name ?? '') : undefined;
    context.note(`${kind}${name}${place}${size > 0 ? `, ${size} bytes` : ''}${declared ? `, declared in ${printable(declared.file)}, line ${declared.line}` : ''}`);
    for (const note of layout?.notes ?? []) context.note(note);
    for (const [why, members] of notFound(layout)) context.note(`${members.join(', ')}: ${why}`);
    const lister = new Lister(compiler, space, resolver, args.depth, args.member_offset);
    let count = 0;
    for (const row of lister.all(type, at)) {
      count++;
      yield row;
    }
    if (count === 0 && args.member_offset !== undefined) context.note(`No member is at offset 0x${args.member_offset.toString(16)}.`);
  },
});

/** Members that were looked for in vain, by the reason. */
function notFound(layout: StructLayout | undefined): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  for (const [member, why] of layout?.missing ?? []) reasons.set(why, [...(reasons.get(why) ?? []), member]);
  return reasons;
}

/** What is to be shown, and where it is. */
interface Subject {
  readonly type: TypeDescriptor;
  readonly compiler: TypeCompiler;
  readonly name: string;
  readonly at: bigint | undefined;
}

/** A type by its expression, or a global whose type is known. Pointers at the end of a path are followed. */
async function subject(resolver: Resolver, target: string, offset: bigint | undefined, space: AddressSpace): Promise<Subject> {
  const found = await resolver.type(target).catch((error: unknown) => {
    if (error instanceof UsageError) return error;
    throw error;
  });
  if (found instanceof UsageError) {
    const global = offset === undefined ? await typedGlobal(resolver, target) : undefined;
    if (!global) throw found;
    return opened(global.type, global.compiler, global.address, space);
  }
  const { compiler, tree } = found;
  if (offset === undefined || tree.path.length === 0) return opened(found.type, compiler, offset, space);
  // With an address the path is walked there, so that pointers on the way are read.
  const steps = tree.path.map((step) => (step.kind === 'member' ? `.${step.name}` : `[${step.index}]`)).join('');
  const module = tree.module === undefined ? '' : `${tree.module}!`;
  const place = await resolver.locate(`(${module}${tree.name})0x${offset.toString(16)}${steps}`);
  return opened(place.type ?? found.type, compiler, place.address, space);
}

async function typedGlobal(resolver: Resolver, name: string): Promise<{ type: TypeDescriptor; compiler: TypeCompiler; address: bigint } | undefined> {
  const global = await resolver.locate(name).catch((error: unknown) => {
    if (error instanceof UsageError) return undefined;
    throw error;
  });
  return global?.type && global.compiler ? { type: global.type, compiler: global.compiler, address: global.address } : undefined;
}

/** A pointer to a struct stands for the struct. Throws Absent where it cannot be read. */
function opened(type: TypeDescriptor, compiler: TypeCompiler, at: bigint | undefined, space: AddressSpace): Subject {
  const name = compiler.describe(type);
  if (type.kind !== 'pointer' || !layoutOf(compiler, type.target)) return { type, compiler, name, at };
  const target = at === undefined ? undefined : space.readPointer(at);
  if (target === 0n) return { type, compiler, name, at };
  return { type: type.target, compiler, name: compiler.describe(type.target), at: target };
}

/** Makes the rows of one type. */
class Lister {
  constructor(
    private readonly compiler: TypeCompiler,
    private readonly space: AddressSpace,
    private readonly resolver: Resolver,
    private readonly depth: number,
    /** only the member that this byte is in */
    private readonly wanted: number | undefined,
  ) {}

  *all(type: TypeDescriptor, at: bigint | undefined) {
    const layout = layoutOf(this.compiler, type);
    if (layout) yield* this.members(layout, at, 0, 0);
    else if (type.kind === 'enum') yield* labels(type, at === undefined ? undefined : () => showValue(this.compiler, type, this.space, at));
    else if (type.kind === 'array' && !isText(type.target)) yield* this.elements(type, at);
    else if (type.kind === 'function' && type.signature) yield* this.signature(type.signature);
    else yield this.row('', type, at, 0, 0);
  }

  /** What a function gives, and what it takes; a member function's first parameter is the object. */
  private *signature({ returns, parameters, variadic }: FunctionSignature) {
    yield { field: 'returns', type: typeText(this.compiler, returns) };
    for (const [index, type] of parameters.entries()) yield { field: `parameter ${index + 1}`, type: typeText(this.compiler, type) };
    if (variadic) yield { field: '...', type: '' };
  }

  private *members(layout: StructLayout, at: bigint | undefined, base: number, depth: number): Generator<ReturnType<Lister['row']>> {
    for (const [field, member] of layout.members) {
      const offset = base + member.offset;
      if (this.isWanted(offset, member.type)) yield this.row(field, member.type, at, offset, depth, layout.name);
      const inner = depth < this.depth ? layoutOf(this.compiler, member.type) : undefined;
      if (inner) yield* this.members(inner, at, offset, depth + 1);
    }
  }

  private *elements(type: TypeDescriptor & { kind: 'array' }, at: bigint | undefined): Generator<ReturnType<Lister['row']>> {
    const step = sizeOf(this.compiler, type.target);
    const inner = layoutOf(this.compiler, type.target);
    for (let index = 0; index < Math.min(type.count, MOST_ELEMENTS); index++) {
      if (this.isWanted(index * step, type.target)) yield this.row(`[${index}]`, type.target, at, index * step, 0);
      if (inner && (this.depth > 0 || type.count <= 16)) yield* this.members(inner, at, index * step, 1);
    }
  }

  private isWanted(offset: number, type: TypeDescriptor): boolean {
    return this.wanted === undefined || (this.wanted >= offset && this.wanted < offset + Math.max(1, sizeOf(this.compiler, type)));
  }

  /** @param struct name of the struct that it is a member of */
  private row(field: string, type: TypeDescriptor, at: bigint | undefined, offset: number, depth: number, struct?: string) {
    const { compiler, space, resolver } = this;
    const address = at === undefined ? null : BigInt.asUintN(64, at + BigInt(offset));
    return {
      $depth: depth,
      offset,
      field,
      type: typeText(compiler, type),
      content: () => (address === null ? null : showValue(compiler, type, space, address, resolver, struct === undefined ? undefined : { struct, member: field })),
      address,
    };
  }
}

function isText(type: TypeDescriptor): boolean {
  return type.kind === 'int' && type.size === 1;
}

/** `unsigned int:3 (bits 4 to 6)` */
function typeText(compiler: TypeCompiler, type: TypeDescriptor): string {
  const text = compiler.describe(type);
  if (type.kind !== 'bitfield') return text;
  const last = type.startBit + type.bits - 1;
  return `${text} (${type.bits === 1 ? `bit ${type.startBit}` : `bits ${type.startBit} to ${last}`})`;
}

function* labels(type: EnumType, value: (() => unknown) | undefined) {
  if (value) yield { field: 'value', type: `enum ${type.name ?? ''}`.trim(), content: value };
  for (const [number, label] of type.choices) yield { field: label, type: `enum ${type.name ?? ''}`.trim(), content: BigInt(number) };
}
