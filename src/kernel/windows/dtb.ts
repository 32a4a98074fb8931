import { createPagedSpace, type PagingKind } from '../../memory/paging/create.js';
import type { Steps } from '../../memory/breathe.js';
import type { PagedSpace } from '../../memory/paging/paged.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { orElse } from '../../memory/absent.js';
import type { Profile } from '../../symbols/profile.js';
import { occurrenceSteps, readPhysical } from '../../symbols/window.js';
import { directoryTable } from './kernel.js';

/** A page-table root, and how it was found. */
export interface WindowsRoot {
  readonly dtb: number;
  readonly paging: PagingKind;
  readonly method: string;
}

/** Where every process has the system's version, read-only (`_KUSER_SHARED_DATA`, ntddk.h). */
const SHARED_DATA = { wide: 0xfffff78000000000n, narrow: 0xffdf0000n };
const NT_MAJOR_VERSION = 0x26c;
const NT_MINOR_VERSION = 0x270;

/** Bytes that are looked through in one step. */
const STEP = 512 * 1024;

/** Names of processes that every system has; what stands behind a name fills its 15 or 16 bytes with zeros. */
const KNOWN = ['System\0\0\0\0', 'Idle\0\0\0\0\0\0', 'smss.exe\0\0', 'csrss.exe\0', 'lsass.exe\0'];

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
  yield { dtb: header.directoryTable - (header.directoryTable % mask), paging, method: "the dump's header" };
}

/**
 * Roots from process objects: a name that every system has stands at `_EPROCESS.ImageFileName`, and the object's
 * `DirectoryTableBase` must map the page that all processes share. Those of the System and Idle process, whose tables are the kernel's own, are looked for first.
 */
export function* rootsOfProcesses(physical: PhysicalSpace, profile: Profile): Steps<WindowsRoot> {
  const process = profile.struct('_EPROCESS');
  const name = process.offsetOf('ImageFileName');
  const pcb = process.offsetOf('Pcb');
  const seen = new Set<number>();
  for (const known of KNOWN) {
    for (const hit of occurrenceSteps(physical, Buffer.from(known.slice(0, 7), 'latin1'), 0, physical.end)) {
      yield undefined;
      if (hit === undefined) continue;
      if (!readPhysical(physical, hit, known.length)?.equals(Buffer.from(known, 'latin1'))) continue;
      const at = hit - name;
      if (at < 0 || at % 8 !== 0) continue;
      for (const paging of pagingsOf(profile)) {
        const dtb = orElse(() => directoryTable(profile.struct('_KPROCESS').at(physical, BigInt(at + pcb)), paging), 0);
        if (dtb === 0 || dtb >= physical.end || seen.has(dtb)) continue;
        if (!sharedVersion(createPagedSpace(paging, physical, dtb, { os: 'windows' }))) continue;
        seen.add(dtb);
        yield { dtb, paging, method: `process ${known.replace(/\0+$/, '')} at 0x${at.toString(16)}` };
      }
    }
  }
}

/**
 * Roots without a profile, for amd64: a page whose one entry names the page itself (the tables' own window into the address space;
 * its place is random since Windows 10 1607) and that maps the shared page.
 */
export function* rootsThatNameThemselves(physical: PhysicalSpace): Steps<WindowsRoot> {
  const page = Buffer.alloc(4096);
  for (const run of physical.runs) {
    for (let at = Math.ceil(run.start / 4096) * 4096; at + 4096 <= run.end; at += 4096) {
      if (at % STEP === 0) yield undefined;
      if (physical.readInto(at, page, 0, 4096) !== 4096) continue;
      const low = (at % 2 ** 32) | 0;
      const high = Math.floor(at / 2 ** 32);
      for (let entry = 256; entry < 512; entry++) {
        const word = page.readUInt32LE(entry * 8);
        if ((word & 1) === 0 || ((word & 0xfffff000) | 0) !== low || (page.readUInt32LE(entry * 8 + 4) & 0xfffff) !== high) continue;
        if (sharedVersion(createPagedSpace('amd64', physical, at, { os: 'windows' }))) yield { dtb: at, paging: 'amd64', method: `entry ${entry} names its own table` };
      }
    }
  }
}

/** Kinds of paging that a profile's kernel may run with, likeliest first. */
export function pagingsOf(profile: Profile): PagingKind[] {
  return profile.pointerSize === 8 ? ['amd64'] : ['i386-pae', 'i386'];
}
