import { PdbReader } from './reader.js';

/** A public, global or local symbol with a place in the image. */
export interface PdbSymbol {
  readonly name: string;
  /** section, from 1, and offset in it */
  readonly segment: number;
  readonly offset: number;
  readonly code: boolean;
  /** index of its type, where the record states one (data symbols) */
  readonly type?: number;
}

/** Kinds of symbol records with an address (microsoft-pdb, include/cvinfo.h, enum SYM_ENUM_e); `_ST` ones have their name's length in front. */
const Kind = { PublicSt: 0x1009, LocalDataSt: 0x1007, GlobalDataSt: 0x1008, LocalData: 0x110c, GlobalData: 0x110d, Public: 0x110e } as const;
/** Flags of a public symbol: code, function. */
const CODE = 0x3;

/** The symbols of the symbol record stream. Records of other kinds are stepped over by their length. */
export function* readSymbols(bytes: Uint8Array): Generator<PdbSymbol> {
  const stream = new PdbReader(bytes, 'symbol stream');
  while (stream.left >= 4) {
    const record = stream.part(stream.u16());
    const kind = record.u16();
    switch (kind) {
      case Kind.Public:
      case Kind.PublicSt: {
        const flags = record.u32();
        const offset = record.u32();
        const segment = record.u16();
        yield { offset, segment, code: (flags & CODE) !== 0, name: kind === Kind.Public ? record.cString() : record.pascalString() };
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
        yield { offset, segment, type, code: false, name: old ? record.pascalString() : record.cString() };
        break;
      }
    }
  }
}
