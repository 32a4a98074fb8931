import type { AddressSpace } from '../space.js';
import { Arm64Space } from './arm64.js';
import { LinuxAmd64Space, LinuxI386Space, LinuxPaeSpace } from './linux.js';
import type { PagedOptions, PagedSpace } from './paged.js';
import { WindowsAmd64Space, WindowsI386Space, type WindowsPagedOptions, WindowsPaeSpace } from './windows.js';
import { Amd64Space, I386Space, PaeSpace } from './x86.js';

/** Kinds of paging: architecture, and its mode where there are several. */
export const PAGING_KINDS = ['amd64', 'amd64-la57', 'i386', 'i386-pae', 'arm64'] as const;
export type PagingKind = (typeof PAGING_KINDS)[number];

export interface CreateOptions extends PagedOptions {
  /** whose not-present entries are to be understood */
  readonly os?: 'linux' | 'windows';
  /** what the Windows kernel says of its entries */
  readonly windows?: Omit<WindowsPagedOptions, 'name'>;
  /** arm64: physical address of the user half's table */
  readonly userDtb?: number;
}

/**
 * An address space behind page tables.
 * @param physical where tables and pages lie
 * @param dtb physical address of the top table
 */
export function createPagedSpace(kind: PagingKind, physical: AddressSpace, dtb: number, options: CreateOptions = {}): PagedSpace {
  if (options.os === 'windows') return createWindowsSpace(kind, physical, dtb, options);
  const linux = options.os === 'linux';
  switch (kind) {
    case 'amd64':
      return linux ? new LinuxAmd64Space(physical, dtb, options) : new Amd64Space(physical, dtb, options);
    case 'amd64-la57':
      return linux ? new LinuxAmd64Space(physical, dtb, { ...options, levels: 5 }) : new Amd64Space(physical, dtb, { ...options, levels: 5 });
    case 'i386':
      return linux ? new LinuxI386Space(physical, dtb, options) : new I386Space(physical, dtb, options);
    case 'i386-pae':
      return linux ? new LinuxPaeSpace(physical, dtb, options) : new PaeSpace(physical, dtb, options);
    case 'arm64':
      return new Arm64Space(physical, dtb, options);
  }
}

function createWindowsSpace(kind: PagingKind, physical: AddressSpace, dtb: number, { name, windows }: CreateOptions): PagedSpace {
  const options = { ...windows, ...(name === undefined ? {} : { name }) };
  switch (kind) {
    case 'amd64':
      return new WindowsAmd64Space(physical, dtb, options);
    case 'amd64-la57':
      return new WindowsAmd64Space(physical, dtb, { ...options, levels: 5 });
    case 'i386':
      return new WindowsI386Space(physical, dtb, options);
    case 'i386-pae':
      return new WindowsPaeSpace(physical, dtb, options);
    case 'arm64':
      return new Arm64Space(physical, dtb, options);
  }
}
