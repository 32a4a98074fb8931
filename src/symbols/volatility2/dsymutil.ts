import { ConstantMap } from '../source.js';

/** `[     0] 0000008a 0f (     SECT EXT) 01     0000   ffffff80002d3b70 '_foo'`: a line of `dsymutil -s`. */
const LINE = /^\[[^\]]*\] [0-9a-fA-F]+ [0-9a-fA-F]+ \(([^)]*)\)([^']*)'([^']+)'\s*$/;
const HEADER = /^Symbol table for:?.*\((\w+)\)\s*$/;

/**
 * Reads the symbol table of a macOS kernel as `dsymutil -s` prints it: global symbols and functions. Globals count before
 * debugger symbols (N_FUN, N_STSYM) of the same name.
 */
export function readDsymutil(text: string): { constants: ConstantMap; arch: 'AMD64' | 'I386' } {
  const addresses = new Map<string, bigint>();
  const functions = new Set<string>();
  const globals = new Set<string>();
  let arch: 'AMD64' | 'I386' | undefined;
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line);
    // A universal file has a table for each machine: the first one counts.
    if (header && arch !== undefined && addresses.size > 0) break;
    if (header) arch = header[1] === 'i386' ? 'I386' : 'AMD64';
    const [, kind, columns, name] = LINE.exec(line) ?? [];
    if (kind === undefined || columns === undefined || name === undefined) continue;
    const digits = columns.trim().split(/\s+/).at(-1) ?? '';
    if (!/^[0-9a-fA-F]{8,16}$/.test(digits)) continue;
    const global = kind.includes('EXT');
    if (!global && !kind.includes('N_FUN') && !kind.includes('N_STSYM')) continue;
    const address = BigInt(`0x${digits}`);
    if (kind.includes('N_FUN')) functions.add(name);
    if (address === 0n || (addresses.has(name) && (!global || globals.has(name)))) continue;
    if (global) globals.add(name);
    addresses.set(name, address);
  }
  for (const name of functions) if (!addresses.has(name)) functions.delete(name);
  const wide = [...addresses.values()].some((address) => address >> 32n !== 0n);
  return { constants: new ConstantMap(addresses, functions), arch: arch ?? (wide ? 'AMD64' : 'I386') };
}
