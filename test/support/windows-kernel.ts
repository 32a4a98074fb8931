import { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { windowsOverlay } from '../../src/kernel/windows/overlays.js';
import type { PagingKind } from '../../src/memory/paging/create.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { BasedSymbols } from '../../src/symbols/based.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { OverlayTypes } from '../../src/symbols/overlay.js';
import { Profile } from '../../src/symbols/profile.js';
import type { ProfileSource } from '../../src/symbols/source.js';
import { FakeImage } from './image.js';
import { sharedData } from './shared.js';

/** Kernels whose real layouts tests forge memory for, by what makes them different. */
const LAYOUTS = {
  /** XP SP3, x86 with PAE */
  xp: { file: ['profiles', 'v1.0', 'nt', 'GUID', '30B5FB31AE7E4ACAABA750AA241FF3311.gz'], paging: 'i386-pae', version: { major: 5, minor: 1 }, banner: '2600.xpsp_sp3_gdr.090804-1435' },
  /** Server 2003 SP1, x86 with PAE: its profile has no `_KTIMER_TABLE_ENTRY`, though it is in use */
  server2003: { file: ['profiles', 'v1.0', 'nt', 'GUID', '80A87123E83C40579E8319E5DB7B523C1.gz'], paging: 'i386-pae', version: { major: 5, minor: 2 }, banner: '3790.srv03_sp1_rtm.050324-1447' },
  /** Vista, x64 */
  vista: { file: ['profiles', 'v1.0', 'nt', 'GUID', '197D68CCA15544668586B96559C879CD2.gz'], paging: 'amd64', version: { major: 6, minor: 0 }, banner: '6001.18000.amd64fre.longhorn_rtm.080118-1840' },
  /** Windows 7 without PAE, x86 */
  seven: { file: ['profiles', 'v1.0', 'nt', 'GUID', '05D170AAEF7F496F9D40BA710C3D90A22.gz'], paging: 'i386', version: { major: 6, minor: 1 }, banner: '7600.16385.x86fre.win7_rtm.090713-1255' },
  /** Windows 10 19041, x64 */
  ten: { file: ['windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz'], paging: 'amd64', version: { major: 10, minor: 0 }, banner: '19041.1.amd64fre.vb_release.191206-1406' },
} as const;

export type Layout = keyof typeof LAYOUTS;

/** What a forged kernel runs on and says of itself. */
export interface ForgedSystem {
  readonly paging: PagingKind;
  readonly version: { readonly major: number; readonly minor: number };
  readonly banner: string;
}

/** Why tests that forge these kernels are skipped, or false. */
export function layoutSkip(layout: Layout): string | false {
  return sharedData(...LAYOUTS[layout].file).skip;
}

/** A Windows kernel in memory made by hand, with the types and symbols of a real one. */
export class ForgedWindows {
  readonly image: FakeImage;
  private readonly profile: Profile;

  private constructor(
    private readonly layout: ForgedSystem,
    source: ProfileSource,
    readonly base: bigint,
  ) {
    this.image = new FakeImage({ paging: layout.paging });
    const pointer = this.image.types.pointerSize;
    this.profile = new Profile(
      new OverlayTypes(source.types, windowsOverlay(pointer)),
      new BasedSymbols(source.constants, base),
      { ...source.metadata, os: 'windows', arch: pointer === 4 ? 'I386' : 'AMD64' },
      (name) => source.constants.type(name),
    );
  }

  static async of(name: Layout): Promise<ForgedWindows> {
    const layout = LAYOUTS[name];
    return ForgedWindows.from(await openProfileFile(sharedData(...layout.file).path), layout);
  }

  /** One of any profile. */
  static from(source: ProfileSource, system: ForgedSystem): ForgedWindows {
    return new ForgedWindows(system, source, system.paging === 'amd64' ? 0xfffff80000400000n : 0x804d7000n);
  }

  /** True where the profile has the member. */
  has(struct: string, member: string): boolean {
    return this.profile.has(struct, member);
  }

  /** Address of a symbol. */
  at(symbol: string): bigint {
    return this.profile.address(symbol);
  }

  /** Bytes of a struct. */
  size(struct: string): number {
    return this.profile.struct(struct).size ?? 0;
  }

  /** Writes a number of so many bytes. */
  put(address: bigint, size: number, value: number | bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    this.image.write(address, bytes.subarray(0, size));
  }

  /** Address of a member, which may be one of a struct in place (`Header.Type`). */
  member(struct: string, address: bigint, path: string): bigint {
    return address + BigInt(this.profile.struct(struct).offsetOf(path));
  }

  /** Writes members: a bigint as a pointer, a number in one to eight bytes. */
  set(struct: string, address: bigint, members: Readonly<Record<string, bigint | readonly [size: number, value: number | bigint]>>): void {
    for (const [path, value] of Object.entries(members)) {
      const [size, number] = typeof value === 'bigint' ? [this.image.types.pointerSize, value] : value;
      this.put(this.member(struct, address, path), size, number);
    }
  }

  /** Joins `_LIST_ENTRY`s to a circle, in the order given. */
  link(...entries: readonly bigint[]): void {
    for (const [index, entry] of entries.entries()) {
      this.image.pointer(entry, entries[(index + 1) % entries.length] as bigint);
      this.image.pointer(entry + BigInt(this.image.types.pointerSize), entries[(index + entries.length - 1) % entries.length] as bigint);
    }
  }

  /** A processor in nt!KiProcessorBlock; returns its control region and block. */
  processor(number: number, pcr: bigint): { readonly pcr: bigint; readonly prcb: bigint } {
    const narrow = this.image.types.pointerSize === 4;
    const prcb = this.member('_KPCR', pcr, narrow ? 'PrcbData' : 'Prcb');
    this.set('_KPCR', pcr, narrow ? { SelfPcr: pcr, Prcb: prcb } : { Self: pcr, CurrentPrcb: prcb });
    this.set('_KPRCB', prcb, { Number: [narrow ? 1 : 4, number] });
    this.image.pointer(this.at('KiProcessorBlock') + BigInt(number * this.image.types.pointerSize), prcb);
    this.put(this.at('KeNumberProcessors'), narrow ? 1 : 4, number + 1);
    return { pcr, prcb };
  }

  /** The list at nt!PsLoadedModuleList; names are written, too. */
  modules(all: readonly { readonly name: string; readonly base: bigint; readonly size: number }[]): void {
    const wide = this.image.types.pointerSize === 8;
    const entries = all.map(({ name, base, size }) => {
      const entry = this.image.room(this.size('_LDR_DATA_TABLE_ENTRY'));
      const text = this.image.room(64);
      this.image.write(text, Buffer.from(name, 'utf16le'));
      this.set('_LDR_DATA_TABLE_ENTRY', entry, { DllBase: base, SizeOfImage: [4, size] });
      for (const member of ['BaseDllName', 'FullDllName']) {
        const at = this.member('_LDR_DATA_TABLE_ENTRY', entry, member);
        this.put(at, 2, name.length * 2);
        this.image.pointer(at + (wide ? 8n : 4n), text);
      }
      return this.member('_LDR_DATA_TABLE_ENTRY', entry, 'InLoadOrderLinks');
    });
    this.link(this.at('PsLoadedModuleList'), ...entries);
  }

  kernel(): WindowsKernel {
    const { paging, version, banner } = this.layout;
    return new WindowsKernel(this.image.physical(), this.profile, { paging, dtb: this.image.dtb, base: this.base, guid: '', pdb: '' }, banner, version);
  }

  /** A session whose kernel this is. */
  session(): Session {
    const kernel = this.kernel();
    const session = new Session({ cache: 'memory' }, new Registry([], ''));
    return Object.assign(session, { kernel: () => Promise.resolve(kernel), physical: () => kernel.physical });
  }
}
