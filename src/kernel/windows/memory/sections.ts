import { Absent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { fastRef } from '../fast-ref.js';
import type { WindowsKernel } from '../kernel.js';
import { entrySizeOf } from './pte.js';
import { unicodeText } from '../strings.js';

/** Parts of one section at most: an image has one for each of its sections, a data file one for each extension. */
const MOST_PARTS = 1 << 16;

/** A part of a section (`_SUBSECTION`): an array of prototypes, and the part of the file behind it. */
export interface Subsection {
  readonly address: bigint;
  /** its `_CONTROL_AREA` */
  readonly area: bigint;
  /** address of the first prototype, and how many there are */
  readonly base: bigint;
  readonly count: number;
  /** where it begins in the file, bytes */
  readonly start: number;
}

/** What a `_CONTROL_AREA` stands for. */
export interface Section {
  readonly area: Struct;
  /** an executable that is mapped as one */
  readonly image: boolean;
  /** path of the file; undefined for shared memory that the page file backs, and where the name cannot be read */
  readonly file: string | undefined;
  /** true where there is a file, named or not */
  readonly backed: boolean;
}

/** `_SUBSECTION` at an address; undefined where none can be. */
export function subsectionAt(kernel: WindowsKernel, address: bigint): Subsection | undefined {
  return orElse(() => {
    const part = kernel.at('_SUBSECTION', address);
    const area = part.$pointer('ControlArea');
    const base = part.$pointer('SubsectionBase');
    const count = Number(part.$get('PtesInSubsection'));
    if (!isKernel(kernel, area) || !isKernel(kernel, base) || count <= 0) return undefined;
    const flags = (part.$get('u') as Struct).$get('SubsectionFlags') as Struct;
    // Bits 32 and up of the first sector.
    const high = flags.$has('StartingSector4132') ? Number(flags.$get('StartingSector4132')) : 0;
    const sector = Number(part.$get('StartingSector')) + high * 2 ** 32;
    // Sectors of an image are 512 bytes, those of a data file are pages (ntos/mm: MiStartingOffset).
    return { address, area, base, count, start: sector * (isImage(kernel.at('_CONTROL_AREA', area)) ? 512 : 4096) };
  }, undefined);
}

/** The parts of a section in the order of their chain, which begins behind the control area; read once. */
export function partsOf(kernel: WindowsKernel, area: bigint): SectionParts {
  return kernel.memo(`parts 0x${area.toString(16)}`, () => new SectionParts(entrySizeOf(kernel.profile), [...chain(kernel, area)]));
}

function* chain(kernel: WindowsKernel, area: bigint): Generator<Subsection> {
  const seen = new Set<bigint>();
  for (let at = firstSubsection(kernel, area); at !== 0n && !seen.has(at) && seen.size < MOST_PARTS; ) {
    seen.add(at);
    const part = subsectionAt(kernel, at);
    if (!part || part.area !== area) return;
    yield part;
    at = orElse(() => kernel.at('_SUBSECTION', at).$pointer('NextSubsection'), 0n);
  }
}

/** The parts of a section, for look-ups by prototype and by page: each has an array of prototypes, and the section's pages go on from one to the next. */
export class SectionParts {
  /** page of the section that each part begins with */
  private readonly firsts: number[] = [];
  /** indices of {@link all} by the address of their prototypes */
  private readonly byBase: readonly number[];

  constructor(
    private readonly entrySize: number,
    /** in the order of their chain */
    readonly all: readonly Subsection[],
  ) {
    let pages = 0;
    for (const { count } of all) {
      this.firsts.push(pages);
      pages += count;
    }
    this.byBase = all.map((_, index) => index).sort((a, b) => Number(BigInt.asIntN(64, this.part(a).base - this.part(b).base)));
  }

  /** The part that a prototype belongs to. */
  find(prototype: bigint): Subsection | undefined {
    const index = this.indexOf(prototype);
    return index === undefined ? undefined : this.all[index];
  }

  /** Number of a prototype's page in the section. */
  pageOf(prototype: bigint): number | undefined {
    const index = this.indexOf(prototype);
    return index === undefined ? undefined : (this.firsts[index] as number) + Number(prototype - this.part(index).base) / this.entrySize;
  }

  /** The prototype of a page of the section. */
  prototypeOf(page: number): bigint | undefined {
    const index = last(this.all.length, (at) => (this.firsts[at] as number) <= page);
    if (index < 0) return undefined;
    const within = page - (this.firsts[index] as number);
    return within < this.part(index).count ? this.part(index).base + BigInt(within * this.entrySize) : undefined;
  }

  private indexOf(prototype: bigint): number | undefined {
    const at = last(this.byBase.length, (index) => this.part(this.byBase[index] as number).base <= prototype);
    const index = this.byBase[at];
    if (index === undefined) return undefined;
    const { base, count } = this.part(index);
    return prototype < base + BigInt(count * this.entrySize) ? index : undefined;
  }

  private part(index: number): Subsection {
    return this.all[index] as Subsection;
  }
}

/** The last of `count` places for which a condition holds, that holds for none behind the first for which it does not; -1 for none. */
export function last(count: number, holdsAt: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holdsAt(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first `_SUBSECTION` stands behind its `_CONTROL_AREA`; until Server 2003 images of which each session has its own, and those in ROM, have a longer one. */
function firstSubsection(kernel: WindowsKernel, area: bigint): bigint {
  const large = orElse(() => {
    if (!kernel.profile.has('_LARGE_CONTROL_AREA')) return false;
    const flags = flagsOf(kernel.at('_CONTROL_AREA', area));
    return ['GlobalOnlyPerSession', 'Rom'].some((flag) => flags.$has(flag) && Number(flags.$get(flag)) === 1);
  }, false);
  return area + BigInt(kernel.struct(large ? '_LARGE_CONTROL_AREA' : '_CONTROL_AREA').size ?? 0);
}

/** True where a prototype is one of a part's. */
export function holds(kernel: WindowsKernel, part: Subsection, prototype: bigint): boolean {
  return prototype >= part.base && prototype < part.base + BigInt(part.count * entrySizeOf(kernel.profile));
}

/** Where the page of a prototype stands in its file, bytes. */
export function offsetIn(kernel: WindowsKernel, part: Subsection, prototype: bigint): number {
  return part.start + (Number(prototype - part.base) / entrySizeOf(kernel.profile)) * 4096;
}

/** The section of a control area. */
export function sectionOf(kernel: WindowsKernel, address: bigint): Section {
  return kernel.memo(`section 0x${address.toString(16)}`, () => {
    const area = kernel.at('_CONTROL_AREA', address);
    const file = orElse(() => fileOf(kernel, area), undefined);
    return {
      area,
      image: orElse(() => isImage(area), false),
      file: file && orElse(() => unicodeText(file.$get('FileName') as Struct) || undefined, undefined),
      backed: file !== undefined,
    };
  });
}

/** The `_FILE_OBJECT` of a control area: a pointer until Server 2003, then an `_EX_FAST_REF`. Undefined where it has none. Throws Absent. */
export function fileOf(kernel: WindowsKernel, area: Struct): Struct | undefined {
  const kind = area.$struct.member('FilePointer').type.kind;
  const file = kind === 'pointer' ? area.$pointer('FilePointer') : fastRef(area.$get('FilePointer') as Struct);
  return file === 0n ? undefined : kernel.at('_FILE_OBJECT', file);
}

/** `\Windows\System32\ntdll.dll +0x1a000`, or what else the page of a prototype is; `within` is the offset in the page. */
export function placeText(kernel: WindowsKernel, part: Subsection, prototype: bigint, within = 0): string {
  const section = sectionOf(kernel, part.area);
  const offset = `+0x${(offsetIn(kernel, part, prototype) + within).toString(16)}`;
  if (section.file !== undefined) return `${section.file} ${offset}`;
  return section.backed ? `a file whose name is not in memory ${offset}` : `shared memory ${offset}`;
}

function flagsOf(area: Struct): Struct {
  return (area.$get('u') as Struct).$get('Flags') as Struct;
}

function isImage(area: Struct): boolean {
  const flags = flagsOf(area);
  if (!flags.$has('Image')) throw new Absent('no-member', 'this profile does not tell images from data files');
  return Number(flags.$get('Image')) === 1;
}

function isKernel(kernel: WindowsKernel, address: bigint): boolean {
  return address >= (kernel.profile.pointerSize === 8 ? 0xffff800000000000n : 0x80000000n);
}
