import type { AddressExpression, IndexNode, MemberNode, NameNode, PathStep, Place, TypeExpression } from '../../../grammar/address-tree.js';
import { Absent } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import type { TypeCompiler } from '../../object/compiler.js';
import { didYouMean } from '../../plugin/similar.js';
import type { TypeDescriptor } from '../../symbols/types.js';
import { layoutOf, sizeOf } from './member-path.js';

/** An address, and the type of what lies there where that is known. */
export interface Located {
  readonly address: bigint;
  readonly type?: TypeDescriptor;
  readonly compiler?: TypeCompiler;
  /** of a name that stands for one in another module (a forwarded export): itself and each that it leads to, as `module!symbol` */
  readonly via?: readonly string[];
  /** of a constant that was found in code: its name, as `module!symbol`, and where it was found */
  readonly derived?: { readonly name: string; readonly said: string };
}

/** What an expression is evaluated with. */
export interface Scope {
  /** where pointers are read */
  readonly space: AddressSpace;
  /** What a name means, or undefined. A name without module is searched for everywhere. */
  find(module: string | undefined, symbol: string): Located | undefined;
  /** A type by its expression, with the compiler that knows it; throws through `fail`. */
  type(type: TypeExpression): { readonly type: TypeDescriptor; readonly compiler: TypeCompiler };
  /** A type by name, or undefined. */
  findType(name: string): { readonly type: TypeDescriptor; readonly compiler: TypeCompiler } | undefined;
  /** Why a name means nothing, with names that are like it. */
  unknown(module: string | undefined, symbol: string): string;
  fail(message: string, place: Place): never;
}

/** The address that an expression means; 64 bits. Errors go to the scope, with their place. */
export function evaluate(node: AddressExpression, scope: Scope): Located {
  switch (node.kind) {
    case 'number':
      if (node.value >> 64n !== 0n) return scope.fail('An address has 64 bits at most.', node);
      return { address: node.value };
    case 'name':
      return named(node, scope);
    case 'member':
      return step(evaluate(node.object, scope), node.name, node, node.at, scope);
    case 'index':
      return element(node, scope);
    case 'unary': {
      const operand = evaluate(node.operand, scope);
      if (node.operator === '&') return operand;
      if (node.operator === '-') return { address: wrap(-operand.address) };
      return follow(operand, node, scope);
    }
    case 'binary': {
      const left = evaluate(node.left, scope).address;
      const right = evaluate(node.right, scope).address;
      return { address: wrap(node.operator === '+' ? left + right : node.operator === '-' ? left - right : left * right) };
    }
    case 'cast': {
      const known = scope.type(node.type);
      // `(T *)x` says what `(T)x` says: x is where a T is.
      const type = node.type.pointers > 0 && known.type.kind === 'pointer' ? known.type.target : known.type;
      const as = { type, compiler: known.compiler };
      if (node.operand.kind === 'name') return named(node.operand, scope, as);
      return { address: evaluate(node.operand, scope).address, ...as };
    }
  }
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

/** A symbol, or the longest beginning of the name that is one and the members behind it. */
function named(node: NameNode, scope: Scope, as?: { readonly type: TypeDescriptor; readonly compiler: TypeCompiler }): Located {
  const { module, symbol } = node;
  const whole = scope.find(module, symbol);
  if (whole) return { ...whole, ...as };
  for (let dot = symbol.lastIndexOf('.'); dot > 0; dot = symbol.lastIndexOf('.', dot - 1)) {
    const found = scope.find(module, symbol.slice(0, dot));
    if (found) return members({ ...found, ...as }, symbol.slice(dot + 1), node.at.start + dot + 1, node, scope);
  }
  // `task_struct.comm`: how far into the struct the member is.
  const dot = symbol.indexOf('.');
  const type = dot > 0 && module === undefined ? scope.findType(symbol.slice(0, dot)) : undefined;
  if (type) return { address: members({ address: 0n, ...type }, symbol.slice(dot + 1), node.at.start + dot + 1, node, scope).address };
  return scope.fail(scope.unknown(module, symbol), module === undefined || node.at.start === node.start ? node : whichPart(node, scope));
}

/** The module where that is what is not known, otherwise the symbol. */
function whichPart(node: NameNode, scope: Scope): Place {
  const isModule = node.module !== undefined && scope.find(undefined, node.module) !== undefined;
  return isModule ? node.at : { start: node.start, end: node.at.start - 1 };
}

function members(from: Located, path: string, start: number, node: NameNode, scope: Scope): Located {
  let current = from;
  for (const name of path.split('.')) {
    current = step(current, name, node, { start, end: start + name.length }, scope);
    start += name.length + 1;
  }
  return current;
}

/** A member of what lies at an address; a pointer on the way is followed. */
function step(from: Located, name: string, node: MemberNode | NameNode, at: Place, scope: Scope): Located {
  const { compiler } = from;
  const object = from.type?.kind === 'pointer' ? follow(from, node, scope) : from;
  if (!object.type || !compiler) {
    return scope.fail('The type of this is not known, so it has no members: say which, as in (task_struct)ADDRESS.comm.', at);
  }
  const layout = layoutOf(compiler, object.type);
  if (!layout) return scope.fail(`A ${compiler.describe(object.type)} has no members.`, at);
  const member = layout.members.get(name);
  if (!member) return scope.fail(`${compiler.describe(object.type)} has no member ${name}.${didYouMean(name, layout.members.keys())}`, at);
  return { address: wrap(object.address + BigInt(member.offset)), type: member.type, compiler };
}

function element(node: IndexNode, scope: Scope): Located {
  const from = evaluate(node.object, scope);
  const index = evaluate(node.index, scope).address;
  const { type, compiler } = from;
  if (!type || !compiler) return scope.fail('The type of this is not known, so it has no elements: say which, as in (task_struct[4])ADDRESS.', node.object);
  const target = type.kind === 'array' || type.kind === 'pointer' ? type.target : type;
  const base = type.kind === 'pointer' ? follow(from, node, scope).address : from.address;
  const size = sizeOf(compiler, target);
  if (type.kind === 'array' && type.count > 0 && index >= BigInt(type.count)) return scope.fail(`This array has ${type.count} elements.`, node.index);
  if (size === 0) return scope.fail(`The size of ${compiler.describe(target)} is not known.`, node.object);
  return { address: wrap(base + index * BigInt(size)), type: target, compiler };
}

/** What the pointer at an address points at. */
function follow(from: Located, at: Place, scope: Scope): Located {
  try {
    const address = scope.space.readPointer(from.address);
    const { type, compiler } = from;
    return type?.kind === 'pointer' && compiler ? { address, type: type.target, compiler } : { address };
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    return scope.fail(`The pointer at 0x${from.address.toString(16)} cannot be read: ${error.reason}.`, at);
  }
}

/** The type that a path leads to from another one, and its offset where it does not lead through a pointer. */
export function followPath(
  start: { readonly type: TypeDescriptor; readonly compiler: TypeCompiler },
  path: readonly PathStep[],
  fail: Scope['fail'],
): { readonly type: TypeDescriptor; readonly offset: number; readonly pointer: boolean } {
  const { compiler } = start;
  let { type } = start;
  let offset = 0;
  let pointer = false;
  for (const part of path) {
    if (type.kind === 'pointer') {
      type = type.target;
      offset = 0;
      pointer = true;
    }
    if (part.kind === 'index') {
      if (type.kind !== 'array') return fail(`A ${compiler.describe(type)} is no array.`, part);
      if (type.count > 0 && part.index >= type.count) return fail(`This array has ${type.count} elements.`, part);
      offset += part.index * sizeOf(compiler, type.target);
      type = type.target;
      continue;
    }
    const layout = layoutOf(compiler, type);
    if (!layout) return fail(`A ${compiler.describe(type)} has no members.`, part);
    const member = layout.members.get(part.name);
    if (!member) return fail(`${compiler.describe(type)} has no member ${part.name}.${didYouMean(part.name, layout.members.keys())}`, part);
    offset += member.offset;
    type = member.type;
  }
  return { type, offset, pointer };
}
