/** An executable as the loader lays it out, in miniature: headers, one section, exports and a debug record. */
export interface FakePe {
  readonly machine: 0x14c | 0x8664;
  /** name → place of its code, or where it is forwarded to; ordinals count from 1 in this order */
  readonly exports?: Readonly<Record<string, number | string>>;
  readonly debug?: { readonly guid: string; readonly age: number; readonly pdb: string };
}

const EXPORTS = 0x1000;
const DEBUG = 0x3000;
/** Bytes of such an image. */
export const FAKE_PE_SIZE = 0x4000;

/** Source: Microsoft, "PE Format". */
export function fakePe({ machine, exports = {}, debug }: FakePe): Buffer {
  const image = Buffer.alloc(FAKE_PE_SIZE);
  const wide = machine === 0x8664;
  image.write('MZ', 0, 'latin1');
  image.writeUInt32LE(0x80, 0x3c);
  image.write('PE\0\0', 0x80, 'latin1');
  image.writeUInt16LE(machine, 0x84);
  const optional = 0x98;
  image.writeUInt16LE(wide ? 240 : 224, 0x94);
  image.writeUInt16LE(wide ? 0x20b : 0x10b, optional);
  image.writeUInt32LE(FAKE_PE_SIZE, optional + 56);
  const tables = optional + (wide ? 112 : 96);
  image.writeUInt32LE(16, tables - 4);
  writeExports(image, exports, tables);
  if (debug) writeDebug(image, debug, tables + 6 * 8);
  return image;
}

function writeExports(image: Buffer, exports: Readonly<Record<string, number | string>>, directory: number): void {
  const names = Object.keys(exports);
  if (names.length === 0) return;
  const [addresses, texts, ordinals] = [EXPORTS + 40, EXPORTS + 40 + names.length * 4, EXPORTS + 40 + names.length * 8];
  let free = ordinals + names.length * 2;
  const text = (value: string): number => {
    const at = free;
    free += image.write(`${value}\0`, at, 'latin1');
    return at;
  };
  image.writeUInt32LE(1, EXPORTS + 16);
  for (const at of [20, 24]) image.writeUInt32LE(names.length, EXPORTS + at);
  for (const [index, at] of [addresses, texts, ordinals].entries()) image.writeUInt32LE(at, EXPORTS + 28 + index * 4);
  for (const [index, name] of names.entries()) {
    const place = exports[name] ?? 0;
    image.writeUInt32LE(typeof place === 'number' ? place : text(place), addresses + index * 4);
    image.writeUInt32LE(text(name), texts + index * 4);
    image.writeUInt16LE(index, ordinals + index * 2);
  }
  image.writeUInt32LE(EXPORTS, directory);
  image.writeUInt32LE(free - EXPORTS, directory + 4);
}

function writeDebug(image: Buffer, { guid, age, pdb }: { guid: string; age: number; pdb: string }, directory: number): void {
  image.writeUInt32LE(DEBUG, directory);
  image.writeUInt32LE(28, directory + 4);
  image.writeUInt32LE(2, DEBUG + 12);
  image.writeUInt32LE(DEBUG + 64, DEBUG + 20);
  const record = DEBUG + 64;
  image.write('RSDS', record, 'latin1');
  image.writeUInt32LE(Number.parseInt(guid.slice(0, 8), 16), record + 4);
  image.writeUInt16LE(Number.parseInt(guid.slice(8, 12), 16), record + 8);
  image.writeUInt16LE(Number.parseInt(guid.slice(12, 16), 16), record + 10);
  image.write(guid.slice(16), record + 12, 'hex');
  image.writeUInt32LE(age, record + 20);
  image.write(`${pdb}\0`, record + 24, 'latin1');
}
