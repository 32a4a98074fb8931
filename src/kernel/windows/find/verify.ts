import { orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { BUILD_STRING } from './base.js';
import type { WindowsKernel } from '../kernel.js';
import { processors } from '../system/kpcr.js';
import { walkListEntry } from '../lists.js';
import { kernelModules } from '../system/modules.js';
import type { Eprocess } from '../types.js';

/** Threads of the System process that are looked at. */
const SOME = 4;
/** Checks that must hold: one may be broken by malware or be paged out, and chance does not give two. */
const NEEDED = 2;

/** What a kernel was checked against. */
export interface Verification {
  readonly believed: boolean;
  /** in words, what holds and what does not */
  readonly says: string;
}

/** Each leads from symbols of the profile through memory and back: true, false, or undefined where the profile lacks what is needed. */
const CHECKS: readonly (readonly [what: string, check: (kernel: WindowsKernel) => boolean | undefined])[] = [
  ['build string', (kernel) => BUILD_STRING.test(kernel.banner)],
  ['list of processes', listLeadsBack],
  ["System's threads", threadsLeadBack],
  ["processor's block", processorStatesItself],
  ['list of modules', modulesBeginWithKernel],
];

/** Checks a profile's addresses at a base: at least two of five independent ways must lead where they should. */
export function verify(kernel: WindowsKernel): Verification {
  const results = CHECKS.map(([what, check]) => ({ what, holds: orElse(() => check(kernel), false) }));
  const right = results.filter(({ holds }) => holds === true).map(({ what }) => what);
  const wrong = results.filter(({ holds }) => holds === false).map(({ what }) => what);
  const says = [right.length > 0 ? `${right.join(', ')} right` : '', wrong.length > 0 ? `${wrong.join(', ')} not where the profile has ${wrong.length === 1 ? 'it' : 'them'}` : ''];
  return { believed: right.length >= NEEDED, says: says.filter((part) => part !== '').join('; ') };
}

/** The first process names the head of the list as the one before it. */
function listLeadsBack(kernel: WindowsKernel): boolean | undefined {
  const head = kernel.symbol('PsActiveProcessHead');
  if (head === undefined) return undefined;
  return kernel.space.readPointer(kernel.space.readPointer(head) + BigInt(kernel.profile.pointerSize)) === head;
}

/** The System process has id 4 (8 in Windows 2000), and its threads name it. */
function threadsLeadBack(kernel: WindowsKernel): boolean | undefined {
  const process = systemProcess(kernel);
  if (!process || !kernel.profile.has('_ETHREAD', 'ThreadListEntry')) return undefined;
  if (![4, 8].includes(Number(process.UniqueProcessId))) return false;
  let count = 0;
  for (const thread of walkListEntry(process.ThreadListHead as Struct, kernel.struct('_ETHREAD'), 'ThreadListEntry')) {
    if (++count > SOME) break;
    const tcb = thread.$get('Tcb') as Struct;
    // `Process` in `_KTHREAD` since Vista; the process that it is attached to in all.
    const owner = tcb.$has('Process') ? tcb.$pointer('Process') : (tcb.$get('ApcState') as Struct).$pointer('Process');
    if (owner !== process.$address) return false;
  }
  return count > 0;
}

/** The first processor's control region names itself and the block within it. */
function processorStatesItself(kernel: WindowsKernel): boolean | undefined {
  if (!kernel.profile.has('_KPCR')) return undefined;
  const [first] = processors(kernel);
  return first !== undefined && first.problem === undefined;
}

/** The first module is the kernel itself. */
function modulesBeginWithKernel(kernel: WindowsKernel): boolean | undefined {
  if (kernel.symbol('PsLoadedModuleList') === undefined) return undefined;
  for (const module of kernelModules(kernel, { limit: 1 })) return module.DllBase.address === kernel.location.base;
  return false;
}

/** What a crash dump's header says of the kernel's variables, beside where the profile has them; undefined where there is no such header. */
export function headerAgrees(kernel: WindowsKernel): { readonly agrees: boolean; readonly says: string } | undefined {
  const header = kernel.physical.hints.crash?.header;
  if (!header) return undefined;
  const stated = [
    ['PsLoadedModuleList', header.loadedModuleList],
    ['PsActiveProcessHead', header.activeProcessHead],
    ['KdDebuggerDataBlock', header.debuggerData],
  ] as const;
  const known = stated.flatMap(([name, there]) => {
    const here = kernel.symbol(name);
    return there === undefined || here === undefined ? [] : [{ name, there, here }];
  });
  const other = known.filter(({ there, here }) => there !== here).map(({ name, there, here }) => `has ${name} at 0x${there.toString(16)}, and it is at 0x${here.toString(16)}`);
  return { agrees: other.length === 0, says: other.length > 0 ? other.join('; ') : `${known.map(({ name }) => name).join(', ')} are where the profile has them` };
}

/** The System process by its own variable, or undefined where the kernel has none. */
export function systemProcess(kernel: WindowsKernel): Eprocess | undefined {
  const variable = kernel.symbol('PsInitialSystemProcess');
  return variable === undefined ? undefined : kernel.at<Eprocess>('_EPROCESS', kernel.space.readPointer(variable));
}
