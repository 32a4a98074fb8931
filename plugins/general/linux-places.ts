import type { Kernel } from '../../src/kernel/kernel.js';
import { areaAt, areaText, type Area } from '../../src/kernel/linux/areas.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { frameInfo } from '../../src/kernel/linux/pages.js';
import type { TaskStruct } from '../../src/kernel/linux/types.js';
import { orElse } from '../../src/memory/absent.js';
import type { ProcessContext } from '../../src/session/session.js';

/** The area of a Linux process that an address lies in, and what to say of it; undefined elsewhere. */
export function linuxArea(kernel: Kernel, process: ProcessContext | undefined, address: bigint): (Area & { readonly text: string }) | undefined {
  if (!process || kernel.os !== 'linux') return undefined;
  const mm = orElse(() => (process.process as TaskStruct).mm, null);
  const area = mm ? areaAt(kernel as LinuxKernel, mm, address) : undefined;
  return area && { ...area, text: areaText(area) };
}

/** Whose page a physical address is, as the page database of Linux knows it: a file's, or anonymous; undefined where it does not say. */
export function linuxFrame(kernel: Kernel, physical: number, area?: Area): string | undefined {
  if (kernel.os !== 'linux') return undefined;
  const info = frameInfo(kernel as LinuxKernel, Math.floor(physical / 4096));
  if (!info || info.use === 'other') return undefined;
  const several = info.mappings === undefined ? '' : info.mappings > 1 ? `, mapped ${info.mappings} times` : ', mapped once';
  if (info.use === 'file') return `page cache of ${info.path ?? '?'} +0x${((info.offset ?? 0) + (physical % 4096)).toString(16)}${several}`;
  return `anonymous${area?.offset === undefined ? '' : ", a private copy of the file's page"}${several}`;
}
