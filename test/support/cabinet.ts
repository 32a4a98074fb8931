import { deflateRawSync } from 'node:zlib';
import { lzxFrames } from './lzx.js';

/** A cabinet with one folder (MS-CAB), stored, MSZIP or LZX (`quantum`: its bytes stored, as what is not read); no block has a checksum. */
export function cabinetOf(files: Readonly<Record<string, Buffer>>, method: 'none' | 'mszip' | 'lzx' | 'quantum' = 'mszip'): Buffer {
  const all = Buffer.concat(Object.values(files));
  const blocks: Buffer[] = [];
  const frames = method === 'lzx' ? lzxFrames(all) : [];
  for (let at = 0; at < all.length; at += 32768) {
    const plain = all.subarray(at, at + 32768);
    const before = all.subarray(Math.max(0, at - 32768), at);
    const packed = method === 'mszip' ? Buffer.concat([Buffer.from('CK'), deflateRawSync(plain, before.length > 0 ? { dictionary: before } : {})]) : (frames[at / 32768] ?? plain);
    const head = Buffer.alloc(8);
    head.writeUInt16LE(packed.length, 4);
    head.writeUInt16LE(plain.length, 6);
    blocks.push(head, packed);
  }
  let offset = 0;
  const entries = Object.entries(files).map(([name, bytes]) => {
    const entry = Buffer.alloc(16);
    entry.writeUInt32LE(bytes.length, 0);
    entry.writeUInt32LE(offset, 4);
    offset += bytes.length;
    return Buffer.concat([entry, Buffer.from(`${name}\0`)]);
  });
  const list = Buffer.concat(entries);
  const header = Buffer.alloc(44);
  header.write('MSCF', 0, 'latin1');
  header.writeUInt32LE(44, 16);
  header.writeUInt16LE(0x0103, 24);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(entries.length, 28);
  header.writeUInt32LE(44 + list.length, 36);
  header.writeUInt16LE(blocks.length / 2, 40);
  header.writeUInt16LE({ none: 0, mszip: 1, quantum: 2, lzx: 3 | (15 << 8) }[method], 42);
  const cabinet = Buffer.concat([header, list, ...blocks]);
  cabinet.writeUInt32LE(cabinet.length, 8);
  return cabinet;
}
