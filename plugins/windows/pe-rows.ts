import type { Names } from '../../src/disasm/names.js';
import { Commentator } from '../../src/disasm/comment.js';
import { loadDisassembler } from '../../src/disasm/decode.js';
import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import { col, type RowOf } from '../../src/plugin/columns.js';
import { DIRECTORY_NAMES, dllFlags, fileFlags, machineName, sectionRights, subsystemName } from '../../src/symbols/pe/names.js';
import { memorySize, type PeSection } from '../../src/symbols/pe/headers.js';
import { imports } from '../../src/symbols/pe/imports.js';
import type { LoadedPe } from '../../src/symbols/pe/loaded.js';
import { version } from '../../src/symbols/pe/resources.js';

/** What can be told of an executable, in the order in which it is. */
export const PE_PARTS = ['header', 'sections', 'directories', 'imports', 'exports', 'version', 'code'] as const;
export type PePart = (typeof PE_PARTS)[number];

const TITLES: Readonly<Record<PePart, string>> = {
  header: 'Header',
  sections: 'Sections',
  directories: 'Data directories',
  imports: 'Imports',
  exports: 'Exports',
  version: 'Version information',
  code: 'Entry point',
};

/** Instructions of the entry point that are listed. */
const INSTRUCTIONS = 12;
const LONGEST_INSTRUCTION = 15n;

export const peColumns = {
  name: col.string('what: an attribute, a section, a directory, a function that is imported or exported, a key, an instruction', { width: 24 }),
  vma: col.address('address in memory: of a section, a directory, an import\'s pointer, an export, an instruction'),
  size: col.int('bytes: in memory of a section', { unit: 'bytes', minor: true }),
  ord: col.int('ordinal of an export, or of an import that has no name'),
  value: col.string('its value; rights of a section; the module that an import is of, and where it leads if that is another function; what an export is forwarded to; what an instruction works on'),
  rva: col.physical('distance to the image\'s base', { hidden: true }),
  perm: col.string('rights of a section: r-x', { hidden: true }),
  raw: col.physical('where a section stands in the file', { hidden: true }),
  raw_size: col.int('bytes of a section in the file', { unit: 'bytes', hidden: true }),
  dll: col.string('the module that an import is of', { hidden: true }),
  function: col.address('where an import\'s pointer leads', { hidden: true }),
  status: col.string('of an export: M where its page is in memory, - where it is not', { hidden: true }),
} as const;

export type PeRow = RowOf<typeof peColumns>;

/** What is asked of whoever prints an executable. */
export interface PeView {
  readonly pe: LoadedPe;
  readonly names: Names;
  /** pointers were filled in by a loader: they lead to what is imported */
  readonly loaded: boolean;
  note(what: string): void;
}

/** Rows of the parts of an executable that are wanted, each with its part's title. */
export async function* peRows(view: PeView, parts: readonly string[]): AsyncGenerator<readonly [title: string, row: PeRow]> {
  for (const part of PE_PARTS) {
    if (!parts.includes(part)) continue;
    let count = 0;
    for await (const row of ROWS[part](view)) {
      count++;
      yield [TITLES[part], row];
    }
    const reason = count === 0 ? MISSING[part] : undefined;
    if (reason !== undefined) view.note(reason(view.pe));
  }
}

/** What to say where a part has nothing. */
const MISSING: Readonly<Partial<Record<PePart, (pe: LoadedPe) => string>>> = {
  imports: (pe) => (pe.directory(1) ? 'Its import directory is not in memory: impscan tells imports by the code that uses them.' : 'It imports nothing.'),
  exports: (pe) => (pe.directory(0) ? 'Its export directory is not in memory.' : 'It exports nothing.'),
  version: (pe) => (pe.directory(2) ? 'Its version information is not in memory, or it has none.' : 'It has no version information.'),
  code: (pe) => (pe.entryPoint === 0 ? 'It has no entry point.' : 'Its entry point is not in memory.'),
};

const ROWS: Readonly<Record<PePart, (view: PeView) => Iterable<PeRow> | AsyncIterable<PeRow>>> = {
  header: headerRows,
  *sections({ pe }) {
    for (const section of pe.sections) yield sectionRow(pe, section);
    const { statedSections, sections } = pe.header;
    if (sections.length < statedSections) yield { name: '…', value: `${statedSections - sections.length} more are claimed` };
  },
  *directories({ pe }) {
    for (const [index, { rva, size }] of pe.header.directories.entries()) {
      if (rva === 0 && size === 0) continue;
      const holder = pe.sections.find((section) => rva >= section.rva && rva < section.rva + memorySize(section));
      yield { name: DIRECTORY_NAMES[index] ?? String(index), value: holder ? `in ${holder.name}` : null, vma: pe.address(rva), rva, size };
    }
  },
  *imports({ pe, names, loaded }) {
    const pointer = (slot: number) => (): bigint | null | Absent => (loaded ? pe.pointer(slot) : null);
    for (const { dll, name, ordinal, slot, delayed } of imports(pe)) {
      const target = pointer(slot);
      yield {
        name: name ?? (ordinal === undefined ? '?' : `#${ordinal}`),
        value: () => [dll === '' ? '?' : dll, ...leadsTo(names, orElse(target, null), name), delayed ? '(on first call)' : ''].filter(Boolean).join(' '),
        dll: dll === '' ? null : dll,
        vma: pe.address(slot),
        rva: slot,
        ord: ordinal ?? null,
        function: target,
      };
    }
  },
  *exports({ pe, names, loaded }) {
    for (const { name, ordinal, rva, forwarder } of pe.allExports()) {
      const vma = pe.address(rva);
      const other = (): string | null => {
        if (forwarder !== undefined) return `forwarded to ${forwarder}`;
        // A name of the profile that is another than the exported one says more.
        const known = loaded ? names.nearest(vma) : undefined;
        return known && known.distance === 0n && known.symbol.name !== name ? `${known.module}!${known.symbol.name}` : null;
      };
      yield { name: name ?? `#${ordinal}`, value: other, vma, rva, ord: ordinal, status: forwarder !== undefined ? null : pe.space.isValid(vma) ? 'M' : '-' };
    }
  },
  *version({ pe }) {
    const told = orAbsent(() => version(pe));
    if (told === undefined || told instanceof Absent) return;
    if (told.file !== undefined) yield { name: 'file version', value: told.file };
    if (told.product !== undefined) yield { name: 'product version', value: told.product };
    for (const [name, value] of told.texts) yield { name, value };
  },
  code: codeRows,
};

/** Where an import's pointer leads, if that is not the function of its own name. */
function leadsTo(names: Names, address: bigint | null | Absent, name: string | undefined): string[] {
  if (typeof address !== 'bigint') return [];
  const known = names.name(address);
  if (known !== undefined && known.slice(known.indexOf('!') + 1) === name) return [];
  return ['→', known ?? `0x${address.toString(16)}`];
}

function* headerRows({ pe }: PeView): Generator<PeRow> {
  const { header } = pe;
  const debug = pe.debug();
  yield { name: 'Machine', value: machineName(header.machine) };
  yield { name: 'TimeDateStamp', value: `${new Date(header.timestamp * 1000).toISOString().replace('.000Z', 'Z')} (0x${header.timestamp.toString(16)})` };
  yield { name: 'Characteristics', value: fileFlags(header.characteristics) || null };
  yield { name: 'GUID/Age', value: debug ? `${debug.guid}${debug.age.toString(16).toUpperCase()}` : null };
  yield { name: 'PDB', value: debug ? (debug.path ?? debug.pdb) : null };
  yield { name: 'Image base', value: header.imageBase === pe.base ? null : `0x${header.imageBase.toString(16)} in the header`, vma: pe.base, rva: 0, size: header.sizeOfImage };
  yield { name: 'Entry point', vma: header.entryPoint === 0 ? null : pe.address(header.entryPoint), rva: header.entryPoint };
  yield { name: 'Headers', size: header.sizeOfHeaders, rva: 0, vma: pe.base };
  yield { name: 'Alignment', value: `sections 0x${header.sectionAlignment.toString(16)}, file 0x${header.fileAlignment.toString(16)}` };
  yield { name: 'Checksum', value: `0x${header.checksum.toString(16)}` };
  yield { name: 'Subsystem', value: subsystemName(header.subsystem) };
  yield { name: 'DllCharacteristics', value: dllFlags(header.dllCharacteristics) || null };
  yield { name: 'OperatingSystemVersion', value: header.osVersion };
  yield { name: 'ImageVersion', value: header.imageVersion };
  yield { name: 'SubsystemVersion', value: header.subsystemVersion };
  yield { name: 'LinkerVersion', value: header.linker };
  const own = pe.exportedName();
  if (own !== undefined && own !== '') yield { name: 'Name as linked', value: own };
}

function sectionRow(pe: LoadedPe, section: PeSection): PeRow {
  const perm = sectionRights(section.characteristics);
  return {
    name: section.name,
    value: `${perm}, in the file 0x${section.rawSize.toString(16)} bytes at 0x${section.rawOffset.toString(16)}`,
    vma: pe.address(section.rva),
    size: memorySize(section),
    rva: section.rva,
    perm,
    raw: section.rawOffset,
    raw_size: section.rawSize,
  };
}

async function* codeRows({ pe, names }: PeView): AsyncGenerator<PeRow> {
  const bits = { 0x14c: 32, 0x8664: 64 }[pe.machine] as 32 | 64 | undefined;
  if (bits === undefined || pe.entryPoint === 0) return;
  const start = pe.address(pe.entryPoint);
  if (!pe.space.isValid(start)) return;
  const commentator = new Commentator({ space: pe.space, names, bits });
  const disassembler = await loadDisassembler(bits);
  let count = 0;
  for (const code of disassembler.decode(pe.space, start, start + BigInt(INSTRUCTIONS) * LONGEST_INSTRUCTION)) {
    if (code.kind === 'unreadable' || count++ >= INSTRUCTIONS) return;
    yield { name: code.text, value: () => orElse(() => commentator.comment(code), '') || null, vma: code.address, rva: Number(code.address - pe.base), size: code.bytes.length };
    if (code.flow === 'return' || code.flow === 'jump' || code.flow === 'indirect jump') return;
  }
}
