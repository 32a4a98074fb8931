import { parseRsds, type RsdsRecord } from './find/rsds.js';

/** IMAGE_DEBUG_TYPE_CODEVIEW (winnt.h). */
const CODEVIEW = 2;
const DEBUG_ENTRY = 28;
const MOST_ENTRIES = 64;

/**
 * The debug record of an executable file, by its debug directory (PE/COFF specification, ".debug section"); undefined where the bytes
 * are no executable, or have none.
 */
export function debugRecordOf(bytes: Buffer): RsdsRecord | undefined {
  if (bytes.length < 64 || bytes.readUInt16LE(0) !== 0x5a4d) return undefined;
  const u16 = (at: number): number => (at + 2 <= bytes.length ? bytes.readUInt16LE(at) : 0);
  const u32 = (at: number): number => (at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0);
  const header = u32(0x3c);
  if (u32(header) !== 0x4550) return undefined;
  const optional = header + 24;
  const directories = optional + (u16(optional) === 0x20b ? 112 : 96);
  const sections = optional + u16(header + 20);
  const count = u16(header + 6);
  const inFile = (address: number): number | undefined => {
    for (let i = 0; i < count; i++) {
      const at = sections + 40 * i;
      const start = u32(at + 12);
      if (address >= start && address < start + u32(at + 16)) return address - start + u32(at + 20);
    }
    return undefined;
  };
  const start = inFile(u32(directories + 6 * 8));
  if (start === undefined) return undefined;
  const entries = Math.min(MOST_ENTRIES, Math.floor(u32(directories + 6 * 8 + 4) / DEBUG_ENTRY));
  for (let i = 0; i < entries; i++) {
    const at = start + i * DEBUG_ENTRY;
    const [type, size, data] = [u32(at + 12), u32(at + 16), u32(at + 24)];
    const record = type === CODEVIEW && data + size <= bytes.length ? parseRsds(bytes.subarray(data, data + size), data) : undefined;
    if (record) return record;
  }
  return undefined;
}
