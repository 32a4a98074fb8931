import { Absent } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { type Module, moduleRanges, moduleSymbols } from './modules.js';
import type { KernelParam, KparamArray, KparamString } from './types-fs.js';

/** More parameters than this no module has. */
const MOST_PARAMETERS = 1 << 16;
/** More elements than this no array of parameters has. */
const MOST_ELEMENTS = 1 << 16;

/** A parameter's value: what the kernel would print, as a value. Null: a string that was never set. */
export type ParameterValue = number | bigint | boolean | string | null | readonly ParameterValue[];

/** A parameter of a module or of what is built into the kernel. */
export interface ModuleParameter {
  /** of a built-in part with the part's name in front: `printk.time` */
  readonly name: string;
  readonly parameter: KernelParam;
}

/** The parameters of a module: module.kp, of which there are num_kp (include/linux/module.h). Throws Absent. */
export function* moduleParameters(kernel: LinuxKernel, module: Module): Generator<ModuleParameter> {
  yield* parametersAt(kernel, module.$pointer('kp'), Math.min(Number(module.$get('num_kp')), MOST_PARAMETERS));
}

/** The parameters of what is built into the kernel: section __param (__start___param, __stop___param). Throws Absent. */
export function* builtInParameters(kernel: LinuxKernel): Generator<ModuleParameter> {
  const start = kernel.profile.address('__start___param');
  const bytes = Number(kernel.profile.address('__stop___param') - start);
  const size = kernel.struct('kernel_param').size ?? 0;
  if (size === 0 || bytes < 0) return;
  yield* parametersAt(kernel, start, Math.min(Math.floor(bytes / size), MOST_PARAMETERS));
}

function* parametersAt(kernel: LinuxKernel, start: bigint, count: number): Generator<ModuleParameter> {
  const type = kernel.struct<KernelParam>('kernel_param');
  const size = BigInt(type.size ?? 0);
  for (let index = 0n; index < count; index++) {
    const parameter = type.at(kernel.space, start + index * size);
    yield { name: parameter.name.string(1024), parameter };
  }
}

/** How the values of one kind are read: from where kernel_param.arg points, with that much of kernel memory. */
type Decoder = (kernel: LinuxKernel, argument: bigint) => ParameterValue;

const long: Decoder = (kernel, at) =>
  kernel.profile.pointerSize === 8 ? BigInt.asIntN(64, kernel.space.readU64(at)) : kernel.space.readU32(at) | 0;
const unsignedLong: Decoder = (kernel, at) => (kernel.profile.pointerSize === 8 ? kernel.space.readU64(at) : kernel.space.readU32(at));
const bool: Decoder = (kernel, at) => kernel.space.readU8(at) !== 0;

/** By the function that prints a value (kernel_param_ops.get; kernel/params.c, include/linux/moduleparam.h), without `param_get_`. */
const decoders: Readonly<Record<string, Decoder>> = {
  byte: (kernel, at) => kernel.space.readU8(at),
  short: (kernel, at) => (kernel.space.readU16(at) << 16) >> 16,
  ushort: (kernel, at) => kernel.space.readU16(at),
  int: (kernel, at) => kernel.space.readU32(at) | 0,
  uint: (kernel, at) => kernel.space.readU32(at),
  hexint: (kernel, at) => `0x${kernel.space.readU32(at).toString(16).padStart(6, '0')}`,
  long,
  ulong: unsignedLong,
  ullong: (kernel, at) => kernel.space.readU64(at),
  bool,
  invbool: (kernel, at) => kernel.space.readU8(at) === 0,
  charp: (kernel, at) => {
    const text = kernel.space.readPointer(at);
    return text === 0n ? null : decodeText(kernel.space.readCString(text));
  },
};

/** How the values of a parameter are printed: `int`, `bool`, `charp`, `string`, `array of uint`; a function's name where it is one of its own; null where they cannot be read. */
export function parameterType(kernel: LinuxKernel, parameter: KernelParam): string | null {
  const getter = getterOf(kernel, parameter.ops);
  if (getter === 'param_array_get') {
    const element = getterOf(kernel, arrayOf(kernel, parameter).ops);
    return `array of ${element === null ? 'unknown' : short(element)}`;
  }
  return getter === null ? null : short(getter);
}

/** The value of a parameter. Throws Absent for those that only a function of the module's own can print. */
export function parameterValue(kernel: LinuxKernel, parameter: KernelParam): ParameterValue {
  const getter = getterOf(kernel, parameter.ops);
  if (getter === null) throw new Absent('not-applicable', 'this parameter cannot be read, only set');
  const argument = parameter.$pointer('arg');
  if (isInitData(kernel, argument)) throw new Absent('not-applicable', 'was used while booting only; its memory was given back');
  if (getter === 'param_array_get') return arrayValue(kernel, arrayOf(kernel, parameter));
  if (getter === 'param_get_string') {
    const text = kernel.at<KparamString>('kparam_string', argument);
    return decodeText(kernel.space.readCString(text.string.address, Math.min(text.maxlen, 4096)));
  }
  return decode(kernel, getter, argument);
}

/** True for addresses between __init_begin and __init_end, which the kernel frees after booting. */
function isInitData(kernel: LinuxKernel, address: bigint): boolean {
  const begin = kernel.symbol('__init_begin');
  const end = kernel.symbol('__init_end');
  return begin !== undefined && end !== undefined && address >= begin && address < end;
}

function decode(kernel: LinuxKernel, getter: string, argument: bigint): ParameterValue {
  const decoder = decoders[short(getter)];
  if (!decoder) throw new Absent('not-applicable', `printed by ${getter}, a function of its own`);
  return decoder(kernel, argument);
}

/** kernel/params.c: param_array_get: *num elements, or max where num is null. */
function arrayValue(kernel: LinuxKernel, array: KparamArray): ParameterValue[] {
  const getter = getterOf(kernel, array.ops);
  const count = array.num.isNull ? array.max : kernel.space.readU32(array.num.address);
  if (count > MOST_ELEMENTS) throw new Absent('corrupt', `an array of ${count} parameters`, array.$address);
  const values: ParameterValue[] = [];
  for (let index = 0; index < count; index++) values.push(decode(kernel, getter ?? 'unknown', array.elem.address + BigInt(index * array.elemsize)));
  return values;
}

function arrayOf(kernel: LinuxKernel, parameter: KernelParam): KparamArray {
  return kernel.at<KparamArray>('kparam_array', parameter.$pointer('arg'));
}

/** Name of the function that prints values, or null where there is none. */
function getterOf(kernel: LinuxKernel, operations: Struct | null): string | null {
  if (!operations) return null;
  const address = operations.$pointer('get');
  if (address === 0n) return null;
  const found = kernel.profile.symbols.nearest(address);
  if (found?.distance === 0n) return found.symbol.name;
  const range = moduleRanges(kernel).find(({ start, end }) => address >= start && address < end);
  const own = range && moduleSymbols(kernel, range.module).find((symbol) => symbol.address === address);
  return own?.name ?? `0x${address.toString(16)}`;
}

function short(getter: string): string {
  return getter.replace(/^param_get_/, '');
}
