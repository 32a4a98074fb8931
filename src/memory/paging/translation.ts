import type { PageFlags } from './flags.js';

/** One page-table entry on the way of an address. */
export interface TranslationStep {
  /** the processor manual's name of the entry: `PML4E`, `PTE` */
  readonly name: string;
  /** Linux's name of the level: `pgd`, `pte` */
  readonly alias: string;
  /** physical address of the entry */
  readonly address: number;
  readonly value: bigint;
  readonly flags: PageFlags;
  /** why translation ends here, or what the operating system makes of the entry */
  readonly reason?: string;
}

/** The way of an address through the tables. */
export interface Translation {
  readonly address: bigint;
  readonly steps: readonly TranslationStep[];
  /** what the operating system reads on behind the last of them, where that is not present */
  readonly behind?: readonly TranslationStep[];
  /** where it leads; absent with a {@link reason} */
  readonly physical?: number;
  readonly reason?: string;
  /** rights over all levels */
  readonly flags?: PageFlags;
  /** bytes of the page */
  readonly pageSize?: number;
}
