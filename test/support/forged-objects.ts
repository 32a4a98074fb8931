import { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { windowsOverlay } from '../../src/kernel/windows/overlays.js';
import type { PagingKind } from '../../src/memory/paging/create.js';
import { OverlayTypes } from '../../src/symbols/overlay.js';
import { Profile } from '../../src/symbols/profile.js';
import type { Session } from '../../src/session/session.js';
import { sessionOn } from './fake-session.js';
import { FakeImage, type FieldValue, type LiteralTypes } from './image.js';
import { type LiteralType, LiteralTypeSource, sizeOf } from './literal-types.js';

/** Structs member by member, laid out as a compiler would: `{ _LIST_ENTRY: { Flink: '_LIST_ENTRY *', Blink: '_LIST_ENTRY *' } }`. */
export type Structs = Readonly<Record<string, Readonly<Record<string, LiteralType>>>>;

const BASIC: Structs = {
  _LIST_ENTRY: { Flink: '_LIST_ENTRY *', Blink: '_LIST_ENTRY *' },
  _UNICODE_STRING: { Length: 'u16', MaximumLength: 'u16', Buffer: 'void *' },
  _LARGE_INTEGER: { QuadPart: 's64' },
  _RTL_BALANCED_NODE: { Left: '_RTL_BALANCED_NODE *', Right: '_RTL_BALANCED_NODE *', ParentValue: 'unsigned long' },
  _EX_FAST_REF: { Value: 'unsigned long' },
  _OBJECT_TYPE_INITIALIZER: { Length: 'u16', PoolType: 'u32' },
  _OBJECT_TYPE: {
    TypeList: '_LIST_ENTRY',
    Name: '_UNICODE_STRING',
    Index: 'u8',
    TotalNumberOfObjects: 'u32',
    TotalNumberOfHandles: 'u32',
    TypeInfo: '_OBJECT_TYPE_INITIALIZER',
    Key: 'u32',
    CallbackList: '_LIST_ENTRY',
  },
  _OBJECT_HEADER_NAME_INFO: { Directory: '_OBJECT_DIRECTORY *', Name: '_UNICODE_STRING', ReferenceCount: 'u32', Padding: 'u32' },
  _OBJECT_HEADER_CREATOR_INFO: { TypeList: '_LIST_ENTRY', CreatorUniqueProcess: 'void *', Padding: 'unsigned long' },
  _OBJECT_HEADER: { PointerCount: 'unsigned long', TypeIndex: 'u8', TraceFlags: 'u8', InfoMask: 'u8', Flags: 'u8', Body: 'unsigned long' },
  _OBJECT_DIRECTORY_ENTRY: { ChainLink: '_OBJECT_DIRECTORY_ENTRY *', Object: 'void *' },
  _OBJECT_DIRECTORY: { HashBuckets: ['array', 37, '_OBJECT_DIRECTORY_ENTRY *'] },
  _OBJECT_SYMBOLIC_LINK: { CreationTime: '_LARGE_INTEGER', LinkTarget: '_UNICODE_STRING' },
  _DRIVER_OBJECT: {
    DeviceObject: '_DEVICE_OBJECT *',
    DriverStart: 'void *',
    DriverSize: 'u32',
    DriverName: '_UNICODE_STRING',
    MajorFunction: ['array', 28, 'void *'],
  },
  _DEVICE_OBJECT: { DriverObject: '_DRIVER_OBJECT *', NextDevice: '_DEVICE_OBJECT *', AttachedDevice: '_DEVICE_OBJECT *', DeviceType: 'u32', Queue: '_LIST_ENTRY' },
  _KPROCESS: { DirectoryTableBase: 'unsigned long' },
  _EPROCESS: {
    Pcb: '_KPROCESS',
    UniqueProcessId: 'void *',
    ActiveProcessLinks: '_LIST_ENTRY',
    ImageFileName: ['array', 15, 'unsigned char'],
    Session: 'void *',
    SessionProcessLinks: '_LIST_ENTRY',
  },
  _MM_SESSION_SPACE: { SessionId: 'u32', ProcessList: '_LIST_ENTRY', ImageList: '_LIST_ENTRY', WsListEntry: '_LIST_ENTRY' },
  _LDR_DATA_TABLE_ENTRY: { InLoadOrderLinks: '_LIST_ENTRY', DllBase: 'void *', EntryPoint: 'void *', SizeOfImage: 'u32', FullDllName: '_UNICODE_STRING', BaseDllName: '_UNICODE_STRING' },
};

/** The object header of XP to Vista; types are known by `ObpObjectTypes` then. */
export const OLD_HEADER: Structs = {
  _OBJECT_HEADER: { PointerCount: 'unsigned long', HandleCount: 'unsigned long', Type: '_OBJECT_TYPE *', NameInfoOffset: 'u8', HandleInfoOffset: 'u8', QuotaInfoOffset: 'u8', Flags: 'u8', Info: 'void *', SecurityDescriptor: 'void *', Body: 'unsigned long' },
};

/** Types of objects that {@link ForgedObjects} knows, by their index. */
const TYPES = ['', '', 'Type', 'Directory', 'SymbolicLink', 'Driver', 'Device', 'Callback', 'Process'] as const;
export type FakeType = Exclude<(typeof TYPES)[number], ''>;

/**
 * A Windows kernel made by hand, down to its types (so that no profile of a real build is needed): objects with headers and names, directories,
 * lists, on real page tables.
 */
export class ForgedObjects extends FakeImage {
  private readonly typeObjects = new Map<string, bigint>();

  constructor({ paging = 'amd64', structs = {} }: { readonly paging?: PagingKind; readonly structs?: Structs } = {}) {
    // What is laid out anew comes last: it may be made of structs of its own.
    const basic = Object.fromEntries(Object.entries(BASIC).filter(([name]) => !Object.hasOwn(structs, name)));
    super({ paging, types: laidOut({ ...basic, ...structs }, paging.startsWith('i386') ? 4 : 8) });
    const word = this.types.pointerSize;
    const old = this.types.struct('_OBJECT_HEADER')?.members.has('Type') === true;
    const table = this.room(32 * word);
    this.symbol(old ? 'ObpObjectTypes' : 'ObTypeIndexTable', table);
    // Behind the table another variable begins.
    this.symbol('ObpAfterTypes', table + BigInt(32 * word));
    for (const [index, name] of TYPES.entries()) {
      if (name === '') continue;
      const type = this.object('Type', '_OBJECT_TYPE', { Name: this.unicode(name), Index: index }, name);
      this.set('_OBJECT_TYPE', type, { CallbackList: this.emptyList(type, '_OBJECT_TYPE', 'CallbackList') });
      this.typeObjects.set(name, type);
      this.pointer(table + BigInt((old ? index - 2 : index) * word), type);
    }
    if (!old) this.pointer(table + BigInt(word), 0xbad0b0b0n);
  }

  /** Address of the `_OBJECT_TYPE` of a name. */
  type(name: FakeType): bigint {
    return this.typeObjects.get(name) as bigint;
  }

  /** A `_UNICODE_STRING` with its text in fresh room. */
  unicode(text: string): FieldValue {
    const bytes = Buffer.from(text, 'utf16le');
    const buffer = this.room(bytes.length + 2);
    this.write(buffer, bytes);
    return { Length: bytes.length, MaximumLength: bytes.length + 2, Buffer: buffer };
  }

  /** An object with its header and, if it has a name, its name in front. Returns the address of its body. */
  object(type: FakeType, struct: string, values: Readonly<Record<string, FieldValue>>, name?: string, directory = 0n): bigint {
    const nameSize = name === undefined ? 0 : this.size('_OBJECT_HEADER_NAME_INFO');
    const header = this.offsetOf('_OBJECT_HEADER', 'Body');
    const start = this.room(nameSize + header + this.size(struct));
    if (name !== undefined) this.set('_OBJECT_HEADER_NAME_INFO', start, { Directory: directory, Name: this.unicode(name) });
    const body = start + BigInt(nameSize + header);
    // XP: a pointer to the type (that of types is itself), and how far in front the name stands.
    const old = this.types.struct('_OBJECT_HEADER')?.members.has('Type') === true;
    const kind: Readonly<Record<string, FieldValue>> = old ? { Type: this.typeObjects.get(type) ?? body, NameInfoOffset: nameSize } : { TypeIndex: TYPES.indexOf(type), InfoMask: name === undefined ? 0 : 2 };
    this.set('_OBJECT_HEADER', start + BigInt(nameSize), kind);
    this.set(struct, body, values);
    return body;
  }

  /** A directory with objects in buckets: an array of chains. Returns its body; each chain's entries are `_OBJECT_DIRECTORY_ENTRY`s. */
  directory(name: string | undefined, chains: readonly (readonly bigint[])[], above = 0n): { readonly body: bigint; readonly entries: bigint[][] } {
    const body = this.object('Directory', '_OBJECT_DIRECTORY', {}, name, above);
    const entries = chains.map((objects) => {
      const made = objects.map((object) => this.place('_OBJECT_DIRECTORY_ENTRY', { Object: object }));
      for (const [index, entry] of made.entries()) this.set('_OBJECT_DIRECTORY_ENTRY', entry, { ChainLink: made[index + 1] ?? 0 });
      return made;
    });
    this.set('_OBJECT_DIRECTORY', body, { HashBuckets: entries.map((chain) => chain[0] ?? 0) });
    return { body, entries };
  }

  /** The value of a list entry that points to itself. */
  emptyList(at: bigint, struct: string, member: string): FieldValue {
    const own = at + BigInt(this.offsetOf(struct, member));
    return { Flink: own, Blink: own };
  }

  /** A head at a symbol, with entries on it. */
  list(symbol: string, entries: readonly bigint[] = [], head = this.room(2 * this.types.pointerSize)): bigint {
    this.symbol(symbol, head);
    this.ring(head, ...entries);
    return head;
  }

  /** Joins `_LIST_ENTRY`s to a circle. */
  ring(...entries: readonly bigint[]): void {
    for (const [index, entry] of entries.entries()) {
      const next = entries[(index + 1) % entries.length] as bigint;
      const previous = entries[(index + entries.length - 1) % entries.length] as bigint;
      this.set('_LIST_ENTRY', entry, { Flink: next, Blink: previous });
    }
  }

  /** A variable of pointers at a symbol. */
  words(symbol: string, ...values: readonly bigint[]): bigint {
    const at = this.room(values.length * this.types.pointerSize);
    for (const [index, value] of values.entries()) this.pointer(at + BigInt(index * this.types.pointerSize), value);
    this.symbol(symbol, at);
    return at;
  }

  offsetOf(struct: string, member: string): number {
    return this.types.struct(struct)?.members.get(member)?.offset as number;
  }

  size(struct: string): number {
    return this.types.struct(struct)?.size as number;
  }

  windows(): WindowsKernel {
    const plain = this.profile();
    const profile = new Profile(new OverlayTypes(this.types, windowsOverlay(this.types.pointerSize)), plain.symbols, { ...plain.metadata, os: 'windows' });
    const base = this.types.pointerSize === 8 ? 0xfffff80002600000n : 0x80400000n;
    return new WindowsKernel(this.physical(), profile, { paging: this.paging, dtb: this.dtb, base, guid: '', pdb: 'ntkrnlmp.pdb' }, '7600.fake', { major: 6, minor: 1 });
  }

  /** A session whose kernel this is. */
  session(): Session {
    return sessionOn(this.windows());
  }
}

/** Offsets by C's rules. */
function laidOut(structs: Structs, word: 4 | 8): LiteralTypes {
  const done: Record<string, [number, Record<string, [number, LiteralType]>]> = {};
  const alignments: Record<string, number> = {};
  for (const [name, stated] of Object.entries(structs)) {
    const members: Record<string, [number, LiteralType]> = {};
    // Types so far, for the sizes of structs in place.
    const known = new LiteralTypeSource({ ...done, probe: [0, Object.fromEntries(Object.entries(stated).map(([member, type]) => [member, [0, type]] as const))] }, word);
    let offset = 0;
    let widest = 1;
    for (const [member, type] of Object.entries(stated)) {
      const descriptor = known.struct('probe')?.members.get(member)?.type;
      if (!descriptor) throw new RangeError(member);
      const element = descriptor.kind === 'array' ? descriptor.target : descriptor;
      const size = sizeOf(known, descriptor);
      const alignment = element.kind === 'struct' ? (alignments[element.name] ?? word) : Math.min(word, sizeOf(known, element));
      offset = Math.ceil(offset / alignment) * alignment;
      members[member] = [offset, type];
      offset += size;
      widest = Math.max(widest, alignment);
    }
    done[name] = [Math.ceil(offset / widest) * widest, members];
    alignments[name] = widest;
  }
  return done;
}
