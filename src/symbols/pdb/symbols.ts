import { PdbReader } from './reader.js';

/** A function or variable with a place in the image. */
export interface PlacedSymbol {
  readonly kind: 'place';
  readonly name: string;
  /** public symbols have the linker's name, others the one in the source */
  readonly decorated: boolean;
  /** section, from 1, and offset in it */
  readonly segment: number;
  readonly offset: number;
  readonly code: boolean;
  /** index of its type, where the record states one */
  readonly type?: number;
  /** id of the function that has its type */
  readonly id?: number;
}

/** Who made a module (S_COMPILE2, S_COMPILE3). */
export interface Compiler {
  readonly kind: 'compiler';
  readonly name: string;
  /** as the compiler numbers itself: `19.29.30133.0` */
  readonly version: string;
  /** CV_CFL_LANG */
  readonly language: number;
}

export type PdbSymbol =
  | PlacedSymbol
  | Compiler
  /** S_BUILDINFO: an id */
  | { readonly kind: 'build'; readonly id: number }
  /** S_ENVBLOCK: `cwd`, `exe`, `pdb`, `cmd`, `src` of an assembler or linker */
  | { readonly kind: 'environment'; readonly values: ReadonlyMap<string, string> }
  /** S_UDT: a name for a type */
  | { readonly kind: 'typedef'; readonly name: string; readonly type: number };

/**
 * Kinds of symbol records that are read (microsoft-pdb, include/cvinfo.h, enum SYM_ENUM_e); `_ST` ones have their name's length in front, those of
 * `_ID` functions name an id in place of a type.
 */
const Kind = {
  ...{ LocalDataSt: 0x1007, GlobalDataSt: 0x1008, PublicSt: 0x1009, LocalProcedureSt: 0x100a, GlobalProcedureSt: 0x100b },
  ...{ Thunk: 0x1102, Udt: 0x1108, LocalData: 0x110c, GlobalData: 0x110d, Public: 0x110e, LocalProcedure: 0x110f, GlobalProcedure: 0x1110 },
  ...{ Compile2: 0x1116, Compile3: 0x113c, Environment: 0x113d, LocalProcedureId: 0x1146, GlobalProcedureId: 0x1147, BuildInfo: 0x114c },
  ...{ LocalProcedureDpc: 0x1155, LocalProcedureDpcId: 0x1156 },
} as const;
/** Flags of a public symbol: code, function. */
const CODE = 0x3;

/**
 * The symbols of the symbol record stream, or of a module. Records of other kinds are stepped over by their length: what is in a function (labels,
 * parameters, blocks), and what has no place.
 *
 * @param start where records begin: behind the signature of a module's
 * @throws ProfileError where a record is cut off
 */
export function* readSymbols(bytes: Uint8Array, what: string, start = 0, end = bytes.length): Generator<PdbSymbol> {
  const stream = new PdbReader(bytes, what, start, Math.min(end, bytes.length));
  while (stream.left >= 4) {
    const record = stream.counted();
    const kind = record.u16();
    switch (kind) {
      case Kind.Public:
      case Kind.PublicSt: {
        const flags = record.u32();
        const offset = record.u32();
        const segment = record.u16();
        yield { kind: 'place', decorated: true, offset, segment, code: (flags & CODE) !== 0, name: kind === Kind.Public ? record.cString() : record.pascalString() };
        break;
      }
      case Kind.GlobalData:
      case Kind.LocalData:
      case Kind.GlobalDataSt:
      case Kind.LocalDataSt: {
        const type = record.u32();
        const offset = record.u32();
        const segment = record.u16();
        const old = kind === Kind.GlobalDataSt || kind === Kind.LocalDataSt;
        yield { kind: 'place', decorated: false, offset, segment, type, code: false, name: old ? record.pascalString() : record.cString() };
        break;
      }
      case Kind.LocalProcedure:
      case Kind.GlobalProcedure:
      case Kind.LocalProcedureSt:
      case Kind.GlobalProcedureSt:
      case Kind.LocalProcedureDpc:
      case Kind.LocalProcedureId:
      case Kind.GlobalProcedureId:
      case Kind.LocalProcedureDpcId: {
        record.skip(24); // the records around it, its length, where its prologue ends and its epilogue begins
        const index = record.u32();
        const offset = record.u32();
        const segment = record.u16();
        record.skip(1); // flags
        const old = kind === Kind.LocalProcedureSt || kind === Kind.GlobalProcedureSt;
        const byId = kind === Kind.LocalProcedureId || kind === Kind.GlobalProcedureId || kind === Kind.LocalProcedureDpcId;
        yield { kind: 'place', decorated: false, offset, segment, code: true, name: old ? record.pascalString() : record.cString(), ...(byId ? { id: index } : { type: index }) };
        break;
      }
      case Kind.Thunk: {
        record.skip(12); // the records around it
        const offset = record.u32();
        const segment = record.u16();
        record.skip(3); // its length and kind
        yield { kind: 'place', decorated: false, offset, segment, code: true, name: record.cString() };
        break;
      }
      case Kind.Udt: {
        const type = record.u32();
        yield { kind: 'typedef', type, name: record.cString() };
        break;
      }
      case Kind.Compile2:
      case Kind.Compile3: {
        const language = record.u32() & 0xff;
        record.skip(2); // the machine
        const numbers = (): number[] => Array.from({ length: kind === Kind.Compile3 ? 4 : 3 }, () => record.u16());
        // Assemblers and linkers have no front end.
        const [front, back] = [numbers(), numbers()];
        yield { kind: 'compiler', language, version: (front.some((number) => number !== 0) ? front : back).join('.'), name: record.cString() };
        break;
      }
      case Kind.Environment: {
        record.skip(1);
        const values = new Map<string, string>();
        while (record.left > 1) values.set(record.cString(), record.cString());
        yield { kind: 'environment', values };
        break;
      }
      case Kind.BuildInfo:
        yield { kind: 'build', id: record.u32() };
        break;
    }
  }
}
