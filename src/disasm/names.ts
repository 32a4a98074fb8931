export interface NamedAddress {
  readonly name: string;
  readonly address: bigint;
  /** the letter of nm, where it is known */
  readonly kind?: string;
}

/** True for symbols of code: text, weak symbols, indirect functions. What is not known may be code. */
export function isCode(symbol: NamedAddress): boolean {
  return symbol.kind === undefined || /^[tTwWi]$/.test(symbol.kind);
}

/** What the disassembler asks of whoever knows names: a session's resolver, or a test. */
export interface Names {
  /** The symbol at or below an address, where one is near. */
  nearest(address: bigint): { readonly module: string; readonly symbol: NamedAddress; readonly distance: bigint } | undefined;
  /** The best that is known of an address: a symbol, or a member of a typed global (`linux!init_task.comm`). */
  name(address: bigint): string | undefined;
  /** What the function that begins at an address takes and gives, as C writes it, where that is known. */
  prototype?(address: bigint): string | undefined;
  /** The file and line of the source that made the code at an address, where that is known. */
  line?(address: bigint): { readonly file: string; readonly line: number } | undefined;
}

/** A function (or a variable), as far as symbols tell: from its symbol to the next. */
export interface Extent {
  /** `linux!do_exit` */
  readonly name: string;
  readonly code: boolean;
  readonly start: bigint;
  /** one past its last byte (padding included); undefined where no next symbol is near */
  readonly end: bigint | undefined;
}

/** No function is longer, in bytes. */
const LONGEST = 1n << 20n;

/** The function that an address lies in. Its end is searched for, since sources of symbols give only what is below an address. */
export function functionAt(names: Names, address: bigint): Extent | undefined {
  const found = names.nearest(address);
  if (!found || found.distance > LONGEST) return undefined;
  const start = found.symbol.address;
  const known = { name: `${found.module}!${found.symbol.name}`, code: isCode(found.symbol), start };
  const outside = (at: bigint): boolean => names.nearest(at)?.symbol.address !== start;
  let low = address;
  let step = 16n;
  while (!outside(low + step)) {
    low += step;
    step *= 2n;
    if (low - start > LONGEST) return { ...known, end: undefined };
  }
  let high = low + step;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (outside(middle)) high = middle;
    else low = middle;
  }
  return { ...known, end: high };
}

/** The best that is known of an address, in a listing's form. */
export function dataName(names: Names, address: bigint): string | undefined {
  return names.name(address)?.replace(/\+0x([0-9a-f]+)$/i, (_, digits: string) => ` + 0x${digits.toUpperCase()}`);
}

/** An address of code as a listing says it: `linux!do_exit`, `linux!do_exit + 0x6A`. */
export function codeName(names: Names, address: bigint): string | undefined {
  const found = names.nearest(address);
  // A program without symbols: `busybox + 0x47`.
  if (!found) return dataName(names, address);
  const { module, symbol, distance } = found;
  return `${module}!${symbol.name}${distance === 0n ? '' : ` + 0x${distance.toString(16).toUpperCase()}`}`;
}
