import { types } from '../types.js';
import { ValueError } from '../values/error.js';
import { text } from './arguments.js';
import { param, rest, scalar } from './define.js';
import type { ScalarFunction } from './function.js';

/** An address as a number of 32 or 128 bits. */
interface Ip {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** Reads an address of IPv4 or IPv6 (with or without a zone); undefined where the text is none. An IPv4 address within IPv6 (`::ffff:10.0.0.1`) is that IPv4 address. */
export function parseIp(given: string): Ip | undefined {
  const address = given
    .trim()
    .replace(/%.*$/s, '')
    .replace(/^\[(.*)\]$/, '$1');
  if (address.length > 45) return undefined;
  if (!address.includes(':')) {
    const value = parseV4(address);
    return value === undefined ? undefined : { version: 4, value };
  }
  const value = parseV6(address);
  if (value === undefined) return undefined;
  return value >> 32n === 0xffffn ? { version: 4, value: value & 0xffffffffn } : { version: 6, value };
}

function parseV4(address: string): bigint | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseV6(address: string): bigint | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const embedded = dotted ? parseV4(dotted[2] ?? '') : undefined;
  if (dotted && embedded === undefined) return undefined;
  const plain =
    dotted && embedded !== undefined
      ? `${dotted[1] ?? ''}${(embedded >> 16n).toString(16)}:${(embedded & 0xffffn).toString(16)}`
      : address;
  const halves = plain.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const written = groups.flat();
  if (written.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const lacking = 8 - written.length;
  if (halves.length === 2 ? lacking < 1 : lacking !== 0) return undefined;
  const all = [
    ...(groups[0] ?? []),
    ...Array<string>(halves.length === 2 ? lacking : 0).fill('0'),
    ...(groups[1] ?? []),
  ];
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

interface Network extends Ip {
  readonly bits: number;
}

function parseNetwork(given: string): Network {
  const [address = '', length] = given.split('/');
  const ip = parseIp(address);
  const most = ip?.version === 4 ? 32 : 128;
  const bits = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  if (!ip || !(bits <= most))
    throw new ValueError(`'${given.slice(0, 60)}' is no network; write 10.0.0.0/8 or fd00::/8`);
  return { ...ip, bits };
}

function within(ip: Ip, network: Network): boolean {
  if (ip.version !== network.version) return false;
  const low = BigInt((network.version === 4 ? 32 : 128) - network.bits);
  return ip.value >> low === network.value >> low;
}

/** Networks that are not routed in the internet: RFC 1918, 4193, 3927, 4291 and loopback. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '127.0.0.0/8',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];
let privateNetworks: readonly Network[] | undefined;

function ipOf(value: unknown): Ip {
  const ip = parseIp(text(value));
  if (!ip) throw new ValueError(`'${text(value).slice(0, 60)}' is no IP address`);
  return ip;
}

export const networkFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'cidr_match',
    aliases: ['in_network'],
    topic: 'network',
    doc: 'Whether an IP address (version 4 or 6) is in one of these networks; false for what is no address.',
    parameters: [param('address', 'string'), rest('networks', 'string')],
    result: types.bool,
    call: ([address, ...networks]) => {
      const known = networks.map((network) => parseNetwork(text(network)));
      const ip = parseIp(text(address));
      return ip !== undefined && known.some((network) => within(ip, network));
    },
    examples: [
      { query: 'cidr_match("10.1.2.3", "10.0.0.0/8")', value: true },
      { query: 'cidr_match("fd00::1", "10.0.0.0/8", "fc00::/7")', value: true },
    ],
  }),
  scalar({
    name: 'is_private',
    topic: 'network',
    doc: 'Whether an IP address is of a network that is not routed in the internet (private, link-local, loopback).',
    parameters: [param('address', 'string')],
    result: types.bool,
    maps: 0,
    call: ([address]) => {
      const ip = ipOf(address);
      privateNetworks ??= PRIVATE.map(parseNetwork);
      return privateNetworks.some((network) => within(ip, network));
    },
    examples: [{ query: 'is_private("192.168.1.7")', value: true }],
  }),
  scalar({
    name: 'ip_version',
    topic: 'network',
    doc: '4 or 6; null for what is no IP address.',
    parameters: [param('address', 'string')],
    result: types.int,
    maps: 0,
    call: ([address]) => parseIp(text(address))?.version ?? null,
    examples: [{ query: 'ip_version("::1")', value: 6 }],
  }),
];
