import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { writeProfile } from '../../src/symbols/rekall/file.js';
import { linkedSymbols } from '../../src/symbols/rekall/write.js';

export const saveProfile = definePlugin({
  name: 'save_profile',
  needs: 'kernel',
  topic: 'profile',
  summary: "writes this kernel's profile, recovered from the image, in Rekall's JSON form",
  notes:
    'Types come from the BTF in the image, names from its kallsyms; addresses are written as linked (the KASLR slide is taken away), so that the profile fits every image of the same kernel. ' +
    'Use it with --profile, or put it into a repository.',
  args: { out_file: arg.path.required('file to write; compressed when its name ends in .gz', { positional: true, completes: 'path' }) },
  columns: {
    path: col.string('the file'),
    structs: col.int('number of structs and unions'),
    constants: col.int('number of symbols'),
    banner: col.string('the kernel it is for'),
  },
  examples: [{ line: 'save_profile linux-6.1.json.gz' }],
  async *collect(context, args) {
    const { kernel, session } = context;
    const path = session.path(args.out_file);
    const slide = kernel.os === 'linux' ? (kernel as LinuxKernel).location.virtualSlide : 0n;
    const lowest = kernel.profile.pointerSize === 8 ? 0xffffffff80000000n : 0xc0000000n;
    const { constants, functions } = linkedSymbols(kernel.profile.symbols, slide, lowest);
    const metadata = { ...kernel.profile.metadata, banner: kernel.banner };
    await writeProfile(path, { types: kernel.profile.types, constants, functions, metadata });
    yield { path, structs: new Set(kernel.profile.types.structNames()).size, constants: constants.length + functions.length, banner: kernel.banner };
  },
});
