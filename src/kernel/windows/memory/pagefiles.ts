import { Absent, orElse } from '../../../memory/absent.js';
import type { ArrayView } from '../../../object/array.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { unicodeText } from '../strings.js';

/** Page files that a system has at most (MAX_PAGE_FILES): an entry has 4 bits for the number. */
const MOST = 16;

/** A page file, or what the kernel uses as one. */
export interface PageFile {
  /** the `_MMPAGING_FILE` */
  readonly struct: Struct;
  readonly number: number;
  /** `\??\C:\pagefile.sys`; undefined where it has none or the name cannot be read */
  readonly name: string | undefined;
  /** pages that are kept compressed in memory instead of in a file (Windows 10 and later) */
  readonly store: boolean;
}

/** The page files in the order of their numbers; empty where there are none. Throws Absent where the kernel's table cannot be found. */
export function pageFiles(kernel: WindowsKernel): readonly PageFile[] {
  return kernel.memo('page files', () => [...tables(kernel)].sort((a, b) => a.number - b.number));
}

function* tables(kernel: WindowsKernel): Generator<PageFile> {
  const seen = new Set<bigint>();
  for (const [index, address] of pointers(kernel).entries()) {
    if (address === 0n || seen.has(address)) continue;
    seen.add(address);
    const struct = kernel.at('_MMPAGING_FILE', address);
    yield {
      struct,
      number: orElse(() => Number(struct.$get('PageFileNumber')) & (MOST - 1), index),
      name: orElse(() => nameOf(struct), undefined),
      store: orElse(() => struct.$has('VirtualStorePagefile') && Number(struct.$get('VirtualStorePagefile')) === 1, false),
    };
  }
}

/** `nt!MmPagingFile` until Windows 8.1; since Windows 10 a member of the system's partition of memory. */
function pointers(kernel: WindowsKernel): bigint[] {
  if (kernel.symbol('MmPagingFile') !== undefined) {
    const table = kernel.profile.address('MmPagingFile');
    const size = BigInt(kernel.profile.pointerSize);
    return Array.from({ length: MOST }, (_, index) => kernel.space.readPointer(table + BigInt(index) * size));
  }
  if (kernel.symbol('MiSystemPartition') === undefined) throw new Absent('no-member', 'the profile has neither the symbol MmPagingFile (until Windows 8.1) nor MiSystemPartition');
  const visible = kernel.global('MiSystemPartition', '_MI_PARTITION').$get('Vp') as Struct;
  const count = (visible.$get('PagingFile') as ArrayView).length;
  const at = visible.$addressOf('PagingFile');
  const size = BigInt(kernel.profile.pointerSize);
  return Array.from({ length: Math.min(count, MOST) }, (_, index) => kernel.space.readPointer(at + BigInt(index) * size));
}

function nameOf(struct: Struct): string | undefined {
  const name = unicodeText(struct.$get('PageFileName') as Struct);
  if (name !== '') return name;
  const file = struct.$get('File') as Struct | null;
  return (file && unicodeText(file.$get('FileName') as Struct)) || undefined;
}

/** What to call a page file; undefined where nothing is known of it. */
export function pageFileName(kernel: WindowsKernel, number: number): string | undefined {
  const file = orElse(() => pageFiles(kernel).find((one) => one.number === number), undefined);
  return file?.store === true ? 'compressed in memory' : file?.name;
}
