import { orElse } from '../../../memory/absent.js';
import { pageNumber, pageOffset } from '../../../memory/page.js';
import type { Steps } from '../../../memory/breathe.js';
import type { WindowsKernel } from '../kernel.js';
import { findProcesses, METHODS } from '../processes/processes.js';
import { entrySizeOf } from './pte.js';
import { holds, last, partsOf, placeText, type Subsection, subsectionAt } from './sections.js';
import type { Eprocess } from '../types.js';
import { controlAreaOf, protectionText, type Vad, vadFlags, vads } from './vad.js';

/** A region of a process in page numbers, with the prototypes of its pages where it maps a section. */
export interface View {
  readonly vad: Vad;
  readonly first: number;
  readonly last: number;
  /** `_MMVAD.FirstPrototypePte` and `LastContiguousPte`; undefined for private memory */
  readonly prototypes: { readonly first: bigint; readonly last: bigint; readonly area: bigint } | undefined;
}

/** Kernel addresses begin here at the lowest. */
const LOWEST_KERNEL = { 4: 0x80000000n, 8: 0xffff800000000000n } as const;

/** The regions of a process, for look-ups by page. */
export class ProcessViews {
  constructor(
    private readonly kernel: WindowsKernel,
    /** by address */
    readonly views: readonly View[],
  ) {}

  /** The region that a page lies in. */
  at(page: number): View | undefined {
    const view = this.views[last(this.views.length, (index) => (this.views[index] as View).first <= page)];
    return view && page <= view.last ? view : undefined;
  }

  /** Address of the prototype of a page; undefined where it has none. */
  prototypeOf(page: number): bigint | undefined {
    const view = this.at(page);
    return view && prototypeIn(this.kernel, view, page - view.first);
  }

  /** The part of a section that a page's prototype belongs to. */
  subsectionOf(page: number, prototype: bigint): Subsection | undefined {
    const area = this.at(page)?.prototypes?.area;
    return area === undefined ? undefined : partsOf(this.kernel, area).find(prototype);
  }

  /** `private READWRITE region`, `EXECUTE_WRITECOPY region`. */
  regionText(page: number): string | undefined {
    const view = this.at(page);
    if (!view) return undefined;
    const flags = orElse(() => vadFlags(this.kernel, view.vad), undefined);
    const protection = orElse(() => (flags ? `${protectionText(Number(flags.$get('Protection')))} ` : ''), '');
    return `${view.prototypes ? 'mapped' : 'private'} ${protection}region`;
  }
}

/**
 * The prototype of a region's page: prototypes of a region lie one behind the other up to LastContiguousPte; those of a data file that grew
 * go on in the array of the next part (ntos/mm: MiGetProtoPteAddressExtended).
 */
function prototypeIn(kernel: WindowsKernel, { prototypes }: View, index: number): bigint | undefined {
  if (!prototypes) return undefined;
  const size = BigInt(entrySizeOf(kernel.profile));
  const address = prototypes.first + BigInt(index) * size;
  if (address <= prototypes.last) return address;
  const parts = partsOf(kernel, prototypes.area);
  const first = parts.pageOf(prototypes.first);
  return first === undefined ? undefined : parts.prototypeOf(first + index);
}

/** The regions of a process, read when they are first asked for. */
export function viewsOf(kernel: WindowsKernel, process: Eprocess): ProcessViews {
  return kernel.memo(`views 0x${process.$address.toString(16)}`, () => new ProcessViews(kernel, readViews(kernel, process)));
}

function readViews(kernel: WindowsKernel, process: Eprocess): View[] {
  const views: View[] = [];
  // A damaged node may state any end; what lies behind the user's half belongs to no region.
  const highest = kernel.space.bits === 64 ? 512 ** Math.max(4, kernel.space.levels.length) / 2 - 1 : 2 ** 20 - 1;
  // The tree's faults are told by vad; what is left of it serves.
  for (const vad of orElse(() => [...vads(kernel, process)], [])) {
    const prototypes = vad.node.$type === '_MMVAD_SHORT' ? undefined : orElse(() => prototypesOf(kernel, vad), undefined);
    const [first, last] = [pageNumber(vad.start), Math.min(pageNumber(vad.end), highest)];
    if (first <= last) views.push({ vad, first, last, prototypes });
  }
  return views.sort((a, b) => a.first - b.first);
}

/** Where a mapped region has its prototypes. Private regions (of thread blocks, say) leave there what stood in the memory before, views of device memory keep other things there. */
function prototypesOf(kernel: WindowsKernel, vad: Vad): View['prototypes'] {
  if (Number(vadFlags(kernel, vad).$get('PrivateMemory')) === 1) return undefined;
  const node = kernel.at('_MMVAD', vad.node.$address);
  const first = node.$pointer('FirstPrototypePte');
  const area = controlAreaOf(kernel, vad);
  if (first < LOWEST_KERNEL[kernel.profile.pointerSize] || area === 0n) return undefined;
  return { first, last: node.$pointer('LastContiguousPte'), area };
}

/** A region of a process that maps a section. */
export interface Mapper {
  readonly process: Eprocess;
  readonly view: View;
}

/** The sections that processes map, for look-ups by prototype. */
export class SectionIndex {
  private readonly parts: Subsection[];
  private readonly known = new Map<bigint, Subsection | undefined>();

  constructor(
    private readonly kernel: WindowsKernel,
    parts: Iterable<Subsection>,
    private readonly mappers: ReadonlyMap<bigint, readonly Mapper[]>,
  ) {
    this.parts = [...parts].sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
  }

  /** The part of a section that a prototype belongs to: of those that processes map, or the one that the page's original entry names. */
  find(prototype: bigint, named?: bigint): Subsection | undefined {
    const below = this.parts[last(this.parts.length, (index) => (this.parts[index] as Subsection).base <= prototype)];
    if (below && holds(this.kernel, below, prototype)) return below;
    if (named === undefined) return undefined;
    if (!this.known.has(named)) this.known.set(named, subsectionAt(this.kernel, named));
    const other = this.known.get(named);
    return other && holds(this.kernel, other, prototype) ? other : undefined;
  }

  /** Every process that maps a page, and the page's number there. */
  *users(part: Subsection, prototype: bigint): Generator<Mapper & { readonly page: number }> {
    const parts = partsOf(this.kernel, part.area);
    const at = parts.pageOf(prototype);
    for (const mapper of this.mappers.get(part.area) ?? []) {
      const { view } = mapper;
      const from = view.prototypes && parts.pageOf(view.prototypes.first);
      if (from === undefined || at === undefined) continue;
      const page = view.first + at - from;
      if (page >= view.first && page <= view.last) yield { ...mapper, page };
    }
  }
}

const indexes = new WeakMap<WindowsKernel, SectionIndex>();

/** The sections that processes map, in steps: the regions of all processes are read. The last step is the index. */
export function* sectionIndex(kernel: WindowsKernel): Steps<SectionIndex> {
  const known = indexes.get(kernel);
  if (known) return yield known;
  const parts = new Map<bigint, Subsection>();
  const mappers = new Map<bigint, Mapper[]>();
  for (const { process } of findProcesses(kernel, METHODS)) {
    yield undefined;
    for (const view of viewsOf(kernel, process).views) {
      if (!view.prototypes) continue;
      const { area } = view.prototypes;
      const list = mappers.get(area);
      if (list) list.push({ process, view });
      else {
        mappers.set(area, [{ process, view }]);
        for (const part of partsOf(kernel, area).all) parts.set(part.address, part);
      }
    }
  }
  const index = new SectionIndex(kernel, parts.values(), mappers);
  indexes.set(kernel, index);
  yield index;
}

/** What a process has at an address: `\Windows\System32\ntdll.dll +0x1a123 (EXECUTE_WRITECOPY)`, `private memory (READWRITE)`; undefined where it has no region. */
export function areaText(kernel: WindowsKernel, process: Eprocess, address: bigint): string | undefined {
  const views = viewsOf(kernel, process);
  const page = pageNumber(address);
  const view = views.at(page);
  if (!view) return undefined;
  const protection = orElse(() => ` (${protectionText(Number(vadFlags(kernel, view.vad).$get('Protection')))})`, '');
  const prototype = views.prototypeOf(page);
  const part = prototype === undefined ? undefined : orElse(() => views.subsectionOf(page, prototype), undefined);
  const what = part && prototype !== undefined ? placeText(kernel, part, prototype, pageOffset(address)) : view.prototypes ? 'mapped memory' : 'private memory';
  return `${what}${protection}`;
}

/** The file and offset of a page that a process maps, in words; undefined where its region maps no section. */
export function viewText(kernel: WindowsKernel, views: ProcessViews, page: number, prototype: bigint): string | undefined {
  return orElse(() => {
    const part = views.subsectionOf(page, prototype);
    return part && placeText(kernel, part, prototype);
  }, undefined);
}
