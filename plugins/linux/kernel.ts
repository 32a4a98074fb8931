import { candidateRoots, verifyRoot } from '../../src/kernel/linux/dtb.js';
import { breathing } from '../../src/memory/breathe.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const banner = definePlugin({
  name: 'banner',
  needs: ['linux'],
  topic: 'kernel',
  summary: "the kernel's version line",
  notes: 'linux_banner, read where the symbols say it is.',
  args: {},
  columns: { banner: col.string('linux_banner'), release: col.string('as uname -r prints it'), offset: col.address('where it is', { hidden: true }) },
  examples: [{ line: 'banner' }],
  *collect(context) {
    const kernel = linuxOf(context);
    yield { banner: kernel.banner, release: kernel.release, offset: kernel.symbol('linux_banner') ?? null };
  },
});

export const findDtb = definePlugin({
  name: 'find_dtb',
  needs: ['linux'],
  topic: 'memory',
  summary: "the kernel's page tables, by every method, each verified",
  notes:
    'Candidates: the symbol (init_top_pgt, swapper_pg_dir), VMCOREINFO, the CR3 that the dump keeps of each CPU, every page of the kernel image. ' +
    'Valid: it maps the start of the kernel image and its banner to the physical addresses where they are.',
  args: {},
  columns: {
    dtv: col.physical('physical address of the top page table', { title: 'DTB' }),
    valid: col.bool('true where it maps the kernel'),
    method: col.string('how it was found'),
    paging: col.string('kind of paging'),
    comment: col.string('why it is not valid'),
  },
  examples: [{ line: 'find_dtb' }],
  async *collect(context) {
    const kernel = linuxOf(context);
    const { imageDelta, paging } = kernel.location;
    const bits = kernel.profile.pointerSize === 8 ? 64 : 32;
    const text = Number((kernel.symbol('_text') ?? kernel.profile.address('_stext')) - imageDelta);
    const image = { symbols: kernel.profile.symbols, bits, delta: imageDelta, text, window: { from: text, to: text + 64 * 1024 * 1024 } } as const;
    const probes = [text, text + 0x200000].map((physical) => ({ physical, virtual: BigInt(physical) + imageDelta }));
    for await (const candidate of breathing(candidateRoots(kernel.physical, image), context.signal)) {
      const problem = verifyRoot(kernel.physical, { dtb: candidate.dtb, paging }, probes);
      context.progress(undefined, candidate.method);
      // The page by page search is shown only where it hits.
      if (problem !== undefined && candidate.method === 'page by page') continue;
      yield { dtv: candidate.dtb, valid: problem === undefined, method: candidate.method, paging, comment: problem ?? null };
    }
  },
});

export const findKaslr = definePlugin({
  name: 'find_kaslr',
  needs: ['linux'],
  topic: 'memory',
  summary: 'how far the kernel was moved from where it was linked, in virtual and physical memory',
  notes:
    'The virtual slide is _text minus 0xffffffff81000000 (32 bit: 0xc1000000), the physical one its place minus 0x1000000 (CONFIG_PHYSICAL_START). ' +
    'Rows: from the symbols, from phys_base (arch/x86/kernel/head_64.S), from VMCOREINFO. They must agree.',
  args: {},
  columns: {
    physical_shift: col.physical('physical slide, bytes'),
    virtual_shift: col.address('virtual slide, bytes'),
    kernel_slide: col.address('what --kernel_slide takes'),
    page_offset: col.address('virtual address of physical 0   page_offset_base'),
    DTB: col.physical("physical address of the kernel's page tables"),
    Valid: col.bool('true where it agrees with the page tables'),
    comment: col.string('how it was found'),
  },
  examples: [{ line: 'find_kaslr' }],
  *collect(context) {
    const kernel = linuxOf(context);
    const { virtualSlide, physicalSlide, pageOffset, dtb, imageDelta } = kernel.location;
    const row = (virtual: bigint, physical: number, comment: string, valid: boolean): Record<string, unknown> => ({
      physical_shift: physical,
      virtual_shift: virtual,
      kernel_slide: virtual,
      page_offset: pageOffset,
      DTB: dtb,
      Valid: valid,
      comment,
    });
    const text = Number((kernel.symbol('_text') ?? 0n) - imageDelta);
    yield row(virtualSlide, physicalSlide, 'kallsyms and the place of the image', kernel.space.translate(BigInt(text) + imageDelta) === text);
    const base = kernel.symbol('phys_base');
    if (base !== undefined) {
      // __pa(x) = x - __START_KERNEL_map + phys_base, and phys_base = physical - virtual slide.
      const physical = Number(BigInt.asIntN(64, kernel.space.readU64(base)) + virtualSlide);
      yield row(virtualSlide, physical, 'phys_base', physical === physicalSlide);
    }
    const info = kernel.physical.hints.vmcoreinfo;
    const offset = /^KERNELOFFSET=([0-9a-f]+)/m.exec(info ?? '')?.[1];
    if (offset !== undefined) {
      const noted = BigInt(`0x${offset}`);
      const physBase = /^NUMBER\(phys_base\)=(-?\d+)/m.exec(info ?? '')?.[1];
      const physical = physBase === undefined ? physicalSlide : Number(BigInt(physBase) + noted);
      yield row(noted, physical, 'VMCOREINFO', noted === virtualSlide && physical === physicalSlide);
    }
  },
});
