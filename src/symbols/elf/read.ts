import { BtfError } from '../btf/format.js';
import { BtfTypes } from '../btf/types.js';
import { readDwarf } from '../dwarf/read.js';
import type { DwarfTypes } from '../dwarf/types.js';
import { ProfileError } from '../error.js';
import { ConstantMap, type ProfileSource } from '../source.js';
import type { ProfileMetadata, TypeSource } from '../types.js';
import { FileBytes, MemoryBytes, type Bytes } from './bytes.js';
import { ElfFile } from './elf.js';
import { EM, ET } from './format.js';
import { elfSymbols, type ElfSymbols } from './symbols.js';

const ARCHITECTURES: ReadonlyMap<number, ProfileMetadata['arch']> = new Map([
  [EM.X86_64, 'AMD64'],
  [EM.I386, 'I386'],
  [EM.AARCH64, 'ARM64'],
]);

/** The longest banner; the kernel's own buffer has 4096 bytes at most. */
const BANNER = 512;

export interface ReadOptions {
  readonly progress?: (done: number, total: number) => void;
}

/**
 * A profile of a vmlinux or a kernel module: types from DWARF (or, where there is none, from .BTF), names from the symbol
 * table, the banner from where `linux_banner` points. A module's names have no addresses yet: only its types count.
 *
 * @throws ProfileError with the next step
 */
export async function readElfFile(path: string, options: ReadOptions = {}): Promise<ProfileSource> {
  const file = new FileBytes(path);
  try {
    return await guarded(file, path, options);
  } finally {
    file.close();
  }
}

/** The same of a file in memory. `path` is named in messages. */
export function readElfBytes(bytes: Buffer, path: string, options: ReadOptions = {}): Promise<ProfileSource> {
  return guarded(new MemoryBytes(bytes), path, options);
}

async function guarded(bytes: Bytes, path: string, options: ReadOptions): Promise<ProfileSource> {
  try {
    return await readElf(new ElfFile(bytes, path), options);
  } catch (error) {
    // A read beyond a buffer, which no check has foreseen: the file is damaged.
    if (error instanceof RangeError) throw new ProfileError(`${path} is damaged: ${error.message}.`, 'Fetch or copy the file again.', { cause: error });
    throw error;
  }
}

export async function readElf(elf: ElfFile, { progress }: ReadOptions = {}): Promise<ProfileSource> {
  const { path } = elf;
  if (elf.type === ET.CORE) {
    throw new ProfileError(`${path} is an ELF core: a memory image, not a profile.`, `Open it as the image: rekall -f ${path}`);
  }
  const arch = ARCHITECTURES.get(elf.machine);
  if (!arch) throw new ProfileError(`${path} is for machine ${elf.machine}: only x86 and arm64 are supported.`, 'Give the vmlinux of the machine the image is of.');
  const dwarf = await readDwarf(elf, progress);
  const types = dwarf ?? btf(elf);
  if (!types) {
    throw new ProfileError(
      `${path} has no debug information (neither .debug_info nor .BTF).`,
      'Give the vmlinux of the debug package (linux-image-…-dbg, kernel-debuginfo), or none to recover the profile from the image.',
    );
  }
  const symbols: ElfSymbols = elf.type === ET.REL ? { addresses: new Map(), functions: new Set() } : elfSymbols(elf);
  const addresses = elf.type === ET.REL ? symbols.addresses : withVariables(symbols.addresses, dwarf);
  const banner = bannerOf(elf, symbols);
  return {
    types,
    constants: new ConstantMap(addresses, symbols.functions, (name) => dwarf?.variables.get(name)?.type),
    metadata: { os: 'linux', arch, source: `${dwarf ? 'DWARF' : 'BTF'} of ${path}`, ...(banner === undefined ? {} : { banner }) },
  };
}

function btf(elf: ElfFile): TypeSource | undefined {
  const section = elf.section('.BTF');
  // A module's BTF stands on its kernel's.
  if (!section || elf.type === ET.REL) return undefined;
  try {
    return new BtfTypes(Buffer.from(elf.content(section).read(0, section.size)));
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    throw new ProfileError(`${elf.path}: its .BTF section cannot be read: ${error.message}.`, 'Fetch or copy the file again.', { cause: error });
  }
}

/** The symbol table, and the variables that only DWARF has (a stripped file). */
function withVariables(addresses: ReadonlyMap<string, bigint>, dwarf: DwarfTypes | undefined): ReadonlyMap<string, bigint> {
  const all = new Map(addresses);
  for (const [name, { address }] of dwarf?.variables ?? []) {
    if (address !== undefined && !all.has(name)) all.set(name, address);
  }
  return all;
}

function bannerOf(elf: ElfFile, symbols: ElfSymbols): string | undefined {
  const address = symbols.addresses.get('linux_banner');
  const bytes = address === undefined ? undefined : elf.atAddress(address, BANNER);
  if (!bytes) return undefined;
  const end = bytes.indexOf(0);
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  return text.startsWith('Linux version ') ? text : undefined;
}
