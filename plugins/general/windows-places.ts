import type { Kernel } from '../../src/kernel/kernel.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { frameText } from '../../src/kernel/windows/memory/page-use.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { areaText } from '../../src/kernel/windows/memory/views.js';
import { orElse } from '../../src/memory/absent.js';
import { pageNumber } from '../../src/memory/page.js';
import type { ProcessContext } from '../../src/session/session.js';

/** What a Windows process has at an address: file, offset and protection of its region; undefined elsewhere. */
export function windowsArea(kernel: Kernel, process: ProcessContext | undefined, address: bigint): string | undefined {
  if (!process || kernel.os !== 'windows') return undefined;
  return orElse(() => areaText(kernel as WindowsKernel, process.process as Eprocess, address), undefined);
}

/** Whose page a physical address is, as the page database of Windows knows it; undefined where it does not say. */
export function windowsFrame(kernel: Kernel, physical: number, process: ProcessContext | undefined, address: bigint): string | undefined {
  if (kernel.os !== 'windows') return undefined;
  return frameText(kernel as WindowsKernel, physical, pageNumber(address), process?.process as Eprocess | undefined);
}
