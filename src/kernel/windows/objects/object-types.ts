import { orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { directoryEntries, rootEntry } from './object-tree.js';
import { objectOfBody } from './objects.js';
import { unicodeText } from '../strings.js';
import { pointerTable } from '../tables.js';

/** Where the object manager keeps its types: a table by index (since Windows 7), one in order of creation, and the directory \ObjectTypes. */
export const TYPE_SOURCES = ['ObTypeIndexTable', 'ObpObjectTypes', 'ObpTypeDirectoryObject'] as const;
export type TypeSourceName = (typeof TYPE_SOURCES)[number];

export interface FoundType {
  /** `_OBJECT_TYPE` */
  readonly type: Struct;
  readonly sources: ReadonlySet<TypeSourceName>;
}

/** Types that a kernel has at most: an index has 8 bits. */
const MOST = 256;

type Fault = ((what: string) => void) | undefined;

/** The object types that each source knows, in the order of their indexes. */
export function findObjectTypes(kernel: WindowsKernel, onFault?: (what: string) => void): FoundType[] {
  const found = new Map<bigint, Set<TypeSourceName>>();
  const add = (address: bigint, source: TypeSourceName): void => {
    const known = found.get(address);
    if (known) known.add(source);
    else found.set(address, new Set([source]));
  };
  for (const source of TYPE_SOURCES) for (const address of sources[source](kernel, onFault)) add(address, source);
  return [...found]
    .map(([address, from]) => ({ type: kernel.at('_OBJECT_TYPE', address), sources: from }))
    .sort((a, b) => typeIndex(a.type) - typeIndex(b.type) || (a.type.$address < b.type.$address ? -1 : 1));
}

/** An index that cannot be read comes last. */
function typeIndex(type: Struct): number {
  return orElse(() => Number(type.$get('Index')), MOST);
}

/** What a table holds need not be a type: the index table begins with a null and a mark (0xbad0b0b0). */
function isType(kernel: WindowsKernel, address: bigint): boolean {
  return orElse(() => unicodeText(kernel.at('_OBJECT_TYPE', address).$get('Name') as Struct) !== '', false);
}

function* typesOfTable(kernel: WindowsKernel, symbol: string, first: number, onFault: Fault): Generator<bigint> {
  let gap: number | undefined;
  for (const { index, value } of pointerTable(kernel, symbol, MOST)) {
    if (index < first) continue;
    if (!isType(kernel, value)) {
      gap ??= index;
      continue;
    }
    if (gap !== undefined) onFault?.(`${symbol}[${gap}] leads to no object type`);
    gap = undefined;
    yield value;
  }
}

const sources: Readonly<Record<TypeSourceName, (kernel: WindowsKernel, onFault: Fault) => Iterable<bigint>>> = {
  ObTypeIndexTable: (kernel, onFault) => typesOfTable(kernel, 'ObTypeIndexTable', 2, onFault),
  ObpObjectTypes: (kernel, onFault) => typesOfTable(kernel, 'ObpObjectTypes', 0, onFault),
  *ObpTypeDirectoryObject(kernel, onFault) {
    const named = orElse(() => kernel.variable('ObpTypeDirectoryObject'), 0n);
    const directory = named === 0n ? rootEntry(kernel, 'ObjectTypes', onFault) : named;
    if (directory === undefined) return;
    for (const body of directoryEntries(kernel, directory, onFault)) {
      if (orElse(() => objectOfBody(kernel, body).type, undefined) === 'Type') yield body;
    }
  },
};
