import { createRequire } from 'node:module';
import type * as Iced from 'iced-x86';
import { breathe } from '../memory/breathe.js';
import { nextReadablePage } from '../memory/extents.js';
import { addressOf, pageNumber } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import type { Instruction, UnreadableCode } from './instruction.js';
import { flowOf, operandsOf, referencesOf } from './references.js';

type Library = typeof Iced;

/** How the processor reads code: by the segment it runs in, not by the width of addresses. */
export type CodeBits = 16 | 32 | 64;

/** An instruction has at most so many bytes (Intel SDM vol. 2A, 2.3.11). */
const LONGEST = 15;
/** Bytes that are handed to the decoder at once, at first: most functions are short. */
const FIRST_CHUNK = 512;
const CHUNK = 16 * 1024;
const TOP = 1n << 64n;

let library: Library | undefined;

export interface DecodeOptions {
  /** take operands apart, too: for signatures; it takes a third longer */
  readonly operands?: boolean;
}

/**
 * The disassembler: iced-x86 in the notation of Rekall's listings (NASM's, upper case, hex as 0x). The library is loaded here, 30 ms,
 * when the first code is looked at.
 */
export async function loadDisassembler(bits: CodeBits, options: DecodeOptions = {}): Promise<Disassembler> {
  if (!library) {
    // As what it is, a CommonJS package: `import` would read its megabyte of JavaScript twice, once for the names of its exports, and take 80 ms.
    library = createRequire(import.meta.url)('iced-x86') as Library;
    await breathe();
  }
  return new Disassembler(library, bits, options);
}

/** The same for those that cannot wait: a name that is found in code while something is read. */
export function loadDisassemblerNow(bits: CodeBits, options: DecodeOptions = {}): Disassembler {
  return new Disassembler(createRequire(import.meta.url)('iced-x86') as Library, bits, options);
}

/** Decodes code of one width. What it gives is plain data. */
export class Disassembler {
  constructor(
    private readonly iced: Library,
    readonly bits: CodeBits,
    private readonly options: DecodeOptions = {},
  ) {}

  /**
   * The instructions that begin in `[from, to)`, one behind the other. A byte that begins none is given as one bad byte, and decoding goes on
   * behind it; what cannot be read is skipped, and said.
   */
  *decode(space: AddressSpace, from: bigint, to: bigint): Generator<Instruction | UnreadableCode, void, undefined> {
    const end = to > TOP ? TOP : to;
    let chunk = FIRST_CHUNK;
    for (let at = from; at < end; ) {
      const bytes = readable(space, at, Math.min(chunk, Number(end - at) + LONGEST));
      if (bytes.length === 0) {
        const hole = holeAt(space, at, end);
        yield hole;
        at += hole.length;
        continue;
      }
      at = yield* this.decodeBytes(bytes, at, end, bytes.length === chunk);
      chunk = CHUNK;
    }
  }

  /**
   * The instructions in a buffer.
   * @param more there are bytes behind the buffer: an instruction that runs over its end is left to the next one
   * @returns the address where decoding goes on
   */
  private *decodeBytes(bytes: Buffer, from: bigint, end: bigint, more: boolean): Generator<Instruction, bigint, undefined> {
    const { iced } = this;
    const decoder = new iced.Decoder(this.bits, bytes, iced.DecoderOptions.None);
    const formatter = createFormatter(iced);
    const one = new iced.Instruction();
    try {
      decoder.ip = from;
      let position = 0;
      while (position < bytes.length && from + BigInt(position) < end) {
        decoder.decodeOut(one);
        const address = from + BigInt(position);
        if (!one.isInvalid) {
          yield this.instruction(one, formatter, address, bytes.subarray(position, position + one.length));
          position += one.length;
        } else if (more && decoder.lastError === iced.DecoderError.NoMoreBytes) {
          break;
        } else {
          yield bad(address, bytes.subarray(position, position + 1));
          decoder.position = ++position;
          decoder.ip = from + BigInt(position);
        }
      }
      return from + BigInt(position);
    } finally {
      one.free();
      formatter.free();
      decoder.free();
    }
  }

  private instruction(one: Iced.Instruction, formatter: Iced.Formatter, address: bigint, bytes: Buffer): Instruction {
    const { iced } = this;
    return {
      kind: 'instruction',
      address,
      bytes,
      text: formatter.format(one),
      mnemonic: formatter.formatMnemonicOptions(one, iced.FormatMnemonicOptions.NoPrefixes),
      flow: flowOf(iced, one),
      references: referencesOf(iced, one, address),
      operands: this.options.operands === true ? operandsOf(iced, one, formatter, address) : [],
    };
  }
}

/** A byte that begins no instruction. */
function bad(address: bigint, bytes: Buffer): Instruction {
  const text = `DB 0x${(bytes[0] as number).toString(16).padStart(2, '0')}`;
  return { kind: 'bad', address, bytes, text, mnemonic: 'DB', flow: 'next', references: [], operands: [] };
}

/** NASM's syntax as Rekall's listings have it: `LOCK ADD DWORD [RIP-0x262bc5], 0x1`, `JNZ` and not `JNE`. */
function createFormatter({ Formatter, FormatterSyntax, CC_e, CC_ne }: Library): Iced.Formatter {
  const formatter = new Formatter(FormatterSyntax.Nasm);
  formatter.uppercaseMnemonics = true;
  formatter.uppercasePrefixes = true;
  formatter.uppercaseRegisters = true;
  formatter.uppercaseKeywords = true;
  formatter.uppercaseHex = false;
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.smallHexNumbersInDecimal = false;
  formatter.spaceAfterOperandSeparator = true;
  formatter.ripRelativeAddresses = true;
  formatter.showBranchSize = false;
  formatter.branchLeadingZeros = false;
  formatter.cc_e = CC_e.z;
  formatter.cc_ne = CC_ne.nz;
  return formatter;
}

/** Up to `length` bytes, fewer where a page is missing or the address space ends. A copy: rows keep parts of it. */
function readable(space: AddressSpace, address: bigint, length: number): Buffer {
  const room = Number(TOP - address < BigInt(length) ? TOP - address : BigInt(length));
  const { bytes, gaps } = space.readPartial(address, room);
  const gap = gaps[0];
  return gap ? bytes.subarray(0, Number(gap.start - address)) : bytes;
}

/** From an address that cannot be read to the next that can, or to the end. */
function holeAt(space: AddressSpace, address: bigint, end: bigint): UnreadableCode {
  const page = nextReadablePage(space, pageNumber(address) + 1, pageNumber(end - 1n) + 1);
  const next = page === undefined ? end : addressOf(page, 0);
  return { kind: 'unreadable', address, length: (next < end ? next : end) - address };
}
