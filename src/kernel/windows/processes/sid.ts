import { createHash } from 'node:crypto';
import type { WindowsKernel } from '../kernel.js';
import { SERVICES } from '../system/service-names.js';

/** Parts behind the authority at most (winnt.h: SID_MAX_SUB_AUTHORITIES). */
const MOST_PARTS = 15;

/**
 * The text of a `_SID`: `S-1-5-18`. Its authority is a number of 48 bits, the only one with its first byte first; from 2^32 on it is written in hex
 * ([MS-DTYP] 2.4.2.1). Throws Absent where it cannot be read; undefined for what is no SID (RtlValidSid).
 */
export function sidText(kernel: WindowsKernel, address: bigint): string | undefined {
  const type = kernel.struct('_SID');
  const offset = type.offsetOf('SubAuthority');
  const head = kernel.space.read(address, offset);
  const revision = head[type.offsetOf('Revision')] ?? 0;
  const count = head[type.offsetOf('SubAuthorityCount')] ?? 0;
  if (revision !== 1 || count > MOST_PARTS) return undefined;
  const authority = head.readUIntBE(type.offsetOf('IdentifierAuthority'), 6);
  const body = kernel.space.read(address + BigInt(offset), count * 4);
  const parts = Array.from({ length: count }, (_, index) => body.readUInt32LE(index * 4));
  return ['S', revision, authority < 2 ** 32 ? authority : `0x${authority.toString(16)}`, ...parts].join('-');
}

/**
 * SIDs that mean the same on every system. Sources: [MS-DTYP] 2.4.2.4 "Well-Known SID Structures"; Microsoft, "Security identifiers"; winnt.h.
 */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'S-1-0-0': 'Nobody',
  'S-1-1-0': 'Everyone',
  'S-1-2-0': 'Local (logged on to a terminal of this system)',
  'S-1-2-1': 'Console Logon (logged on to the physical console)',
  'S-1-3-0': 'Creator Owner',
  'S-1-3-1': 'Creator Group',
  'S-1-3-2': 'Creator Owner Server',
  'S-1-3-3': 'Creator Group Server',
  'S-1-3-4': 'Owner Rights',
  'S-1-5-1': 'Dialup',
  'S-1-5-2': 'Network',
  'S-1-5-3': 'Batch',
  'S-1-5-4': 'Interactive',
  'S-1-5-6': 'Service',
  'S-1-5-7': 'Anonymous',
  'S-1-5-8': 'Proxy',
  'S-1-5-9': 'Enterprise Domain Controllers',
  'S-1-5-10': 'Principal Self',
  'S-1-5-11': 'Authenticated Users',
  'S-1-5-12': 'Restricted Code',
  'S-1-5-13': 'Terminal Server Users',
  'S-1-5-14': 'Remote Interactive Logon',
  'S-1-5-15': 'This Organization',
  'S-1-5-17': 'IIS User',
  'S-1-5-18': 'Local System',
  'S-1-5-19': 'Local Service',
  'S-1-5-20': 'Network Service',
  'S-1-5-33': 'Write Restricted',
  'S-1-5-64-10': 'NTLM Authentication',
  'S-1-5-64-14': 'SChannel Authentication',
  'S-1-5-64-21': 'Digest Authentication',
  'S-1-5-65-1': 'This Organization Certificate',
  'S-1-5-80-0': 'All Services',
  'S-1-5-83-0': 'Virtual Machines',
  'S-1-5-84-0-0-0-0-0': 'User Mode Drivers',
  'S-1-5-90-0': 'Window Manager Group',
  'S-1-5-113': 'Local Account',
  'S-1-5-114': 'Local Account (Member of Administrators)',
  'S-1-5-1000': 'Other Organization',
  'S-1-15-2-1': 'All Application Packages',
  'S-1-15-2-2': 'All Restricted Application Packages',
  'S-1-15-3-1': 'Capability: Internet Client',
  'S-1-15-3-2': 'Capability: Internet Client and Server',
  'S-1-15-3-3': 'Capability: Private Network',
  'S-1-15-3-4': 'Capability: Pictures',
  'S-1-15-3-5': 'Capability: Videos',
  'S-1-15-3-6': 'Capability: Music',
  'S-1-15-3-7': 'Capability: Documents',
  'S-1-15-3-8': 'Capability: Enterprise Authentication',
  'S-1-15-3-9': 'Capability: Shared User Certificates',
  'S-1-15-3-10': 'Capability: Removable Storage',
  'S-1-15-3-11': 'Capability: Appointments',
  'S-1-15-3-12': 'Capability: Contacts',
  'S-1-16-0': 'Untrusted Mandatory Level',
  'S-1-16-4096': 'Low Mandatory Level',
  'S-1-16-8192': 'Medium Mandatory Level',
  'S-1-16-8448': 'Medium Plus Mandatory Level',
  'S-1-16-12288': 'High Mandatory Level',
  'S-1-16-16384': 'System Mandatory Level',
  'S-1-16-20480': 'Protected Process Mandatory Level',
  'S-1-16-28672': 'Secure Process Mandatory Level',
  'S-1-18-1': 'Authentication Authority Asserted Identity',
  'S-1-18-2': 'Service Asserted Identity',
  'S-1-18-3': 'Fresh Public Key Identity',
  'S-1-18-4': 'Key Trust Identity',
};

/** Groups of every system: S-1-5-32 and these numbers. */
const BUILTIN: Readonly<Record<number, string>> = {
  544: 'Administrators',
  545: 'Users',
  546: 'Guests',
  547: 'Power Users',
  548: 'Account Operators',
  549: 'Server Operators',
  550: 'Print Operators',
  551: 'Backup Operators',
  552: 'Replicator',
  554: 'Pre-Windows 2000 Compatible Access',
  555: 'Remote Desktop Users',
  556: 'Network Configuration Operators',
  557: 'Incoming Forest Trust Builders',
  558: 'Performance Monitor Users',
  559: 'Performance Log Users',
  560: 'Windows Authorization Access Group',
  561: 'Terminal Server License Servers',
  562: 'Distributed COM Users',
  568: 'IIS_IUSRS',
  569: 'Cryptographic Operators',
  573: 'Event Log Readers',
  574: 'Certificate Service DCOM Access',
  575: 'RDS Remote Access Servers',
  576: 'RDS Endpoint Servers',
  577: 'RDS Management Servers',
  578: 'Hyper-V Administrators',
  579: 'Access Control Assistance Operators',
  580: 'Remote Management Users',
  581: 'Default Account',
  582: 'Storage Replica Administrators',
  583: 'Device Owners',
};

/** Accounts of a machine or domain: S-1-5-21, three numbers of its own, and these. */
const ACCOUNTS: Readonly<Record<number, string>> = {
  498: 'Enterprise Read-only Domain Controllers',
  500: 'Administrator',
  501: 'Guest',
  502: 'KRBTGT',
  503: 'Default Account',
  504: 'WDAG Utility Account',
  512: 'Domain Admins',
  513: 'Domain Users',
  514: 'Domain Guests',
  515: 'Domain Computers',
  516: 'Domain Controllers',
  517: 'Cert Publishers',
  518: 'Schema Admins',
  519: 'Enterprise Admins',
  520: 'Group Policy Creator Owners',
  521: 'Read-only Domain Controllers',
  522: 'Cloneable Domain Controllers',
  525: 'Protected Users',
  526: 'Key Admins',
  527: 'Enterprise Key Admins',
  553: 'RAS and IAS Servers',
  571: 'Allowed RODC Password Replication Group',
  572: 'Denied RODC Password Replication Group',
};

/** Kinds of SIDs, by what they begin with; the longest that fits. */
const FAMILIES: readonly (readonly [prefix: string, name: (rest: string) => string])[] = [
  ['S-1-5-5-', () => 'Logon Session'],
  ['S-1-5-21-', () => 'User'],
  ['S-1-5-80-', () => 'Service'],
  ['S-1-5-82-', () => 'IIS Application Pool'],
  ['S-1-5-83-1-', () => 'Virtual Machine'],
  ['S-1-5-87-', () => 'Task'],
  ['S-1-5-90-0-', (rest) => `Window Manager DWM-${rest}`],
  ['S-1-5-96-0-', (rest) => `Font Driver Host UMFD-${rest}`],
  ['S-1-15-2-', () => 'App Container'],
  ['S-1-15-3-', () => 'Capability'],
  ['S-1-16-', () => 'Mandatory Level'],
  ['S-1-19-', () => 'Process Trust Level'],
];

/**
 * Whom a SID stands for, as far as that follows from itself: names that are the same everywhere, names of services by their hash. Users' own names are
 * in the registry. Null where nothing is known.
 */
export function sidName(sid: string): string | null {
  const known = WELL_KNOWN[sid];
  if (known !== undefined) return known;
  const service = sid.startsWith('S-1-5-80-') ? services().get(sid) : undefined;
  if (service !== undefined) return `Service ${service}`;
  const last = Number(/-(\d+)$/.exec(sid)?.[1] ?? -1);
  if (/^S-1-5-32-\d+$/.test(sid)) return BUILTIN[last] ?? null;
  const account = /^S-1-5-21-\d+-\d+-\d+-\d+$/.test(sid) ? ACCOUNTS[last] : undefined;
  if (account !== undefined) return account;
  const family = FAMILIES.find(([prefix]) => sid.startsWith(prefix));
  return family ? family[1](sid.slice(family[0].length)) : null;
}

/** SID of a service: five words of the SHA-1 of its name in capitals, in UTF-16 (Microsoft, "Service SIDs"; RtlCreateServiceSid). */
export function serviceSid(name: string): string {
  const hash = createHash('sha1').update(Buffer.from(name.toUpperCase(), 'utf16le')).digest();
  return `S-1-5-80-${[0, 4, 8, 12, 16].map((at) => hash.readUInt32LE(at)).join('-')}`;
}

let made: ReadonlyMap<string, string> | undefined;

/** Names by SID of the services that Windows brings with it. */
function services(): ReadonlyMap<string, string> {
  return (made ??= new Map(SERVICES.map((name) => [serviceSid(name), name])));
}
