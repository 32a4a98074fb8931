import type { Forge, Values } from './forge.js';

/** Object types in the order of their indices on Windows 7, the first being 2, with the tag of their pool. Source: `\ObjectTypes` of a running system. */
const TYPES: readonly (readonly [name: string, tag: string, nonPaged?: boolean])[] = [
  ['Type', 'ObjT', true], ['Directory', 'Dire'], ['SymbolicLink', 'Symb'], ['Token', 'Toke'], ['Job', 'Job '], ['Process', 'Proc', true], ['Thread', 'Thre', true],
  ['UserApcReserve', 'User'], ['IoCompletionReserve', 'IoCo'], ['DebugObject', 'Debu'], ['Event', 'Even', true], ['EventPair', 'EvPa'], ['Mutant', 'Muta', true],
  ['Callback', 'Call'], ['Semaphore', 'Sema', true], ['Timer', 'Time', true], ['Profile', 'Prof'], ['KeyedEvent', 'Keye'], ['WindowStation', 'Wind'], ['Desktop', 'Desk'],
  ['TpWorkerFactory', 'TpWo'], ['Adapter', 'Adap'], ['Controller', 'Cont'], ['Device', 'Devi', true], ['Driver', 'Driv', true], ['IoCompletion', 'IoCo'], ['File', 'File', true],
  ['TmTm', 'TmTm'], ['TmTx', 'TmTx'], ['TmRm', 'TmRm'], ['TmEn', 'TmEn'], ['Section', 'Sect'], ['Session', 'Sess'], ['Key', 'Key '], ['ALPC Port', 'ALPC', true],
];
const FIRST_TYPE = 2;

/** Globals that lead to a type. */
const TYPE_GLOBALS: Readonly<Record<string, string>> = {
  Type: 'ObpTypeObjectType', Directory: 'ObpDirectoryObjectType', SymbolicLink: 'ObpSymbolicLinkObjectType', Process: 'PsProcessType', Thread: 'PsThreadType', File: 'IoFileObjectType',
  Driver: 'IoDriverObjectType', Device: 'IoDeviceObjectType', Token: 'SeTokenObjectType', Section: 'MmSectionObjectType', Event: 'ExEventObjectType', Mutant: 'ExMutantObjectType', Key: 'CmpKeyObjectType',
};

/** Optional headers from the object's header upwards: bit of InfoMask and struct. */
const INFO = [
  [1, '_OBJECT_HEADER_CREATOR_INFO'],
  [2, '_OBJECT_HEADER_NAME_INFO'],
  [4, '_OBJECT_HEADER_HANDLE_INFO'],
  [8, '_OBJECT_HEADER_QUOTA_INFO'],
  [16, '_OBJECT_HEADER_PROCESS_INFO'],
] as const;

export interface ObjectOptions {
  readonly name?: string;
  readonly directory?: Directory;
  /** bytes of the body, where it is not a struct's */
  readonly size?: number;
  /** has a quota header, as what user mode made has */
  readonly quota?: boolean;
}

/** A directory of the object manager, whose entries are chained behind 37 buckets. */
export interface Directory {
  readonly address: bigint;
  readonly path: string;
}

/** What the truth says of an object. */
export interface KnownObject {
  readonly address: bigint;
  readonly type: string;
  readonly name: string;
  readonly path: string;
  handles: number;
}

/** The object manager: types, objects behind their headers, directories. */
export class Objects {
  readonly types = new Map<string, { address: bigint; index: number; tag: string; nonPaged: boolean; objects: number }>();
  readonly known = new Map<bigint, KnownObject>();
  readonly root: Directory;
  private readonly bodyOffset: number;

  constructor(private readonly forge: Forge) {
    this.bodyOffset = forge.offset('_OBJECT_HEADER', 'Body');
    // The type of types is an object of itself: its address is known before its header is written.
    for (const [order, [name, tag, nonPaged = false]] of TYPES.entries()) this.types.set(name, { address: 0n, index: FIRST_TYPE + order, tag, nonPaged, objects: 0 });
    for (const [name, type] of this.types) {
      type.address = this.create('Type', '_OBJECT_TYPE', {}, { name });
      forge.put('_OBJECT_TYPE', type.address, {
        Name: forge.text(name),
        Index: type.index,
        Key: Buffer.from(type.tag, 'latin1').readUInt32LE(),
        TypeInfo: { Length: forge.size('_OBJECT_TYPE_INITIALIZER'), ValidAccessMask: 0x1f0fff, PoolType: type.nonPaged ? 0 : 1 },
      });
      forge.link(type.address + BigInt(forge.offset('_OBJECT_TYPE', 'TypeList')), []);
      forge.word(forge.symbol('ObTypeIndexTable') + BigInt(type.index * forge.pointer), type.address);
      const global = TYPE_GLOBALS[name];
      if (global !== undefined) forge.word(forge.symbol(global), type.address);
    }
    // Index 1 is a mark.
    forge.word(forge.symbol('ObTypeIndexTable') + BigInt(forge.pointer), 0xbad0b0b0n);
    this.root = { address: this.create('Directory', '_OBJECT_DIRECTORY', {}, { name: '\\' }), path: '' };
    forge.word(forge.symbol('ObpRootDirectoryObject'), this.root.address);
    const types = this.directory('ObjectTypes');
    forge.word(forge.symbol('ObpTypeDirectoryObject'), types.address);
    for (const [name, type] of this.types) this.insert(types, name, type.address);
    const offsets = forge.symbol('ObpInfoMaskToOffset');
    forge.system.write(offsets, Uint8Array.from({ length: 256 }, (_, mask) => INFO.reduce((sum, [bit, struct]) => sum + ((mask & bit) === 0 ? 0 : this.infoSize(struct)), 0) & 0xff));
  }

  /** Makes an object, and puts it into a directory where one is given. */
  create(type: string, struct: string, values: Values, { name = '', directory, size, quota = false }: ObjectOptions = {}): bigint {
    const { forge } = this;
    const known = this.types.get(type);
    if (!known) throw new Error(`no type ${type}`);
    const mask = (name === '' ? 0 : 2) | (quota ? 8 : 0) | (type === 'Type' ? 1 : 0);
    const before = INFO.reduce((sum, [bit, info]) => sum + ((mask & bit) === 0 ? 0 : this.infoSize(info)), 0);
    const pool = known.nonPaged ? forge.nonPaged : forge.paged;
    const start = pool.allocate(before + this.bodyOffset + (size ?? forge.size(struct)), known.tag, true);
    const header = start + BigInt(before);
    const body = header + BigInt(this.bodyOffset);
    let at = header;
    for (const [bit, info] of INFO) {
      if ((mask & bit) === 0) continue;
      at -= BigInt(this.infoSize(info));
      if (bit === 1) forge.link(at, []);
      if (bit === 2) forge.put(info, at, { Name: forge.text(name), Directory: directory?.address ?? 0, ReferenceCount: 2 });
      if (bit === 8) forge.put(info, at, { NonPagedPoolCharge: 0x200, SecurityDescriptorCharge: 0 });
    }
    forge.put('_OBJECT_HEADER', header, { PointerCount: 1, TypeIndex: known.index, InfoMask: mask, Flags: type === 'Type' ? 0x14 : 0 });
    forge.put(struct, body, values);
    known.objects++;
    this.known.set(body, { address: body, type, name, path: directory ? `${directory.path}\\${name}` : name, handles: 0 });
    if (directory) this.insert(directory, name, body);
    return body;
  }

  directory(name: string, parent: Directory = this.root): Directory {
    return { address: this.create('Directory', '_OBJECT_DIRECTORY', {}, { name, directory: parent }), path: `${parent.path}\\${name}` };
  }

  link(name: string, target: string, directory: Directory): bigint {
    return this.create('SymbolicLink', '_OBJECT_SYMBOLIC_LINK', { LinkTarget: this.forge.text(target) }, { name, directory });
  }

  headerOf(body: bigint): bigint {
    return body - BigInt(this.bodyOffset);
  }

  /** One more handle to an object. */
  reference(body: bigint): void {
    const known = this.known.get(body);
    if (!known) throw new Error(`no object at 0x${body.toString(16)}`);
    known.handles++;
    this.forge.put('_OBJECT_HEADER', this.headerOf(body), { HandleCount: known.handles, PointerCount: known.handles + 1 });
  }

  /** How many objects and handles of each type there are, at last. */
  finish(): void {
    for (const [name, type] of this.types) {
      const handles = [...this.known.values()].filter((object) => object.type === name).reduce((sum, object) => sum + object.handles, 0);
      this.forge.put('_OBJECT_TYPE', type.address, { TotalNumberOfObjects: type.objects, HighWaterNumberOfObjects: type.objects, TotalNumberOfHandles: handles, HighWaterNumberOfHandles: handles });
    }
  }

  /** Puts an object behind its bucket: the one of its name's hash ("Windows Internals": ObpLookupDirectoryEntry), the newest first. */
  private insert(directory: Directory, name: string, object: bigint): void {
    if (!this.forge.has('_OBJECT_DIRECTORY', 'HashBuckets')) return;
    const { forge } = this;
    let hash = 0;
    for (const character of name.toUpperCase()) hash = (hash + ((hash << 1) + (hash >>> 1)) + character.charCodeAt(0)) >>> 0;
    const bucket = directory.address + BigInt((hash % 37) * forge.pointer);
    const entry = forge.paged.allocate(forge.size('_OBJECT_DIRECTORY_ENTRY'), 'ObDi');
    forge.put('_OBJECT_DIRECTORY_ENTRY', entry, { ChainLink: forge.readWord(bucket), Object: object, HashValue: hash });
    forge.word(bucket, entry);
  }

  private infoSize(struct: string): number {
    return this.forge.size(struct);
  }
}
