/** Bytes of a page: every supported architecture can be walked in 4 KiB units. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
export const PAGE_MASK = 0xfff;

/**
 * The bytes of one 4 KiB page. Typed views keep a reference to a page and read its fields through `view`,
 * so a page stays valid (though perhaps no longer cached) for as long as somebody holds it.
 */
export class Page {
  /** Little-endian access: `page.view.getUint32(offset, true)`. */
  readonly view: DataView;

  /** @param bytes exactly {@link PAGE_SIZE} bytes; may be a window into a larger block */
  constructor(readonly bytes: Buffer) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** False where {@link bytes} has zeros for what is missing, and only {@link view} tells. */
  get whole(): boolean {
    return true;
  }
}

/**
 * Page number of an address. Addresses have up to 64 bits, page numbers therefore up to 52: exact in a JavaScript
 * number, which is why page numbers (and not addresses) are what hot loops use.
 */
export function pageNumber(address: bigint): number {
  return Number(BigInt.asUintN(64, address) >> 12n);
}

/** Offset of an address in its page, in bytes. */
export function pageOffset(address: bigint): number {
  return Number(address & 0xfffn);
}

/** The 64-bit address of byte `offset` of page `number`; the offset may reach past the page. */
export function addressOf(number: number, offset: number): bigint {
  return BigInt.asUintN(64, (BigInt(number) << 12n) + BigInt(offset));
}
