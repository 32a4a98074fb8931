import type { SourceLine } from '../types.js';
import { Leaf } from './leaves.js';
import type { PdbReader } from './reader.js';
import { RecordStream } from './records.js';

/** Texts consist of texts; one that consists of more characters than this, or is nested deeper, is cut. */
const LONGEST_TEXT = 1 << 15;
const DEEPEST = 16;

/** How a compiler was called for one module (LF_BUILDINFO). What it left out is empty. */
export interface Build {
  /** the folder it worked in */
  readonly folder: string;
  readonly tool: string;
  readonly source: string;
  /** the file that types went to */
  readonly pdb: string;
  /** its arguments */
  readonly command: string;
}

/**
 * The stream of ids (4, `IPI`; Visual C++ 2012 and later): functions with their scope, texts, and how modules were built. microsoft-pdb, include/cvinfo.h
 * (lfFuncId, lfMFuncId, lfBuildInfo, lfArgList, lfStringId); LLVM docs/PDB/TpiStream.rst.
 */
export class IdStream extends RecordStream {
  private readonly texts = new Map<number, string>();

  constructor(bytes: Uint8Array) {
    super(bytes, 'stream of ids');
  }

  /** The type of a function, as an index of the type stream; undefined where the id is of no function. */
  functionType(id: number): number | undefined {
    const reader = this.of(id, Leaf.FunctionId, 8) ?? this.of(id, Leaf.MemberFunctionId, 8);
    reader?.skip(4); // what it is declared in: an id, or a class's type
    return reader?.u32();
  }

  /** How a module was built; undefined where the id says nothing of that. */
  build(id: number): Build | undefined {
    const reader = this.of(id, Leaf.BuildInfo, 2);
    if (!reader) return undefined;
    const texts = Math.min(reader.u16(), Math.floor(reader.left / 4), 5);
    const [folder = '', tool = '', source = '', pdb = '', command = ''] = Array.from({ length: texts }, () => this.text(reader.u32()));
    return { folder, tool, source, pdb, command };
  }

  /**
   * Where types are declared, by the index of a type: the line, and the file as a text of this stream or of the file's table of names.
   * @param name a text of that table
   */
  *declarations(name: (offset: number) => string): Generator<{ readonly type: number } & SourceLine> {
    for (let id = this.first; id < this.end; id++) {
      const here = this.of(id, Leaf.UdtSourceLine, 12);
      const reader = here ?? this.of(id, Leaf.UdtModuleSourceLine, 12);
      if (!reader) continue;
      const type = reader.u32();
      const file = reader.u32();
      yield { type, line: reader.u32(), file: here ? this.text(file) : name(file) };
    }
  }

  /** A text: those that stand before it (LF_SUBSTR_LIST), and its own end. Empty where there is none. */
  text(id: number, depth = 0): string {
    const known = this.texts.get(id);
    if (known !== undefined) return known;
    const reader = this.of(id, Leaf.StringId, 4);
    if (!reader || depth > DEEPEST) return '';
    // One that consists of itself has nothing there.
    this.texts.set(id, '');
    let text = '';
    const list = this.of(reader.u32(), Leaf.SubstringList, 4);
    for (let count = list?.u32() ?? 0; list && count > 0 && list.left >= 4 && text.length < LONGEST_TEXT; count--) text += this.text(list.u32(), depth + 1);
    text = (text + reader.cString()).slice(0, LONGEST_TEXT);
    this.texts.set(id, text);
    return text;
  }

  /** A record's content, where it is of this kind and has so many bytes: one that is cut off says nothing. */
  private of(id: number, leaf: number, least: number): PdbReader | undefined {
    const reader = this.reader(id);
    return reader && reader.left >= 2 + least && reader.u16() === leaf ? reader : undefined;
  }
}
