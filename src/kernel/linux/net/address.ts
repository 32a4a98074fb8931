import type { AddressSpace } from '../../../memory/space.js';

/** Octets of the longest hardware address (include/uapi/linux/netdevice.h: MAX_ADDR_LEN). */
export const LONGEST_HARDWARE_ADDRESS = 32;

/** Four bytes in network order as `10.9.8.7`. */
export function formatIpv4(bytes: Uint8Array): string {
  return bytes.subarray(0, 4).join('.');
}

/** Sixteen bytes in network order as RFC 5952 writes them: `::1`, `fe80::4c41:fffe:42:1`, `::ffff:10.0.0.1`. */
export function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${formatIpv4(bytes.subarray(12))}`;
  // The longest run of at least two zero groups, the first of equal ones, is left out (section 4.2).
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      from = i;
      length = end - i;
    }
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return from < 0 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`;
}

/** A hardware address as `02:4c:41:42:00:01`; empty for a link without addresses. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** An address of a family (AF_INET 2, AF_INET6 10) in memory. Throws Absent. */
export function readInetAddress(space: AddressSpace, address: bigint, family: number): string {
  return family === 2 ? formatIpv4(space.read(address, 4)) : formatIpv6(space.read(address, 16));
}
