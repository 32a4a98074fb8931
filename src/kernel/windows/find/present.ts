import { orElse } from '../../../memory/absent.js';
import { describeStruct } from '../../../object/describe.js';
import type { Struct } from '../../../object/struct.js';
import { Timestamp } from '../../../object/time.js';
import { fastRef } from '../fast-ref.js';
import { unicodeText } from '../strings.js';

/** Where a struct stands: as which member of which struct. */
export interface Within {
  readonly struct: string;
  readonly member: string;
}

/**
 * What lists lead to: struct and member of the head or link → struct of the elements, and the link in them. Sources: ntoskrnl's public types; "Windows
 * Internals"; the loader's lists (ntldr.h).
 */
const LISTS: Readonly<Record<string, readonly [struct: string, link: string]>> = {
  '_EPROCESS.ActiveProcessLinks': ['_EPROCESS', 'ActiveProcessLinks'],
  '_EPROCESS.SessionProcessLinks': ['_EPROCESS', 'SessionProcessLinks'],
  '_EPROCESS.MmProcessLinks': ['_EPROCESS', 'MmProcessLinks'],
  '_EPROCESS.JobLinks': ['_EPROCESS', 'JobLinks'],
  '_EPROCESS.ThreadListHead': ['_ETHREAD', 'ThreadListEntry'],
  '_ETHREAD.ThreadListEntry': ['_ETHREAD', 'ThreadListEntry'],
  '_KPROCESS.ThreadListHead': ['_KTHREAD', 'ThreadListEntry'],
  '_KTHREAD.ThreadListEntry': ['_KTHREAD', 'ThreadListEntry'],
  '_EJOB.ProcessListHead': ['_EPROCESS', 'JobLinks'],
  '_MM_SESSION_SPACE.ProcessList': ['_EPROCESS', 'SessionProcessLinks'],
  '_HANDLE_TABLE.HandleTableList': ['_HANDLE_TABLE', 'HandleTableList'],
  '_PEB_LDR_DATA.InLoadOrderModuleList': ['_LDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks'],
  '_PEB_LDR_DATA.InMemoryOrderModuleList': ['_LDR_DATA_TABLE_ENTRY', 'InMemoryOrderLinks'],
  '_PEB_LDR_DATA.InInitializationOrderModuleList': ['_LDR_DATA_TABLE_ENTRY', 'InInitializationOrderLinks'],
  '_LDR_DATA_TABLE_ENTRY.InLoadOrderLinks': ['_LDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks'],
  '_LDR_DATA_TABLE_ENTRY.InMemoryOrderLinks': ['_LDR_DATA_TABLE_ENTRY', 'InMemoryOrderLinks'],
  '_LDR_DATA_TABLE_ENTRY.InInitializationOrderLinks': ['_LDR_DATA_TABLE_ENTRY', 'InInitializationOrderLinks'],
  '_KLDR_DATA_TABLE_ENTRY.InLoadOrderLinks': ['_KLDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks'],
};

/** What counted references lead to. */
const REFERENCES: Readonly<Record<string, string>> = { '_EPROCESS.Token': '_TOKEN', '_CONTROL_AREA.FilePointer': '_FILE_OBJECT' };

type Present = (struct: Struct, within: Within | undefined) => unknown;

/** How structs are shown whose value is what an analyst reads: a text, a number, what a link leads to. */
const PRESENT: Readonly<Record<string, Present>> = {
  _UNICODE_STRING: unicodeText,
  _STRING: narrowText,
  _LARGE_INTEGER: (struct) => plainNumber(BigInt.asIntN(64, struct.$space.readU64(struct.$address))),
  _ULARGE_INTEGER: (struct) => plainNumber(struct.$space.readU64(struct.$address)),
  _KSYSTEM_TIME: (struct, within) => {
    const ticks = struct.$space.readU64(struct.$address);
    return within?.member === 'SystemTime' ? Timestamp.fromFileTime(ticks) : plainNumber(BigInt.asIntN(64, ticks));
  },
  _LUID: (struct) => `0x${struct.$space.readU64(struct.$address).toString(16)}`,
  _GUID: (struct) => guidText(struct.$space.read(struct.$address, 16)),
  _CLIENT_ID: (struct) => `${String(struct.$get('UniqueProcess'))}.${String(struct.$get('UniqueThread'))}`,
  _EX_FAST_REF: (struct, within) => {
    const address = fastRef(struct);
    const target = within && REFERENCES[`${within.struct}.${within.member}`];
    return address === 0n ? 'NULL' : `0x${address.toString(16)}${target === undefined ? '' : ` ${target}`}`;
  },
  _LIST_ENTRY: listTarget,
};

/**
 * A struct in place as its value: text of a counted string, a number, where a link leads. Undefined for all others, which are shown by their address. Throws
 * Absent where it cannot be read.
 * @param name of an address, where something known begins there
 */
export function presentStruct(struct: Struct, within: Within | undefined, name: (address: bigint) => string | undefined): unknown {
  const present = Object.hasOwn(PRESENT, struct.$type) ? PRESENT[struct.$type] : undefined;
  const shown = present?.(struct, within);
  // The last link of a list leads to its head, which often is a global.
  return shown instanceof Link ? `-> ${name(shown.address) ?? shown.text}` : shown;
}

/** A count is no address: as a number where that holds it. */
function plainNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

class Link {
  constructor(
    readonly address: bigint,
    readonly text: string,
  ) {}
}

/** What the link in front leads to: the object that it stands in where that is known, otherwise an address. */
function listTarget(struct: Struct, within: Within | undefined): unknown {
  const next = struct.$space.readPointer(struct.$address);
  if (next === 0n) return 'NULL';
  if (next === struct.$address) return 'empty';
  const plain = `0x${next.toString(16)}`;
  const [type, link] = (within && LISTS[`${within.struct}.${within.member}`]) ?? [];
  const { compiler } = struct.$struct;
  if (type === undefined || link === undefined || !compiler.hasStruct(type)) return new Link(next, plain);
  const element = compiler.struct(type);
  if (!element.has(link)) return new Link(next, plain);
  const object = element.at(struct.$space, BigInt.asUintN(64, next - BigInt(element.offsetOf(link))));
  const { name, pid } = describeStruct(object);
  const file = object.$has('BaseDllName') ? orElse(() => unicodeText(object.$get('BaseDllName') as Struct), '') : '';
  return new Link(next, [type, `0x${object.$address.toString(16)}`, name ?? file, pid === undefined ? '' : `(${pid})`].filter((part) => part !== '').join(' '));
}

/** `_STRING`: a counted text of bytes */
function narrowText(struct: Struct): string {
  const length = struct.$get('Length') as number;
  const buffer = struct.$pointer('Buffer');
  return length === 0 || buffer === 0n ? '' : struct.$space.read(buffer, length).toString('latin1').replace(/\0+$/, '');
}

function guidText(bytes: Buffer): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const tail = bytes.toString('hex', 8);
  return `${hex(bytes.readUInt32LE(0), 8)}-${hex(bytes.readUInt16LE(4), 4)}-${hex(bytes.readUInt16LE(6), 4)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
