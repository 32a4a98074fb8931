/** A compiled piece: an executable in its file's form. Source: Microsoft, "PE Format". */
export interface Piece {
  readonly bytes: Buffer;
  readonly base: bigint;
  readonly size: number;
  readonly entry: number;
  readonly timestamp: number;
  readonly checksum: number;
  readonly sections: readonly PieceSection[];
  readonly exports: ReadonlyMap<string, number | string>;
  readonly imports: readonly { readonly module: string; readonly name: string; readonly slot: number }[];
}

export interface PieceSection {
  readonly name: string;
  readonly rva: number;
  readonly size: number;
  readonly file: number;
  readonly fileSize: number;
  readonly write: boolean;
  readonly execute: boolean;
}

const EXPORTS = 0;
const IMPORTS = 1;

export function readPiece(bytes: Buffer): Piece {
  const nt = bytes.readUInt32LE(0x3c);
  const optional = nt + 24;
  const wide = bytes.readUInt16LE(optional) === 0x20b;
  const sections: PieceSection[] = [];
  const table = optional + bytes.readUInt16LE(nt + 20);
  for (let index = 0; index < bytes.readUInt16LE(nt + 6); index++) {
    const at = table + index * 40;
    const flags = bytes.readUInt32LE(at + 36);
    sections.push({
      name: bytes.toString('latin1', at, at + 8).replace(/\0+$/, ''),
      size: bytes.readUInt32LE(at + 8),
      rva: bytes.readUInt32LE(at + 12),
      fileSize: bytes.readUInt32LE(at + 16),
      file: bytes.readUInt32LE(at + 20),
      execute: (flags & 0x20000000) !== 0,
      write: (flags & 0x80000000) !== 0,
    });
  }
  const image = { bytes, sections };
  const directories = optional + (wide ? 112 : 96);
  const directory = (index: number): number => bytes.readUInt32LE(directories + index * 8);
  const size = bytes.readUInt32LE(directories + EXPORTS * 8 + 4);
  return {
    ...image,
    base: wide ? bytes.readBigUInt64LE(optional + 24) : BigInt(bytes.readUInt32LE(optional + 28)),
    size: bytes.readUInt32LE(optional + 56),
    entry: bytes.readUInt32LE(optional + 16),
    timestamp: bytes.readUInt32LE(nt + 8),
    checksum: bytes.readUInt32LE(optional + 64),
    exports: directory(EXPORTS) === 0 ? new Map() : exportsOf(image, directory(EXPORTS), size),
    imports: directory(IMPORTS) === 0 ? [] : [...importsOf(image, directory(IMPORTS), wide ? 8 : 4)],
  };
}

type Image = Pick<Piece, 'bytes' | 'sections'>;

/** Place in the file of an address from the base. */
function place({ bytes, sections }: Image, rva: number): number {
  const section = sections.find((one) => rva >= one.rva && rva < one.rva + Math.max(one.size, one.fileSize));
  if (!section) throw new Error(`0x${rva.toString(16)} is in no section of ${bytes.length} bytes`);
  return section.file + rva - section.rva;
}

function text({ bytes }: Image, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}

function exportsOf(image: Image, rva: number, size: number): Map<string, number | string> {
  const { bytes } = image;
  const at = place(image, rva);
  const [functions, names, ordinals] = [28, 32, 36].map((offset) => place(image, bytes.readUInt32LE(at + offset))) as [number, number, number];
  const found = new Map<string, number | string>();
  for (let index = 0; index < bytes.readUInt32LE(at + 24); index++) {
    const name = text(image, place(image, bytes.readUInt32LE(names + index * 4)));
    const target = bytes.readUInt32LE(functions + bytes.readUInt16LE(ordinals + index * 2) * 4);
    found.set(name, target >= rva && target < rva + size ? text(image, place(image, target)) : target);
  }
  return found;
}

function* importsOf(image: Image, rva: number, pointer: 4 | 8): Generator<Piece['imports'][number]> {
  const { bytes } = image;
  for (let at = place(image, rva); bytes.readUInt32LE(at + 12) !== 0; at += 20) {
    const module = text(image, place(image, bytes.readUInt32LE(at + 12)));
    const [lookup, first] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 16)];
    for (let index = 0; ; index++) {
      const hint = bytes.readUInt32LE(place(image, lookup) + index * pointer);
      if (hint === 0) break;
      yield { module, name: text(image, place(image, hint) + 2), slot: first + index * pointer };
    }
  }
}

/** The image as the loader lays it out: headers, then each section at its address. */
export function laidOut(piece: Piece): Buffer {
  const out = Buffer.alloc(Math.ceil(piece.size / 4096) * 4096);
  piece.bytes.copy(out, 0, 0, Math.min(...piece.sections.map((section) => section.file)));
  for (const { rva, file, fileSize, size } of piece.sections) piece.bytes.copy(out, rva, file, file + Math.min(fileSize, Math.max(size, fileSize)));
  return out;
}

/** Address of an export, through forwarders. */
export function exported(pieces: ReadonlyMap<string, Piece>, module: string, name: string): bigint {
  const piece = pieces.get(module.toLowerCase());
  const target = piece?.exports.get(name);
  if (!piece || target === undefined) throw new Error(`${module} has no ${name}`);
  if (typeof target === 'number') return piece.base + BigInt(target);
  const [library = '', function_ = ''] = target.split('.');
  return exported(pieces, `${library}.dll`, function_);
}

/** Writes the addresses of what a piece imports into its laid-out form. */
export function bind(piece: Piece, out: Buffer, pieces: ReadonlyMap<string, Piece>, pointer: 4 | 8): void {
  for (const { module, name, slot } of piece.imports) {
    const address = exported(pieces, module, name);
    if (pointer === 8) out.writeBigUInt64LE(address, slot);
    else out.writeUInt32LE(Number(address), slot);
  }
}
