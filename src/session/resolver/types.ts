import type { TypeExpression } from '../../../grammar/address-tree.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { LinuxKernel } from '../../kernel/linux/kernel.js';
import { moduleTypes } from '../../kernel/linux/module-types.js';
import type { TypeCompiler } from '../../object/compiler.js';
import { didYouMean, similar } from '../../plugin/similar.js';
import { dataModel, nativeType } from '../../symbols/native.js';
import type { TypeDescriptor } from '../../symbols/types.js';
import { followPath, type Scope } from './evaluate.js';
import { moduleKey, type ModuleNames } from './module-names.js';

export interface NamedType {
  readonly type: TypeDescriptor;
  readonly compiler: TypeCompiler;
}

/** A type of a compiler, by name: a struct or union, an enumeration, a typedef, a type of C. */
export function typeNamed(kernel: Kernel, compiler: TypeCompiler, name: string): TypeDescriptor | undefined {
  if (compiler.types.struct(name)) return { kind: 'struct', name };
  return (
    compiler.types.enum(name) ??
    compiler.types.typedef(name) ??
    nativeType(name, dataModel(kernel.os, kernel.profile.metadata.arch)) ??
    (compiler.hasStruct(name) ? { kind: 'struct', name } : undefined)
  );
}

/**
 * The compiler of a module: `linux!`, or none, is the kernel; `loop!` the module's own types, which stand on the kernel's. A module without
 * types of its own has the kernel's.
 */
export function compilerOf(kernel: Kernel, module: string | undefined): TypeCompiler | undefined {
  const own = kernel.profile.compiler;
  if (module === undefined) return own;
  const key = moduleKey(module);
  if (['linux', 'nt', 'mach'].includes(key)) return own;
  if (kernel.os !== 'linux') return undefined;
  for (const [name, compiler] of moduleTypes(kernel as LinuxKernel)) if (moduleKey(name) === key || name.replaceAll('_', '-') === key) return compiler;
  return undefined;
}

/** The type that an expression names, its path followed. Errors go to `fail`, with their place. */
export function resolveType(
  kernel: Kernel,
  expression: TypeExpression,
  moduleNamed: (name: string) => ModuleNames | undefined,
  fail: Scope['fail'],
): NamedType & { readonly offset: number; readonly pointer: boolean } {
  const { module, name, at } = expression;
  const names = module === undefined ? undefined : moduleNamed(module);
  // Of a module without types of its own those of the kernel hold: its public types are in the kernel's profile, too.
  const compiler = names?.compiler ?? compilerOf(kernel, module) ?? (names && kernel.profile.compiler);
  if (!compiler) {
    const typed = kernel.os === 'linux' ? ['linux', ...moduleTypes(kernel as LinuxKernel).keys()] : ['nt'];
    const inside = kernel.os === 'windows' ? ' Libraries are known in a process context: cc PID, or address_space=pid@PID.' : '';
    return fail(`No module ${module ?? ''} with types here.${didYouMean(module ?? '', typed) || inside}`, { start: expression.start, end: at.start - 1 });
  }
  const base = typeNamed(kernel, compiler, name);
  if (!base) return fail(`This profile has no struct ${name}${nearTypes(compiler, name)}`, at);
  const { offset, pointer, type: found } = followPath({ type: base, compiler }, expression.path, fail);
  let type = found;
  for (let star = 0; star < expression.pointers; star++) type = { kind: 'pointer', target: type };
  // C reads `t[2][3]` from the right: two arrays of three.
  if (expression.path.length === 0) for (const count of expression.dimensions.toReversed()) type = { kind: 'array', count, target: type };
  return { type, compiler, offset, pointer };
}

/** What ends the sentence that there is none: why, `. Did you mean …?`, or the names that contain what was typed. */
function nearTypes(compiler: TypeCompiler, name: string): string {
  const why = compiler.types.whyNot?.(name);
  if (why !== undefined) return `: ${why}.`;
  const all = [...compiler.types.structNames()];
  const containing = all.filter((known) => known.includes(name)).slice(0, 6);
  if (containing.length > 0) return `. There is ${containing.join(', ')}.`;
  const near = similar(name, all);
  return near.length > 0 ? `. Did you mean ${near.join(' or ')}?` : '.';
}
