import { Absent, orElse } from '../../../memory/absent.js';
import type { WindowsKernel } from '../kernel.js';
import { loadedModules, pebOf } from './peb.js';
import { unicodeText } from '../strings.js';
import type { Eprocess } from '../types.js';
import { fileName, vadFacts, vadFile, vads } from '../memory/vad.js';

/** An executable or library in the memory of a process. */
export interface ProcessImage {
  readonly base: bigint;
  /** file name; empty where it is not in memory */
  readonly name: string;
  /** who knows it: the loader of the process, or the kernel's regions alone (that of a 32-bit process on x64 has a list of its own) */
  readonly source: 'loader' | 'region';
}

/** Where the program of a process is: by its own PEB, and by the kernel. A process may change the former, and its page may be missing. */
export function programBase(kernel: WindowsKernel, process: Eprocess): { readonly peb: bigint | undefined; readonly kernel: bigint | undefined } {
  const address = (read: () => bigint | undefined): bigint | undefined => {
    const found = orElse(read, undefined);
    return found === 0n ? undefined : found;
  };
  return {
    peb: address(() => pebOf(kernel, process)?.$pointer('ImageBaseAddress')),
    kernel: address(() => process.$pointer('SectionBaseAddress')),
  };
}

/**
 * The executables of a process: those that its loader lists, in that order, then those that are mapped without being there. What cannot be
 * read is told.
 */
export function* processImages(kernel: WindowsKernel, process: Eprocess, onFault: (what: string) => void): Generator<ProcessImage> {
  const seen = new Set<bigint>();
  try {
    for (const entry of loadedModules(kernel, process, 'load', { onFault })) {
      const base = orElse(() => entry.DllBase.address, 0n);
      if (base === 0n || seen.has(base)) continue;
      seen.add(base);
      yield { base, name: orElse(() => unicodeText(entry.BaseDllName), ''), source: 'loader' };
    }
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    onFault(`${orElse(() => `${process.ImageFileName} (${Number(process.UniqueProcessId)})`, 'a process')}: the loader's list is not in memory, its modules are told by what is mapped`);
  }
  for (const region of vads(kernel, process, onFault)) {
    if (seen.has(region.start) || !orElse(() => vadFacts(kernel, region).image, false)) continue;
    seen.add(region.start);
    const path = orElse(() => {
      const file = vadFile(kernel, region);
      return file ? fileName(file) : '';
    }, '');
    yield { base: region.start, name: path.split('\\').at(-1) ?? '', source: 'region' };
  }
}
