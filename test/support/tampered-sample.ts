import { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import type { PhysicalImage } from '../../src/memory/image.js';
import { openImage } from '../../src/memory/image/open.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { addressOf, pageNumber } from '../../src/memory/page.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { sampleImage, sampleSession, sampleTruth } from './windows-sample.js';

const PAGE = 4096;

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Chance {
  constructor(private state: number) {}

  /** 0 to `below` - 1. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** What is done to a page: its bytes are changed in place; false where the page shall be missing. */
type Damage = (page: Buffer, chance: Chance, own: bigint, known: readonly bigint[]) => boolean;

/** A value that a pointer is replaced by. */
function wrongPointer(chance: Chance, own: bigint, known: readonly bigint[]): bigint {
  switch (chance.below(9)) {
    case 0:
      return 0n;
    case 1:
      return own;
    case 2:
    case 3:
      return chance.of(known);
    case 4:
      return chance.of(known) + BigInt(chance.below(0x100));
    case 5:
      return BigInt(chance.of([0x10000, 0x400000, 0x76d40000, 0x7efde000, 0xfffffff0]));
    case 6:
      return 0x8000_0000_0000_0000n | BigInt(chance.below(2 ** 32));
    case 7:
      return 0xffff_ffff_ffff_ffffn;
    default:
      return 0xffff_f800_0000_0000n + BigInt(chance.below(2 ** 32)) * 0x100n;
  }
}

const DAMAGES: readonly Damage[] = [
  // A pointer, or another word: those that look like one of the kernel's are taken first.
  ...Array.from({ length: 6 }, (): Damage => (page, chance, own, known) => {
    const from = chance.below(PAGE / 8) * 8;
    let at = from;
    for (let step = 0; step < PAGE; step += 8) {
      const next = (from + step) % PAGE;
      if (page.readUInt32LE(next + 4) < 0xfffff800) continue;
      at = next;
      break;
    }
    page.writeBigUInt64LE(wrongPointer(chance, own + BigInt(at), known), at);
    return true;
  }),
  (page, chance, own, known) => {
    const at = chance.below(PAGE / 8) * 8;
    page.writeBigUInt64LE(wrongPointer(chance, own + BigInt(at), known), at);
    return true;
  },
  // Counts: huge ones where small ones are.
  ...Array.from({ length: 2 }, (): Damage => (page, chance) => {
    const from = chance.below(PAGE / 4) * 4;
    for (let step = 0; step < PAGE; step += 4) {
      const at = (from + step) % PAGE;
      const value = page.readUInt32LE(at);
      if (value === 0 || value > 0x10000) continue;
      page.writeUInt32LE(chance.of([0xffffffff, 0x7fffffff, 0x80000000, 0x10000000, 0xffff, 0]), at);
      break;
    }
    return true;
  }),
  // Bytes.
  (page, chance) => {
    for (let left = 1 + chance.below(32); left > 0; left--) page[chance.below(PAGE)] = chance.below(256);
    return true;
  },
  (page, chance) => {
    const at = chance.below(PAGE);
    page.fill(chance.of([0, 0xff, 0x1b, 0x41]), at, Math.min(PAGE, at + chance.below(256)));
    return true;
  },
  (page, chance) => {
    for (let at = 0; at < PAGE; at++) page[at] = chance.below(256);
    return true;
  },
  () => false,
];

/**
 * The forged Windows sample with damage in the pages of its memory, the same for the same seed. The kernel is found once, in the whole image; each damaged
 * one is looked at with page tables and base as they were, or searched anew.
 */
export class TamperedSample {
  private readonly memory: ReadonlyMap<number, Buffer>;
  /** pages that hold structures, by frame; those with many stand there often */
  private readonly targets: readonly { readonly frame: number; readonly address: bigint }[];
  private readonly known: readonly bigint[];

  private constructor(
    private readonly image: PhysicalImage,
    /** as it is without damage */
    readonly kernel: WindowsKernel,
  ) {
    const memory = new Map<number, Buffer>();
    for (const { start, end } of image.runs) {
      for (let at = start; at < end; at += PAGE) {
        const page = Buffer.alloc(PAGE);
        if (image.read(at, page, 0, PAGE) === PAGE) memory.set(at / PAGE, page);
      }
    }
    this.memory = memory;
    this.known = knownObjects(kernel);
    const { space } = kernel;
    const marked = this.known.flatMap((address) => {
      const frame = space.frameAt(pageNumber(address));
      return frame < 0 ? [] : [{ frame, address: addressOf(pageNumber(address), 0) }];
    });
    // The rest (page tables, programs, PEBs) has no address of its own here.
    this.targets = [...marked, ...[...memory.keys()].map((frame) => ({ frame, address: 0xffff_f6fb_7dbe_d000n }))];
  }

  static async open(): Promise<TamperedSample> {
    const session = sampleSession();
    const kernel = (await session.kernel()) as WindowsKernel;
    return new TamperedSample(openImage(sampleImage), kernel);
  }

  /** Physical memory with a seed's damage: from a word in one page to much in hundreds. */
  physical(seed: number): PhysicalSpace {
    const chance = new Chance(seed);
    const pages = new Map<number, Buffer | undefined>();
    for (let left = chance.of([2, 8, 20, 40, 80, 300]); left > 0; left--) {
      const { frame, address } = chance.of(this.targets);
      const page = pages.has(frame) ? pages.get(frame) : Buffer.from(this.memory.get(frame) ?? Buffer.alloc(PAGE));
      pages.set(frame, page && chance.of(DAMAGES)(page, chance, address, this.known) ? page : undefined);
    }
    return this.over(pages);
  }

  /** Physical memory with some words of 64 bits changed. @param words by address in the kernel's space, or (negative, less one) by physical address */
  private edited(words: ReadonlyMap<bigint, bigint>): PhysicalSpace {
    const pages = new Map<number, Buffer>();
    for (const [address, value] of words) {
      const physical = address < 0n ? Number(-address - 1n) : (this.kernel.space.translate(address) ?? -1);
      const frame = Math.floor(physical / PAGE);
      const page = pages.get(frame) ?? Buffer.from(this.memory.get(frame) ?? Buffer.alloc(PAGE));
      page.writeBigUInt64LE(value, physical % PAGE);
      pages.set(frame, page);
    }
    return this.over(pages);
  }

  private over(pages: ReadonlyMap<number, Buffer | undefined>): PhysicalSpace {
    const { format, runs, hints } = this.image;
    return new PhysicalSpace({
      format,
      runs,
      blockSize: PAGE,
      hints,
      warnings: [],
      read: (physical, target, offset, length) => {
        let done = 0;
        while (done < length) {
          const frame = Math.floor((physical + done) / PAGE);
          const page = pages.has(frame) ? pages.get(frame) : this.memory.get(frame);
          if (!page) break;
          done += page.copy(target, offset + done, (physical + done) % PAGE, Math.min(PAGE, ((physical + done) % PAGE) + length - done));
        }
        return done;
      },
      close: () => undefined,
    });
  }

  /** A session on such memory, for which the kernel is where it was. */
  session(seed: number, dumpFolder: string): Session {
    return this.on(this.physical(seed), dumpFolder);
  }

  /** A session on memory in which some words are others, see {@link edited}. */
  with(words: ReadonlyMap<bigint, bigint>): Session {
    return this.on(this.edited(words), '.');
  }

  private on(physical: PhysicalSpace, dumpFolder: string): Session {
    const { profile, location, banner, version } = this.kernel;
    const kernel = new WindowsKernel(physical, profile, location, banner, version);
    const session = new Session({ filename: sampleImage, cache: 'memory', dump_dir: dumpFolder }, Registry.builtIn());
    return Object.assign(session, { kernel: () => Promise.resolve(kernel), physical: () => physical, kernelFound: kernel });
  }

  /** A session that looks for the kernel. */
  searching(seed: number): Session {
    const physical = this.physical(seed);
    const session = new Session({ filename: sampleImage, cache: 'memory' }, new Registry([], ''));
    return Object.assign(session, { physical: () => physical });
  }

  close(): void {
    this.image.close();
  }
}

/** Where the sample has objects: every one that the truth file names, and the kernel's variables. */
function knownObjects(kernel: WindowsKernel): bigint[] {
  const truth = sampleTruth();
  const texts = [
    ...truth.processes.flatMap((process) => [...Array<string>(8).fill(process.eprocess), ...process.threads.flatMap(({ ethread }) => [ethread, ethread]), ...process.vads.map(({ vad }) => vad)]),
    ...truth.modules.flatMap((module) => [module.ldr_entry, module.ldr_entry, module.base]),
    ...truth.objects.map(({ object }) => object),
    ...truth.drivers.flatMap(({ object, device }) => [object, device]),
    ...truth.timers.map(({ timer }) => timer),
    ...truth.callbacks.map(({ address }) => address),
  ];
  const variables = ['PsActiveProcessHead', 'PsLoadedModuleList', 'PspCidTable', 'KiProcessorBlock', 'ObTypeIndexTable', 'MmPfnDatabase', 'MmUnloadedDrivers', 'KeServiceDescriptorTable', 'ObpRootDirectoryObject', 'KdDebuggerDataBlock'];
  return [...texts.filter((text) => typeof text === 'string' && text.startsWith('0x')).map(BigInt), ...variables.flatMap((name) => Array<bigint | undefined>(2).fill(kernel.symbol(name)))].filter((address) => address !== undefined);
}
