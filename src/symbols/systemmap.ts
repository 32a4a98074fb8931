import { ConstantMap } from './source.js';

/** `ffffffff81000000 T _text`: what nm prints, and System.map and /proc/kallsyms hold. Lines of modules (`[ext4]`) are left out. */
const LINE = /^([0-9a-fA-F]{8,16}) ([A-Za-z?-]) (\S+)[ \t\r]*$/gm;

export interface SystemMap {
  readonly constants: ConstantMap;
  /** 8 where an address does not fit 32 bits */
  readonly addressSize: 4 | 8;
}

/**
 * Reads a System.map. Where a name is both global and static the global one counts, else the first. Text without such a line
 * gives no names.
 */
export function readSystemMap(text: string): SystemMap {
  const addresses = new Map<string, bigint>();
  const functions = new Set<string>();
  const globals = new Set<string>();
  let wide = false;
  for (const [, digits, kind, name] of text.matchAll(LINE)) {
    if (digits === undefined || kind === undefined || name === undefined || kind === 'U') continue;
    if (digits.length > 8) wide = true;
    const global = kind >= 'A' && kind <= 'Z';
    if (addresses.has(name) && (!global || globals.has(name))) continue;
    if (global) globals.add(name);
    addresses.set(name, BigInt(`0x${digits}`));
    if (kind === 'T' || kind === 't' || kind === 'W' || kind === 'w') functions.add(name);
    else functions.delete(name);
  }
  return { constants: new ConstantMap(addresses, functions), addressSize: wide ? 8 : 4 };
}

/** True where text begins as a System.map does. */
export function looksLikeSystemMap(text: string): boolean {
  LINE.lastIndex = 0;
  const first = LINE.exec(text);
  LINE.lastIndex = 0;
  return first !== null && first.index === 0;
}
