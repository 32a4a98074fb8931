import { existsSync } from 'node:fs';
import { breathe, breathing } from '../../memory/breathe.js';
import type { PagingKind } from '../../memory/paging/create.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { btfAt, btfSteps, readBtf } from '../../symbols/btf/find.js';
import { BtfTypes } from '../../symbols/btf/types.js';
import { kallsymsSteps } from '../../symbols/kallsyms/find.js';
import { type Kallsyms, openKallsyms } from '../../symbols/kallsyms/kallsyms.js';
import type { KallsymsTables } from '../../symbols/kallsyms/tables.js';
import { ProfileError } from '../../symbols/error.js';
import { Profile } from '../../symbols/profile.js';
import { Answers, RememberedSymbols, RememberedTypes } from '../../symbols/remembered.js';
import type { ProfileMetadata, TypeSource } from '../../symbols/types.js';
import { ANSWERS_KEY, type DetectionOptions } from '../detect.js';
import { DetectionError } from '../error.js';
import { bannerAt, bannerSteps, type BannerHit } from './banner.js';
import { candidateRoots, type KernelRoot, verifyRoot } from './dtb.js';
import { LinuxKernel, type LinuxLocation } from './kernel.js';
import { type KernelWindow, kernelWindows } from './locate.js';
import { profileCandidates } from './repository.js';

/** What a second open of an image needs to know: see {@link DetectionCache}. Numbers as decimal strings where they are 64-bit. */
interface Remembered {
  readonly banner: string;
  readonly bannerAt: number;
  readonly text: number;
  readonly tables: KallsymsTables;
  readonly btf?: { readonly offset: number; readonly length: number };
  readonly paging: PagingKind;
  readonly dtb: number;
  readonly imageDelta: string;
  readonly pageOffset: string;
}
const CACHE_KEY = 'linux';

/** A kernel's symbols and the place of its image: what page tables are then verified against. */
interface KernelImage {
  readonly window: KernelWindow;
  readonly tables: KallsymsTables;
  readonly symbols: Kallsyms;
  readonly bits: 32 | 64;
  /** physical address of _text */
  readonly text: number;
  /** virtual minus physical */
  readonly delta: bigint;
  readonly banner: string;
  readonly bannerAt: number;
}

/** Addresses that x86 kernels are linked at (CONFIG_PHYSICAL_START 16 MiB; arch/x86/include/asm/page_types.h). */
export const LINKED_TEXT = { 32: 0xc1000000n, 64: 0xffffffff81000000n } as const;
const LINKED_PHYSICAL = 0x1000000;
/** PAGE_OFFSET of a 32-bit kernel with the default 3 GiB / 1 GiB split. */
const PAGE_OFFSET_32 = 0xc0000000n;

/**
 * Finds a Linux kernel. Undefined when the image has none; throws DetectionError when one is there but cannot be used.
 * @param quick look only where kernels begin, and do not read the whole image
 */
export async function detectLinux(physical: PhysicalSpace, options: DetectionOptions, quick = false): Promise<LinuxKernel | undefined> {
  const { trace, cache } = options;
  const remembered = cache.get(CACHE_KEY) as Remembered | undefined;
  if (remembered && options.dtb === undefined && bannerAt(physical, remembered.bannerAt) === remembered.banner) {
    trace.add('cache', 'what was learnt of this image before', `banner at 0x${remembered.bannerAt.toString(16)} is the same`, 'verified');
    return recall(physical, remembered, options);
  }
  const image = await findImage(physical, options, quick);
  if (!image) return undefined;
  const root = await findRoot(physical, image, options);
  const pageOffset = pageOffsetOf(physical, image, root);
  const btf = await findTypes(physical, image, options);
  const found: Remembered = {
    banner: image.banner,
    bannerAt: image.bannerAt,
    text: image.text,
    tables: image.tables,
    ...(btf ? { btf } : {}),
    paging: root.paging,
    dtb: root.dtb,
    imageDelta: image.delta.toString(),
    pageOffset: pageOffset.toString(),
  };
  const kernel = await build(physical, found, () => image.symbols, options);
  cache.set(CACHE_KEY, found);
  return kernel;
}

function recall(physical: PhysicalSpace, found: Remembered, options: DetectionOptions): Promise<LinuxKernel> {
  let symbols: Kallsyms | undefined;
  return build(physical, found, () => (symbols ??= openKallsyms(physical, found.tables)), options);
}

/** The first window in which kallsyms can be decoded, and whose symbols agree with the bytes around them. */
async function findImage(physical: PhysicalSpace, { trace, signal }: DetectionOptions, quick: boolean): Promise<KernelImage | undefined> {
  for await (const window of breathing(kernelWindows(physical, quick), signal)) {
    trace.add('kernel', window.method, `physical 0x${window.from.toString(16)}`);
    for await (const tables of breathing(kallsymsSteps(physical, { from: window.from, to: window.to }), signal)) {
      const symbols = openKallsyms(physical, tables);
      await breathe(signal);
      const image = await placeImage(physical, window, tables, symbols, signal);
      if (typeof image !== 'string') {
        trace.add('symbols', 'kallsyms of the image', `${symbols.size} symbols, _text at 0x${symbols.address('_text')?.toString(16)}`);
        trace.add('kernel', 'banner through the symbols', image.banner, 'verified');
        return image;
      }
      trace.add('symbols', `kallsyms at 0x${tables.names.toString(16)}`, image, 'failed');
    }
  }
  trace.add('kernel', quick ? 'Linux kernels at 2 MiB boundaries' : 'Linux kernels', 'no decodable kallsyms tables', 'failed');
  return undefined;
}

async function placeImage(physical: PhysicalSpace, window: KernelWindow, tables: KallsymsTables, symbols: Kallsyms, signal: AbortSignal | undefined): Promise<KernelImage | string> {
  const virtualText = symbols.address('_text') ?? symbols.address('_stext');
  if (virtualText === undefined) return 'no symbol _text';
  const bits = virtualText >> 32n === 0n ? 32 : 64;
  const banner = symbols.address('linux_banner');
  const hits: BannerHit[] = [];
  if (banner === undefined || window.text === undefined) for await (const hit of breathing(bannerSteps(physical, window.from, window.to), signal)) hits.push(hit);
  // Where the image begins is known, or follows from the banner's symbol and one of the banners in the window.
  const places = window.text !== undefined ? [window.text] : hits.map((hit) => hit.physical - Number((banner ?? virtualText) - virtualText));
  for (const text of places) {
    const delta = virtualText - BigInt(text);
    const at = banner === undefined ? hits[0]?.physical : Number(banner - delta);
    const line = at === undefined ? undefined : bannerAt(physical, at);
    if (at !== undefined && line !== undefined) {
      return { window, tables, symbols, bits, text, delta, banner: line, bannerAt: at };
    }
  }
  return 'its symbols do not lead to a banner (a stale copy?)';
}

/** The kernel's page tables: the first candidate that maps the kernel image where it is. */
async function findRoot(physical: PhysicalSpace, image: KernelImage, options: DetectionOptions): Promise<KernelRoot> {
  const { trace } = options;
  const probes = [image.text, image.bannerAt].map((at) => ({ physical: at, virtual: BigInt(at) + image.delta }));
  for await (const candidate of breathing(candidateRoots(physical, image, options.dtb), options.signal)) {
    const at = `0x${candidate.dtb.toString(16)}`;
    for (const paging of candidate.pagings) {
      const problem = verifyRoot(physical, { ...candidate, paging }, probes);
      trace.add('page tables', `${candidate.method}, ${paging}`, `${at}${problem === undefined ? '' : `: ${problem}`}`, problem === undefined ? 'verified' : 'failed');
      if (problem === undefined) return { dtb: candidate.dtb, paging, method: candidate.method };
    }
  }
  throw new DetectionError(
    `The image holds ${image.banner.slice(0, 60)}…, but none of its page tables maps the kernel.`,
    'rekall -f IMAGE --dtb ADDRESS',
    trace.steps,
  );
}

/** Virtual address of the direct map (arch/x86/mm/kaslr.c randomises it; without KASLR the variable holds the default). */
function pageOffsetOf(physical: PhysicalSpace, image: KernelImage, root: KernelRoot): bigint {
  if (image.bits === 32) return PAGE_OFFSET_32;
  const symbol = image.symbols.address('page_offset_base');
  if (symbol !== undefined) return physical.readU64(symbol - image.delta);
  return root.paging === 'amd64-la57' ? 0xff11000000000000n : 0xffff888000000000n;
}

async function findTypes(physical: PhysicalSpace, image: KernelImage, { trace, signal }: DetectionOptions): Promise<{ offset: number; length: number } | undefined> {
  const start = image.symbols.address('__start_BTF');
  const stop = image.symbols.address('__stop_BTF');
  if (start !== undefined && stop !== undefined && stop > start) {
    const exact = btfAt(physical, Number(start - image.delta));
    if (exact && exact.problem === undefined) {
      trace.add('types', 'BTF at __start_BTF', `${exact.length} bytes at 0x${exact.offset.toString(16)}`, 'verified');
      return exact;
    }
    trace.add('types', 'BTF at __start_BTF', exact?.problem ?? 'no BTF header there', 'failed');
  }
  let best: { offset: number; length: number } | undefined;
  for await (const candidate of breathing(btfSteps(physical, { from: image.window.from, to: image.window.to }), signal)) if (candidate.problem === undefined) best ??= candidate;
  trace.add('types', 'BTF near the kernel image', best ? `${best.length} bytes at 0x${best.offset.toString(16)}` : 'none', best ? 'found' : 'failed');
  return best;
}

async function build(physical: PhysicalSpace, found: Remembered, kallsyms: () => Kallsyms, options: DetectionOptions): Promise<LinuxKernel> {
  const answers = Answers.open(options.cache, ANSWERS_KEY, `${found.banner} at 0x${found.bannerAt.toString(16)}`);
  const symbols = answers ? new RememberedSymbols(answers, kallsyms) : kallsyms();
  const delta = BigInt(found.imageDelta);
  const bits = found.paging.startsWith('i386') ? 32 : 64;
  const virtualText = BigInt(found.text) + delta;
  const virtualSlide = options.slide ?? virtualText - LINKED_TEXT[bits];
  const location: LinuxLocation = {
    paging: found.paging,
    dtb: found.dtb,
    imageDelta: delta,
    pageOffset: BigInt(found.pageOffset),
    virtualSlide,
    physicalSlide: found.text - LINKED_PHYSICAL,
  };
  options.trace.add('kernel', 'KASLR', `virtual slide 0x${virtualSlide.toString(16)}, physical slide 0x${location.physicalSlide.toString(16)}`);
  const metadata: ProfileMetadata = {
    os: 'linux',
    arch: bits === 32 ? 'I386' : 'AMD64',
    source: 'BTF and kallsyms of the image',
    banner: found.banner,
  };
  const fit = async (path: string): Promise<Profile> => {
    // Readers of symbol files are many modules, which an image that brings its own types does not need.
    const { profileFromFile } = await import('./profile-file.js');
    return profileFromFile(path, { metadata, symbols, slide: virtualSlide, trace: options.trace });
  };
  const named = async (name: string): Promise<Profile> => {
    const [{ fitted }, { statedProfile }] = await Promise.all([import('./profile-file.js'), import('../named-profile.js')]);
    const source = await statedProfile(options);
    if (!source) throw new ProfileError(`No profile ${name}.`, 'Check --profile.');
    return fitted(source, name, { metadata, symbols, slide: virtualSlide, trace: options.trace });
  };
  const stated = options.profile ?? options.profileName;
  const { btf } = found;
  let read: BtfTypes | undefined;
  const own = (): BtfTypes => {
    const blob = btf && readBtf(physical, btf);
    if (!blob) throw new ProfileError(`The types of the kernel, at physical 0x${btf?.offset.toString(16)}, can no longer be read.`, 'The image changed since it was looked at first: remove its cache, or begin with --cache memory.');
    return new BtfTypes(blob);
  };
  const types = (): TypeSource => (answers ? new RememberedTypes(answers, () => (read ??= own())) : own());
  const profile =
    stated !== undefined ? await named(stated) : btf ? new Profile(types, symbols, metadata) : await searchProfile(found.banner, fit, options);
  return new LinuxKernel(physical, profile, location, found.banner);
}

/** For a kernel without types of its own: the first file of the repositories, or of an installed debug package, that fits. */
async function searchProfile(banner: string, fit: (path: string) => Promise<Profile>, options: DetectionOptions): Promise<Profile> {
  const release = /^Linux version (\S+)/.exec(banner)?.[1] ?? 'RELEASE';
  const folders = options.repositories ?? [];
  for (const path of profileCandidates(folders, release)) {
    if (!existsSync(path)) continue;
    try {
      return await fit(path);
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      options.trace.add('types', path, error.message, 'failed');
    }
  }
  options.trace.add('types', `files named *${release}* in ${folders.length === 0 ? 'no repository (--repository_path)' : folders.join(', ')} and installed debug packages`, 'none fits', 'failed');
  throw new DetectionError(
    `${banner}\nThis kernel carries no type information (BTF). The types are in the vmlinux of its debug package ` +
      `(Debian: linux-image-${release}-dbg, file /usr/lib/debug/boot/vmlinux-${release}), or in a profile or ISF made from it.`,
    `rekall -f IMAGE --profile /usr/lib/debug/boot/vmlinux-${release}`,
    options.trace.steps,
  );
}
