import { orElse } from '../../../memory/absent.js';
import { addressOf, PAGE_SIZE } from '../../../memory/page.js';
import { ArrayView } from '../../../object/array.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { unicodeText } from '../strings.js';

/** Types an object manager has at most. */
const MOST_TYPES = 256;
/** Bits of `_OBJECT_HEADER.InfoMask`, from the header upwards in memory downwards (since Windows 7). */
const INFO = { creator: 0x1, name: 0x2, handle: 0x4, quota: 0x8, process: 0x10 } as const;
const INFO_STRUCTS: readonly (readonly [bit: number, struct: string])[] = [
  [INFO.creator, '_OBJECT_HEADER_CREATOR_INFO'],
  [INFO.name, '_OBJECT_HEADER_NAME_INFO'],
  [INFO.handle, '_OBJECT_HEADER_HANDLE_INFO'],
  [INFO.quota, '_OBJECT_HEADER_QUOTA_INFO'],
  [INFO.process, '_OBJECT_HEADER_PROCESS_INFO'],
];

/** An object of the object manager, by its header. */
export interface KernelObject {
  readonly header: Struct;
  /** `Process`, `File` …; undefined where the header says nothing that makes sense */
  readonly type: string | undefined;
  /** address of the object itself */
  readonly body: bigint;
}

/** The object whose header stands at an address. Throws Absent. */
export function objectAt(kernel: WindowsKernel, header: bigint): KernelObject {
  const view = kernel.at('_OBJECT_HEADER', header);
  return { header: view, type: objectTyper(kernel)(header), body: view.$addressOf('Body') };
}

/** The object of a body: its header stands right before. */
export function objectOfBody(kernel: WindowsKernel, body: bigint): KernelObject {
  return objectAt(kernel, body - BigInt(kernel.struct('_OBJECT_HEADER').offsetOf('Body')));
}

/** The object types by their index in `ObTypeIndexTable` (since Windows 7), read once. */
export function objectTypes(kernel: WindowsKernel): ReadonlyMap<number, { readonly address: bigint; readonly name: string }> {
  return kernel.memo('object types', () => {
    const types = new Map<number, { address: bigint; name: string }>();
    const table = kernel.symbol('ObTypeIndexTable');
    if (table === undefined) return types;
    const pointer = kernel.profile.pointerSize;
    for (let index = 0; index < MOST_TYPES; index++) {
      const address = orElse(() => kernel.space.readPointer(table + BigInt(index * pointer)), 0n);
      // The first two are no types: null, and a mark (0xbad0b0b0).
      if (index >= 2 && address === 0n) break;
      const name = index < 2 ? undefined : orElse(() => unicodeText(kernel.at('_OBJECT_TYPE', address).$get('Name') as Struct), undefined);
      if (name !== undefined && name !== '') types.set(index, { address, name });
    }
    return types;
  });
}

/** Tells the type of the object whose header stands at an address. Throws Absent. */
export type ObjectTyper = (header: bigint) => string | undefined;

/**
 * Names of objects' types, for walks over many: by `TypeIndex` (since Windows 7; since Windows 10 mixed with a cookie and the header's address,
 * nt!ObGetObjectType), or by the pointer `Type` before.
 */
export function objectTyper(kernel: WindowsKernel): ObjectTyper {
  return kernel.memo('typer of objects', () => {
    const header = kernel.struct('_OBJECT_HEADER');
    const { space } = kernel;
    if (header.has('TypeIndex')) {
      const offset = BigInt(header.offsetOf('TypeIndex'));
      const types = objectTypes(kernel);
      const at = kernel.symbol('ObHeaderCookie');
      if (at === undefined) return (address) => types.get(space.readU8(address + offset))?.name;
      const cookie = orElse(() => space.readU8(at), 0);
      return (address) => types.get(space.readU8(address + offset) ^ cookie ^ Number((address >> 8n) & 0xffn))?.name;
    }
    const offset = BigInt(header.offsetOf('Type'));
    const names = new Map<bigint, string | undefined>();
    return (address) => {
      const type = space.readPointer(address + offset);
      if (names.has(type)) return names.get(type);
      const name = orElse(() => unicodeText(kernel.at('_OBJECT_TYPE', type).$get('Name') as Struct), '');
      names.set(type, name === '' ? undefined : name);
      return name === '' ? undefined : name;
    };
  });
}

/** Whether the object whose header stands in a page, at an offset in it, is of a type; false where it cannot be read. */
export type HeaderTest = (page: number, offset: number) => boolean;

/** {@link objectTyper} for one type and by page numbers, for walks over very many objects. */
export function headerTest(kernel: WindowsKernel, type: string): HeaderTest {
  return kernel.memo(`objects of the type ${type}`, () => {
    const header = kernel.struct('_OBJECT_HEADER');
    const { space } = kernel;
    if (!header.has('TypeIndex')) {
      const typeOf = objectTyper(kernel);
      return (page, offset) => orElse(() => typeOf(addressOf(page, offset)), undefined) === type;
    }
    const at = header.offsetOf('TypeIndex');
    const indexes = new Set([...objectTypes(kernel)].filter(([, { name }]) => name === type).map(([index]) => index));
    const mixed = kernel.symbol('ObHeaderCookie');
    const cookie = mixed === undefined ? 0 : orElse(() => space.readU8(mixed), 0);
    return (page, offset) => {
      const place = offset + at;
      const here = space.pageAt(place < PAGE_SIZE ? page : page + 1);
      if (!here) return false;
      const index = here.whole ? (here.bytes[place % PAGE_SIZE] as number) : orElse(() => here.view.getUint8(place % PAGE_SIZE), undefined);
      if (index === undefined) return false;
      // Bits 8 to 15 of the header's address.
      return indexes.has(mixed === undefined ? index : index ^ cookie ^ ((page & 0xf) << 4) ^ (offset >> 8));
    };
  });
}

/** The name information of an object, where it has one: it stands before the header. */
export function nameInfo(kernel: WindowsKernel, { header }: KernelObject): Struct | undefined {
  if (header.$has('InfoMask')) {
    const mask = Number(header.$get('InfoMask'));
    if ((mask & INFO.name) === 0) return undefined;
    let offset = 0;
    for (const [bit, struct] of INFO_STRUCTS) {
      if ((mask & bit) !== 0) offset += kernel.struct(struct).size ?? 0;
      if (bit === INFO.name) break;
    }
    return kernel.at('_OBJECT_HEADER_NAME_INFO', header.$address - BigInt(offset));
  }
  const offset = Number(header.$get('NameInfoOffset'));
  return offset === 0 ? undefined : kernel.at('_OBJECT_HEADER_NAME_INFO', header.$address - BigInt(offset));
}

/** The object's name in its directory; empty where it has none. Throws Absent where the name cannot be read. */
export function objectName(kernel: WindowsKernel, object: KernelObject): string {
  const info = nameInfo(kernel, object);
  return info ? unicodeText(info.$get('Name') as Struct) : '';
}

/** Elements of an array member. */
export function elementsOf(struct: Struct, member: string): unknown[] {
  const value = struct.$get(member);
  return value instanceof ArrayView ? [...value] : [];
}
