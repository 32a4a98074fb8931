import { loadDisassemblerNow } from '../../disasm/decode.js';
import type { Instruction } from '../../disasm/instruction.js';
import { functionAt, type Names } from '../../disasm/names.js';
import type { CodeSurroundings } from '../../disasm/rules/properties.js';
import { matchRules } from '../../disasm/rules/match.js';
import { orElse } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import type { Captured, CodeMatch, CodePattern, CodeReader } from '../../symbols/dynamic.js';
import { moduleKey } from './module-names.js';

/** Bytes of a function that a pattern is looked for in, at most (Rekall's limit; it went on behind the function's end, where what fits is chance). */
const LOOKED_AT = 1000n;

/** A name, and a distance to it. */
const START = /^\s*(.+?)\s*(?:([+-])\s*(0x[0-9a-f]{1,16}|\d{1,19})\s*)?$/i;

/** What is asked of names: of a resolver, or of one module in it. */
export interface CodeNames extends Pick<Names, 'nearest'> {
  /** `nt!MiSessionInsertImage` */
  symbol(name: string): bigint | undefined;
  /** all names of an address; of one inside a symbol `nt!Symbol+0x10` */
  names(address: bigint): readonly string[];
}

/** Code as rules of profiles look into it: in one space, by the names of a session. */
export class SessionCode implements CodeReader {
  private last: { readonly start: bigint; readonly code: readonly Instruction[] } | undefined;

  /** @param bits width of the code, undefined where that is not known or not x86 */
  constructor(
    private readonly space: AddressSpace,
    private readonly bits: () => 32 | 64 | undefined,
    private readonly names: () => CodeNames,
    readonly told?: CodeReader['told'],
  ) {}

  match(pattern: CodePattern): CodeMatch {
    const bits = this.bits();
    if (bits === undefined) return { missed: `${pattern.start}: rules read x86 code` };
    const start = this.address(pattern.start);
    if (start === undefined) return { missed: `${pattern.start} is not known here` };
    const code = this.decoded(start, bits);
    if (code.length === 0) return { missed: `the code of ${pattern.start}, at 0x${start.toString(16)}, is not in memory` };
    const around: CodeSurroundings = {
      bits,
      names: (address) => this.named(address),
      read: (address, size) => orElse(() => (size === 8 ? this.space.readU64(address) : BigInt(size === 4 ? this.space.readU32(address) : size === 2 ? this.space.readU16(address) : this.space.readU8(address))), undefined),
    };
    const found = matchRules(code, pattern, around);
    if ('missed' in found) return { ...found, missed: `${pattern.start}: ${found.missed}` };
    return { captured: new Map([...found.captured].map(([name, { value, bits: width, at }]): [string, Captured] => [name, { value, bits: width, from: `${this.named(at.address)[0] ?? ''} ${at.text}`.trim() }])) };
  }

  private address(text: string): bigint | undefined {
    const [, name = '', sign, distance = '0'] = START.exec(text) ?? [];
    const start = this.names().symbol(name);
    return start === undefined ? undefined : BigInt.asUintN(64, sign === '-' ? start - BigInt(distance) : start + BigInt(distance));
  }

  /** Modules under the names that rules know them by: without extension, in lower case. */
  private named(address: bigint): string[] {
    return this.names().names(address).map((name) => name.replace(/^[^!+]+/, moduleKey));
  }

  /** The instructions of a function as they stand one behind the other, up to its end or where memory is missing. Alternatives begin where the last one did. */
  private decoded(start: bigint, bits: 32 | 64): readonly Instruction[] {
    if (this.last?.start === start) return this.last.code;
    const end = functionAt({ nearest: (address) => this.names().nearest(address), name: () => undefined }, start)?.end;
    const limit = start + LOOKED_AT;
    const code: Instruction[] = [];
    for (const one of loadDisassemblerNow(bits, { operands: true }).decode(this.space, start, end !== undefined && end < limit ? end : limit)) {
      if (one.kind === 'unreadable') break;
      code.push(one);
    }
    this.last = { start, code };
    return code;
  }
}
