import { ProfileError } from '../error.js';
import type { SourceLine } from '../types.js';
import type { Module } from './dbi.js';
import { PdbReader } from './reader.js';

/** Kinds of subsections behind a module's symbols (CodeView C13, cvinfo.h: DEBUG_S_SUBSECTION_TYPE). */
const Subsection = { Lines: 0xf2, Checksums: 0xf4 } as const;
/** Numbers of lines that stand for none: code of the compiler's own, and code that a debugger steps over or into. */
const NO_LINES: ReadonlySet<number> = new Set([0xfeefee, 0xf00f00]);

/** Code whose lines stand together: a function. */
interface Chunk {
  /** from the image's base */
  readonly start: number;
  readonly size: number;
  /** the blocks of lines, one a file */
  readonly blocks: PdbReader;
  /** the module's files */
  readonly files: PdbReader;
}

interface Line {
  /** from the chunk's start */
  readonly offset: number;
  readonly line: number;
  /** where the file's name is noted, in the module's files */
  readonly file: number;
}

/**
 * Which line of the source made which code. Nothing is read before a line is asked for; then where each function's lines are, and of one function the
 * lines. LLVM docs/PDB/ModiStream.rst; microsoft-pdb, include/cvinfo.h (CV_DebugSLinesHeader_t, CV_Line_t).
 */
export class Lines {
  private chunks: readonly Chunk[] | undefined;
  private last: { readonly chunk: Chunk; readonly lines: readonly Line[] } | undefined;

  constructor(
    private readonly modules: readonly Module[],
    private readonly stream: (index: number) => Uint8Array,
    private readonly place: (segment: number, offset: number) => number | undefined,
    /** a text of the file's table of names */
    private readonly text: (offset: number) => string,
  ) {}

  /** The line of the code at an offset from the image's base; undefined where none is known, or what says it is damaged. */
  at(offset: number): SourceLine | undefined {
    try {
      const chunk = this.chunkAt(offset);
      if (!chunk) return undefined;
      if (this.last?.chunk !== chunk) this.last = { chunk, lines: linesOf(chunk) };
      const found = this.last.lines.findLast((line) => line.offset <= offset - chunk.start);
      if (!found || NO_LINES.has(found.line)) return undefined;
      const file = this.text(chunk.files.from(found.file).u32());
      return file === '' ? undefined : { file, line: found.line };
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      return undefined;
    }
  }

  private chunkAt(offset: number): Chunk | undefined {
    const chunks = (this.chunks ??= this.allChunks());
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((chunks[middle] as Chunk).start <= offset) low = middle + 1;
      else high = middle;
    }
    const chunk = chunks[low - 1];
    return chunk && offset < chunk.start + chunk.size ? chunk : undefined;
  }

  private allChunks(): Chunk[] {
    const found: Chunk[] = [];
    for (const module of this.modules) {
      try {
        found.push(...this.chunksOf(module));
      } catch (error) {
        // A module that is damaged has no lines.
        if (!(error instanceof ProfileError)) throw error;
      }
    }
    return found.sort((a, b) => a.start - b.start);
  }

  private chunksOf({ name, stream, symbols, oldLines, lines }: Module): Chunk[] {
    const bytes = this.stream(stream);
    const start = symbols + oldLines;
    const reader = new PdbReader(bytes, `lines of ${name}`, Math.min(start, bytes.length), Math.min(start + lines, bytes.length));
    const parts: PdbReader[] = [];
    let files: PdbReader | undefined;
    while (reader.left >= 8) {
      const kind = reader.u32();
      const part = reader.part(reader.u32());
      if (kind === Subsection.Lines) parts.push(part);
      else if (kind === Subsection.Checksums) files ??= part;
      reader.align();
    }
    const chunks: Chunk[] = [];
    for (const blocks of files ? parts : []) {
      const offset = blocks.u32();
      const segment = blocks.u16();
      blocks.skip(2); // whether columns stand behind the lines of a block
      const size = blocks.u32();
      const place = this.place(segment, offset);
      if (place !== undefined && files) chunks.push({ start: place, size, blocks, files });
    }
    return chunks;
  }
}

/** The lines of a function, by their offset. */
function linesOf({ blocks }: Chunk): Line[] {
  const reader = blocks.from(0);
  const found: Line[] = [];
  while (reader.left >= 12) {
    const file = reader.u32();
    const count = reader.u32();
    const block = reader.part(reader.u32() - 12);
    for (let index = 0; index < count && block.left >= 8; index++) found.push({ file, offset: block.u32(), line: block.u32() & 0xffffff });
  }
  return found.sort((a, b) => a.offset - b.offset);
}
