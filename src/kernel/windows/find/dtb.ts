import { createPagedSpace, type PagingKind } from '../../../memory/paging/create.js';
import type { Steps } from '../../../memory/breathe.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { orElse } from '../../../memory/absent.js';
import type { Profile } from '../../../symbols/profile.js';
import { occurrenceSteps, readPhysical } from '../../../symbols/window.js';
import { directoryTable } from '../kernel.js';

/** A page-table root, and how it was found. */
export interface WindowsRoot {
  readonly dtb: number;
  readonly paging: PagingKind;
  readonly method: string;
  /** physical address of the process object that names it, where one does */
  readonly process?: number;
  /** a virtual address that its finder says is in, or near, the kernel's image */
  readonly hint?: bigint;
}

/** Where every process has the system's version, read-only (`_KUSER_SHARED_DATA`, ntddk.h). */
export const SHARED_DATA = { wide: 0xfffff78000000000n, narrow: 0xffdf0000n };
const NT_MAJOR_VERSION = 0x26c;
const NT_MINOR_VERSION = 0x270;

/** Names of processes that every system has; what stands behind a name fills its 15 or 16 bytes with zeros. */
const KNOWN = ['System\0\0\0\0', 'Idle\0\0\0\0\0\0', 'smss.exe\0\0', 'csrss.exe\0', 'lsass.exe\0'];

/** A space of a root in which nothing is known of the kernel yet. */
export function rootSpace(physical: PhysicalSpace, { paging, dtb }: { readonly paging: PagingKind; readonly dtb: number }): PagedSpace {
  return createPagedSpace(paging, physical, dtb, { os: 'windows' });
}

/** The version in the shared page of a root, or undefined where it does not map one. */
export function sharedVersion(space: PagedSpace): { major: number; minor: number } | undefined {
  const at = space.bits === 64 ? SHARED_DATA.wide : SHARED_DATA.narrow;
  return orElse(() => {
    const [major, minor] = [space.readU32(at + BigInt(NT_MAJOR_VERSION)), space.readU32(at + BigInt(NT_MINOR_VERSION))];
    return major >= 5 && major <= 10 && minor <= 3 ? { major, minor } : undefined;
  }, undefined);
}

/** The root that a crash dump's header names: the tables of the process that ran then, which map the kernel too. */
export function* rootsOfHeader(physical: PhysicalSpace): Generator<WindowsRoot> {
  const header = physical.hints.crash?.header;
  if (!header || header.directoryTable === 0) return;
  const paging: PagingKind = physical.hints.architecture === 'arm64' ? 'arm64' : header.bits === 64 ? 'amd64' : header.pae ? 'i386-pae' : 'i386';
  const mask = paging === 'i386-pae' ? 32 : 4096;
  yield { dtb: header.directoryTable - (header.directoryTable % mask), paging, method: "the dump's header", ...(header.loadedModuleList === undefined ? {} : { hint: header.loadedModuleList }) };
}

/**
 * Physical addresses of process objects by the names that every system has, those of the System and Idle process first.
 * @param nameOffset bytes from the object to its name; 0 for the places of the names themselves
 */
export function* namedProcesses(physical: PhysicalSpace, nameOffset: number): Steps<{ readonly name: string; readonly at: number }> {
  for (const known of KNOWN) {
    for (const hit of occurrenceSteps(physical, Buffer.from(known.slice(0, 7), 'latin1'), 0, physical.end)) {
      yield undefined;
      if (hit === undefined) continue;
      if (!readPhysical(physical, hit, known.length)?.equals(Buffer.from(known, 'latin1'))) continue;
      const at = hit - nameOffset;
      if (at >= 0 && (nameOffset === 0 || at % 8 === 0)) yield { name: known.replace(/\0+$/, ''), at };
    }
  }
}

/**
 * Roots from process objects: a name that every system has stands at `_EPROCESS.ImageFileName`, and the object's
 * `DirectoryTableBase` must map the page that all processes share. The tables of the System and Idle process are the kernel's own.
 */
export function* rootsOfProcesses(physical: PhysicalSpace, profile: Profile): Steps<WindowsRoot> {
  const process = profile.struct('_EPROCESS');
  const pcb = process.offsetOf('Pcb');
  const seen = new Set<number>();
  for (const found of namedProcesses(physical, process.offsetOf('ImageFileName'))) {
    yield undefined;
    if (!found) continue;
    for (const paging of pagingsOf(profile)) {
      const dtb = orElse(() => directoryTable(profile.struct('_KPROCESS').at(physical, BigInt(found.at + pcb)), paging), 0);
      if (dtb === 0 || dtb >= physical.end || seen.has(dtb)) continue;
      if (!sharedVersion(rootSpace(physical, { paging, dtb }))) continue;
      seen.add(dtb);
      yield { dtb, paging, method: `process ${found.name} at 0x${found.at.toString(16)}`, process: found.at };
    }
  }
}

/** Kinds of paging that a profile's kernel may run with, likeliest first. */
export function pagingsOf(profile: Profile): PagingKind[] {
  return profile.pointerSize === 8 ? ['amd64'] : ['i386-pae', 'i386'];
}
