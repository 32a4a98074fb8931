import type { Steps } from '../../../memory/breathe.js';
import { orElse } from '../../../memory/absent.js';
import type { PagingKind } from '../../../memory/paging/create.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { Struct } from '../../../object/struct.js';
import { occurrenceSteps, readPhysical } from '../../../symbols/window.js';
import { rootSpace, sharedVersion } from './dtb.js';
import { directoryTable, type WindowsKernel } from '../kernel.js';
import type { Eprocess } from '../types.js';

/** Characters of a name in a process object; zeros fill what a shorter one leaves. */
const NAME = 15;
/** `DISPATCHER_HEADER.Type`: ProcessObject of `_KOBJECTS`. */
const PROCESS_OBJECT = 3;

/** A process object in physical memory, whether the kernel knows it or not. */
export interface FoundObject {
  readonly name: string;
  readonly process: Eprocess;
  /** physical address of its top page table */
  readonly dtb: number;
}

/** Process objects with one of these names, searched for in all of physical memory. Text that merely reads so is no object and left out. */
export function* processObjects(kernel: WindowsKernel, names: readonly string[]): Steps<FoundObject> {
  const { physical } = kernel;
  const type = kernel.struct<Eprocess>('_EPROCESS');
  const offset = type.offsetOf('ImageFileName');
  for (const name of new Set(names)) {
    const wanted = Buffer.alloc(NAME);
    wanted.write(name.slice(0, NAME), 'latin1');
    // What is looked for first is the name itself: zeros are everywhere.
    for (const hit of occurrenceSteps(physical, wanted.subarray(0, Math.min(NAME, Math.max(4, name.length))), 0, physical.end)) {
      yield undefined;
      if (hit === undefined || hit < offset || (hit - offset) % 8 !== 0) continue;
      if (!readPhysical(physical, hit, NAME)?.equals(wanted)) continue;
      const process = type.at(physical, BigInt(hit - offset));
      const isObject = orElse(() => Number((process.Pcb.$get('Header') as Struct).$get('Type')) === PROCESS_OBJECT, false);
      if (isObject) yield { name, process, dtb: orElse(() => directoryTable(process.Pcb, kernel.location.paging), 0) };
    }
  }
}

/** What speaks against page tables: they must map the shared page and this kernel's image. Undefined where nothing does. */
export function rootProblem(kernel: WindowsKernel, root: { readonly dtb: number; readonly paging: PagingKind }): string | undefined {
  if (root.dtb === 0) return 'it has no page tables: the process has ended';
  if (root.dtb >= kernel.physical.end) return 'they are not in the image';
  const space = rootSpace(kernel.physical, root);
  if (!sharedVersion(space)) return 'they do not map the page that all processes share';
  const { base } = kernel.location;
  return sameFrame(space, kernel.space, base) ? undefined : `they do not map the kernel at 0x${base.toString(16)}`;
}

/** What speaks against a process object: its threads must be reached through its own page tables, and lead back. */
export function threadsProblem(kernel: WindowsKernel, { process, dtb }: FoundObject): string | undefined {
  const space = rootSpace(kernel.physical, { dtb, paging: kernel.location.paging });
  const word = BigInt(kernel.profile.pointerSize);
  const back = orElse(() => {
    const first = process.ThreadListHead.$pointer('Flink');
    // The list's head has another address here, in physical memory: its neighbour names it.
    const head = space.readPointer(first + word);
    return space.readPointer(head) === first;
  }, false);
  return back ? undefined : 'its list of threads does not lead back';
}

function sameFrame(a: PagedSpace, b: PagedSpace, address: bigint): boolean {
  const physical = a.translate(address);
  return physical !== undefined && physical === b.translate(address);
}
