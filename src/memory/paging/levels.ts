/** One level of page tables. */
export interface PagingLevel {
  /** the processor manual's name of an entry: `PML4E`, `PTE` */
  readonly name: string;
  /** Linux's name of the level: `pgd`, `p4d`, `pud`, `pmd`, `pte` */
  readonly alias: string;
  /** entries of a table, a power of two */
  readonly entries: number;
  /** 4 KiB pages that one entry spans, a power of two */
  readonly pages: number;
}

/** A contiguous part of the address space with one top table. In page numbers. */
export interface PagingRegion {
  /** the first page of the part, and one past its last */
  readonly first: number;
  readonly end: number;
  /** the page that entry 0 of the top table maps (may lie before `first`) */
  readonly base: number;
  /** page frame of the top table */
  readonly root: number;
}

/** What an entry is to the processor. Numbers, for the hot loop. */
export const EntryKind = { absent: 0, table: 1, leaf: 2 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** No page frame. */
export const NO_FRAME = -1;

/** Page numbers of 64-bit addresses end here. */
export const PAGE_NUMBERS = 2 ** 52;
