import { readdirSync } from 'node:fs';
import { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { windowsOverlay } from '../../src/kernel/windows/overlays.js';
import { TypeCompiler } from '../../src/object/compiler.js';
import { BasedSymbols } from '../../src/symbols/based.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { OverlayTypes } from '../../src/symbols/overlay.js';
import { Profile } from '../../src/symbols/profile.js';
import type { ProfileSource } from '../../src/symbols/source.js';
import { FakeImage } from './image.js';
import { encode, type FieldValue } from './literal-types.js';
import { sharedData } from './shared.js';

/** Kernels of the official profiles, by what they are. */
export const BUILDS = {
  'XP SP3 x86': { guid: '30B5FB31AE7E4ACAABA750AA241FF3311', version: [5, 1], banner: '2600.5512.080413-2111' },
  '7 x64': { guid: 'F8E2A8B5C9B74BF4A6E4A48F180099942', version: [6, 1], banner: '7600.16385.amd64fre.win7_rtm.090713-1255' },
  '8.1 x64': { guid: '2BCBB42C', version: [6, 3], banner: '9600.16384.amd64fre.winblue_rtm.130821-1623' },
  '10 x64': { guid: '5278AFF86C341677D7D7835C85B7B844', version: [10, 0], banner: '19041.1.amd64fre.vb_release.191206-1406', symbols: true },
} as const;

export type Build = keyof typeof BUILDS;

/** The folder of a build's profile; of newer ones there are symbol files. */
function folderOf(build: Build): ReturnType<typeof sharedData> {
  return 'symbols' in BUILDS[build] ? sharedData('windows', 'isf', 'ntkrnlmp.pdb') : sharedData('profiles', 'v1.0', 'nt', 'GUID');
}

/** Why tests with the layouts of a real kernel are skipped, or false. */
export function buildSkip(build: Build): string | false {
  return folderOf(build).skip;
}

/** Why tests with the layouts of real kernels are skipped, or false. */
export const buildsSkip = sharedData('profiles').skip;

/**
 * A Windows kernel made by hand: structs as the profile of a real build lays them out, in memory that a test writes. One set of page tables serves the
 * kernel and its processes.
 *
 *     const fake = await FakeWindows.of('XP SP3 x86');
 *     const token = fake.place('_TOKEN', { PrivilegeCount: 1, Privileges: fake.place('_LUID_AND_ATTRIBUTES', { Luid: { LowPart: 20 } }) });
 *     const process = fake.object('Process', '_EPROCESS', { UniqueProcessId: 4, ImageFileName: 'System', Token: { Value: token } });
 *     fake.head('PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', [process]);
 *     const kernel = fake.kernel();
 */
export class FakeWindows {
  readonly image: FakeImage;
  readonly base: bigint;
  readonly pointer: 4 | 8;
  private readonly compiler: TypeCompiler;
  private readonly types = new Map<string, number>();
  private readonly typeObjects = new Map<string, bigint>();

  private constructor(
    private readonly source: ProfileSource,
    private readonly build: (typeof BUILDS)[keyof typeof BUILDS],
  ) {
    const wide = source.metadata.arch !== 'I386';
    this.pointer = wide ? 8 : 4;
    this.image = new FakeImage({ paging: wide ? 'amd64' : 'i386' });
    this.base = wide ? 0xfffff80002600000n : 0x80400000n;
    this.compiler = new TypeCompiler(source.types, this.pointer);
  }

  static async of(build: Build): Promise<FakeWindows> {
    const folder = folderOf(build).path;
    const name = readdirSync(folder).find((file) => file.startsWith(BUILDS[build].guid)) ?? '';
    return new FakeWindows(await openProfileFile(`${folder}/${name}`), BUILDS[build]);
  }

  has(struct: string, member: string): boolean {
    return this.compiler.hasStruct(struct) && this.compiler.struct(struct).has(member);
  }

  offsetOf(struct: string, member: string): bigint {
    return BigInt(this.compiler.struct(struct).offsetOf(member));
  }

  sizeOf(struct: string): number {
    return this.compiler.struct(struct).size ?? 0;
  }

  /** Address of a variable of the kernel. */
  symbol(name: string): bigint {
    const address = new BasedSymbols(this.source.constants, this.base).address(name);
    if (address === undefined) throw new RangeError(`the profile has no ${name}`);
    return address;
  }

  /** Writes members of the struct at an address; the others stay as they are. */
  set(struct: string, at: bigint, values: Readonly<Record<string, FieldValue>>): void {
    const bytes = this.image.read(at, this.sizeOf(struct));
    encode({ struct: (name) => this.source.types.struct(name), pointerSize: this.pointer }, { kind: 'struct', name: struct }, values, bytes, 0);
    this.image.write(at, bytes);
  }

  /** Makes a struct in fresh memory of the kernel and returns its address. */
  place(struct: string, values: Readonly<Record<string, FieldValue>> = {}): bigint {
    const at = this.image.room(this.sizeOf(struct));
    this.set(struct, at, values);
    return at;
  }

  /** Fresh memory with bytes in it. */
  bytes(content: Buffer): bigint {
    const at = this.image.room(content.length);
    this.image.write(at, content);
    return at;
  }

  /** A `_UNICODE_STRING` as a member's value. */
  text(value: string, write = (bytes: Buffer): bigint => this.bytes(bytes)): FieldValue {
    const bytes = Buffer.from(value, 'utf16le');
    return { Length: bytes.length, MaximumLength: bytes.length + 2, Buffer: write(Buffer.concat([bytes, Buffer.alloc(2)])) };
  }

  /** An object of the object manager, with its header in front; returns the object's address. */
  object(type: string, struct: string, values: Readonly<Record<string, FieldValue>> = {}): bigint {
    const front = Number(this.offsetOf('_OBJECT_HEADER', 'Body'));
    const at = this.image.room(front + this.sizeOf(struct)) + BigInt(front);
    const header = at - BigInt(front);
    // Since Windows 10 mixed with a byte of its address, and with a cookie, which is 0 here.
    const mixed = new BasedSymbols(this.source.constants, this.base).address('ObHeaderCookie') === undefined ? 0 : Number((header >> 8n) & 0xffn);
    this.set('_OBJECT_HEADER', header, this.has('_OBJECT_HEADER', 'TypeIndex') ? { TypeIndex: this.typeIndex(type) ^ mixed } : { Type: this.typeObject(type) });
    this.set(struct, at, values);
    return at;
  }

  /** Links objects to the list of a head, in the order given. */
  head(symbol: string, struct: string, member: string, members: readonly bigint[]): void {
    this.link(this.symbol(symbol), members.map((at) => at + this.offsetOf(struct, member)));
  }

  link(head: bigint, entries: readonly bigint[]): void {
    const all = [head, ...entries];
    for (const [index, at] of all.entries()) {
      this.set('_LIST_ENTRY', at, { Flink: all[(index + 1) % all.length] as bigint, Blink: all[(index + all.length - 1) % all.length] as bigint });
    }
  }

  /** Writes a pointer. */
  point(at: bigint, value: bigint): void {
    this.image.pointer(at, value);
  }

  kernel(): WindowsKernel {
    const { source, build, image } = this;
    const wide = this.pointer === 8;
    const profile = new Profile(
      new OverlayTypes(source.types, windowsOverlay(this.pointer)),
      new BasedSymbols(source.constants, this.base),
      { ...source.metadata, os: 'windows', arch: wide ? 'AMD64' : 'I386' },
      (name) => source.constants.type(name),
    );
    const [major, minor] = build.version;
    return new WindowsKernel(image.physical(), profile, { paging: image.paging, dtb: image.dtb, base: this.base, guid: build.guid, pdb: 'nt.pdb' }, build.banner, { major, minor });
  }

  private typeIndex(type: string): number {
    const known = this.types.get(type);
    if (known !== undefined) return known;
    const index = this.types.size + 2;
    this.types.set(type, index);
    this.point(this.symbol('ObTypeIndexTable') + BigInt(index * this.pointer), this.typeObject(type));
    return index;
  }

  private typeObject(type: string): bigint {
    let at = this.typeObjects.get(type);
    if (at === undefined) this.typeObjects.set(type, (at = this.place('_OBJECT_TYPE', { Name: this.text(type) })));
    return at;
  }
}
