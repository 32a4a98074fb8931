import { PAGE_SIZE } from '../../../src/memory/page.js';
import type { Forge } from './forge.js';
import type { Objects } from './objects.js';

/** An entry to be: what it leads to, and the rights that its owner has. */
export interface Handle {
  readonly value: number;
  readonly object: bigint;
  readonly access: number;
}

/**
 * Writes a handle table: pages of entries whose first entry is not used, behind a page of pointers where there are several. The last
 * entry of the first page but one that is used is followed by free ones, chained.
 * @param direct entries lead to objects themselves (PspCidTable), not to their headers
 */
export function writeHandles(forge: Forge, objects: Objects, handles: readonly Handle[], owner: { process: bigint; id: number } | undefined, direct = false): bigint {
  const size = forge.size('_HANDLE_TABLE_ENTRY');
  const perPage = PAGE_SIZE / size;
  const highest = Math.max(0, ...handles.map((handle) => handle.value));
  const count = Math.floor(highest / 4 / perPage) + 1;
  const pages = Array.from({ length: count }, () => forge.paged.whole(PAGE_SIZE, 'Obtb'));
  const used = new Set<number>();
  for (const { value, object, access } of handles) {
    const index = value / 4;
    if (index % perPage === 0) throw new Error(`the place of handle ${value} is not used`);
    used.add(index);
    const at = (pages[Math.floor(index / perPage)] as bigint) + BigInt((index % perPage) * size);
    // The lowest bit says that nobody holds the entry's lock.
    const target = direct ? object : objects.headerOf(object);
    forge.put('_HANDLE_TABLE_ENTRY', at, { Object: target | 1n, GrantedAccess: direct ? 0 : access });
    if (!direct) objects.reference(object);
  }
  const free: number[] = [];
  for (let index = 1; index < count * perPage; index++) if (!used.has(index) && index % perPage !== 0) free.push(index);
  for (const [order, index] of free.entries()) {
    const at = (pages[Math.floor(index / perPage)] as bigint) + BigInt((index % perPage) * size);
    forge.put('_HANDLE_TABLE_ENTRY', at, { Object: 0, NextFreeTableEntry: (free[order + 1] ?? 0) * 4 });
  }
  let code = pages[0] as bigint;
  if (count > 1) {
    code = forge.paged.whole(PAGE_SIZE, 'Obtb');
    for (const [index, page] of pages.entries()) forge.word(code + BigInt(index * forge.pointer), page);
    code |= 1n;
  }
  const table = forge.paged.allocate(forge.size('_HANDLE_TABLE'), 'Obtb');
  forge.put('_HANDLE_TABLE', table, {
    TableCode: code,
    QuotaProcess: owner?.process ?? 0,
    UniqueProcessId: owner?.id ?? 0,
    HandleCount: handles.length,
    HandleCountHighWatermark: handles.length,
    NextHandleNeedingPool: count * perPage * 4,
    FirstFreeHandle: (free[0] ?? 0) * 4,
    'Flags?': 0,
  });
  return table;
}
