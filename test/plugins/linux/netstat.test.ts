import assert from 'node:assert/strict';
import { test } from 'node:test';
import { netstat } from '../../../plugins/linux/netstat.js';
import type { Row } from '../../../src/plugin/columns.js';
import type { Struct } from '../../../src/object/struct.js';
import { printer } from '../../support/processes.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** What /proc/net says of a socket, in netstat's terms; undefined: this file does not say it. */
interface Said {
  /** of the struct sock; undefined where the guest hid its pointers */
  readonly address: bigint | undefined;
  readonly proto: string;
  readonly saddr?: string;
  readonly sport?: number;
  readonly daddr?: string;
  readonly dport?: number;
  readonly state?: string | null;
  readonly inode: number;
  readonly uid?: number;
  recv_queue?: number;
  readonly send_queue?: number;
  readonly ref?: number;
  readonly type?: string;
  readonly path?: string | null;
  readonly protocol?: string;
}

const STATES: Readonly<Record<string, string>> = {
  '01': 'ESTABLISHED', '02': 'SYN_SENT', '03': 'SYN_RECV', '04': 'FIN_WAIT1', '05': 'FIN_WAIT2', '06': 'TIME_WAIT', '07': 'CLOSE', '08': 'CLOSE_WAIT', '09': 'LAST_ACK', '0A': 'LISTEN', '0B': 'CLOSING',
};
const UNIX_STATES: Readonly<Record<string, string>> = { '01': 'UNCONNECTED', '02': 'CONNECTING', '03': 'CONNECTED', '04': 'DISCONNECTING' };
const TYPES: Readonly<Record<string, string>> = { '0001': 'STREAM', '0002': 'DGRAM', '0003': 'RAW', '0005': 'SEQPACKET', '3': 'RAW', '2': 'DGRAM' };
const NETLINK: Readonly<Record<number, string>> = {
  0: 'ROUTE', 4: 'SOCK_DIAG', 6: 'XFRM', 7: 'SELINUX', 9: 'AUDIT', 10: 'FIB_LOOKUP', 11: 'CONNECTOR', 12: 'NETFILTER', 15: 'KOBJECT_UEVENT', 16: 'GENERIC',
};

/** An address as /proc/net prints it: groups of four bytes, each as a number of this machine. */
function address(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let i = 0; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  if (bytes.length === 4) return bytes.join('.');
  // URL writes IPv6 addresses as RFC 5952 does, but for the embedded IPv4 ones of its section 5.
  if (bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'))) return `::ffff:${bytes.subarray(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** A pointer as /proc prints it; kernels that hide them print `(____ptrval____)`. */
function pointer(text: string | undefined): bigint | undefined {
  const hex = /^[0-9a-f]+/.exec(text ?? '')?.[0];
  return hex === undefined ? undefined : BigInt(`0x${hex}`);
}

/** Lines of tcp, tcp6, udp, udp6, raw, raw6. */
function inet(proto: string, text: string): Said[] {
  return lines(text).map((fields) => {
    const [local, localPort] = (fields[1] ?? '').split(':');
    const [remote, remotePort] = (fields[2] ?? '').split(':');
    const [send, receive] = (fields[4] ?? '').split(':');
    return {
        address: pointer(fields[11]),
        proto,
        saddr: address(local ?? ''),
        sport: parseInt(localPort ?? '', 16),
        daddr: address(remote ?? ''),
        dport: parseInt(remotePort ?? '', 16),
        state: STATES[fields[3] ?? ''] ?? '?',
        send_queue: parseInt(send ?? '', 16),
        recv_queue: parseInt(receive ?? '', 16),
        uid: Number(fields[7]),
        inode: Number(fields[9]),
        ref: Number(fields[10]),
    };
  });
}

function unix(text: string): Said[] {
  return lines(text).map((fields) => ({
      address: pointer(fields[0]),
      proto: 'UNIX',
      ref: parseInt(fields[1] ?? '', 16),
      state: fields[3] === '00010000' ? 'LISTEN' : (UNIX_STATES[fields[5] ?? ''] ?? '?'),
      type: TYPES[fields[4] ?? ''] ?? '?',
      inode: Number(fields[6]),
      path: fields[7] ?? null,
  }));
}

function packet(text: string): Said[] {
  return lines(text).map((fields) => ({
    address: pointer(fields[0]), proto: 'PACKET', ref: Number(fields[1]), type: TYPES[fields[2] ?? ''] ?? '?', protocol: { '88cc': 'LLDP', '0003': 'ALL' }[fields[3] ?? ''] ?? '?', recv_queue: Number(fields[6]), uid: Number(fields[7]), inode: Number(fields[8]) }));
}

function netlink(text: string): Said[] {
  return lines(text).map((fields) => ({
    address: pointer(fields[0]), proto: 'NETLINK', protocol: NETLINK[Number(fields[1])] ?? '?', sport: Number(fields[2]), recv_queue: Number(fields[4]), send_queue: Number(fields[5]), ref: Number(fields[7]), inode: Number(fields[9]) }));
}

function lines(text: string): string[][] {
  return text
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

/** All that a folder of /proc/net says. */
function saidIn(sample: Sample, folder: string): Said[] {
  const read = (name: string): string => (sample.hasTruth(`${folder}/${name}`) ? sample.truth(`${folder}/${name}`) : '');
  return [
    ...['tcp', 'tcp6'].flatMap((name) => inet('TCP', read(name))),
    ...['udp', 'udp6'].flatMap((name) => inet('UDP', read(name))),
    ...['udplite', 'udplite6'].flatMap((name) => inet('UDPLITE', read(name))),
    ...['icmp', 'icmp6'].flatMap((name) => inet('PING', read(name))),
    ...['raw', 'raw6'].flatMap((name) => inet('RAW', read(name))),
    ...unix(read('unix')),
    ...packet(read('packet')),
    ...netlink(read('netlink')),
  ];
}

function netnsOf(sample: Sample, pid: number): number {
  return Number(/^net -> net:\[(\d+)\]/m.exec(sample.truth(`proc/${pid}/ns.links`))?.[1]);
}

/** Ports and addresses, or the inode of what has none. */
function keyOf(one: Said | Row): string {
  const row = one as Row;
  return typeof row['daddr'] === 'string' ? `${String(row['proto'])} ${String(row['saddr'])} ${String(row['sport'])} ${row['daddr']} ${String(row['dport'])}` : String(row['inode']);
}

const at = (row: Row): bigint => (row['sock'] as Struct).$address;

const found = samples([...everyAmd64, 'pae']);
test('netstat', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    const { rows, run } = await rowsOf(session, netstat);
    assert.equal(run.faults, 0);
    assert.deepEqual(run.notes, []);

    await context.test(`${sample.name}: every socket of /proc/net, and no other of that namespace`, () => {
      const said = saidIn(sample, 'proc/net');
      const here = rows.filter((row) => row['netns'] === netnsOf(sample, 1) && row['listed'] === true);
      const byKey = new Map(here.map((row) => [keyOf(row), row]));
      assert.equal(byKey.size, here.length, 'each socket once');
      for (const { address, ...one } of said) {
        const row = byKey.get(keyOf(one));
        assert.ok(row, `${one.proto} socket ${keyOf(one)}`);
        if (address !== undefined) assert.equal(at(row), address);
        // Of what has no file (any more) the guest prints no inode, and zeros for user and references.
        const known = { ...one, ...(one.inode === 0 ? { inode: null, uid: row['uid'], ref: row['ref'] } : {}) };
        // Who listens to all packets gets more of them while the guest prints.
        if (one.proto === 'PACKET') {
          assert.ok((row['recv_queue'] as number) >= (one.recv_queue ?? 0));
          delete known.recv_queue;
        }
        for (const [column, value] of Object.entries(known)) assert.equal(row[column], value, `${column} of ${one.proto} socket ${keyOf(one)}`);
      }
      const protos = new Set(said.map((one) => one.proto));
      for (const proto of ['TCP', 'UDP', 'RAW', 'UNIX', 'PACKET', 'NETLINK']) assert.ok(protos.has(proto), `the guest has ${proto} sockets`);
      const keys = new Set(said.map(keyOf));
      assert.deepEqual(here.map(keyOf).filter((key) => !keys.has(key)), []);
    });

    await context.test(`${sample.name}: sockets of another namespace`, () => {
      const pids = sample.list('proc').filter((name) => /^\d+$/.test(name) && sample.hasTruth(`proc/${name}/net/tcp`));
      assert.ok(pids.length > 0);
      for (const pid of pids.map(Number)) {
        const said = [...inet('TCP', sample.truth(`proc/${pid}/net/tcp`)), ...inet('TCP', sample.truth(`proc/${pid}/net/tcp6`))];
        const there = rows.filter((row) => row['netns'] === netnsOf(sample, pid) && row['proto'] === 'TCP' && row['listed'] === true);
        assert.deepEqual(there.map((row) => [row['sport'], row['state'], row['inode']]), said.map((one) => [one.sport, one.state, one.inode]));
        assert.ok(said.length > 0);
      }
    });

    await context.test(`${sample.name}: every descriptor that /proc/PID/fd shows of a socket, and no other`, () => {
      const truth = new Set<string>();
      for (const pid of sample.list('proc').filter((name) => /^\d+$/.test(name) && Number(name) !== printer(sample))) {
        if (!sample.hasTruth(`proc/${pid}/fd.links`)) continue;
        for (const [, fd, inode] of sample.truth(`proc/${pid}/fd.links`).matchAll(/^(\d+) -> socket:\[(\d+)\]/gm)) truth.add(`${pid},${fd ?? ''} ${inode ?? ''}`);
      }
      const ours = new Set<string>();
      for (const row of rows) {
        for (const owner of row['owners'] as string[]) {
          const [, pid, fd] = /\((\d+),(\d+)\)$/.exec(owner) ?? [];
          ours.add(`${pid ?? ''},${fd ?? ''} ${String(row['inode'])}`);
        }
        if (row['pid'] !== null) assert.ok((row['owners'] as string[])[0]?.startsWith(`${String(row['comm'])}(${String(row['pid'])},`));
      }
      assert.ok(truth.size >= 18, `${truth.size} descriptors compared`);
      assert.deepEqual([...ours].sort(), [...truth].sort());
    });

    await context.test(`${sample.name}: the ends of a pair of Unix sockets know each other`, () => {
      const [, one, other] = /^notes=.* socketpair=(\d+),(\d+)/m.exec(sample.truth(`run/lab/${sample.list('run/lab').find((name) => name.startsWith('labfiles.')) ?? ''}`)) ?? [];
      const pair = [one, other].map((fd) => rows.find((row) => row['comm'] === 'labfiles' && row['fd'] === Number(fd)));
      assert.equal(pair[0]?.['peer'], pair[1]?.['inode']);
      assert.equal(pair[1]?.['peer'], pair[0]?.['inode']);
      assert.notEqual(pair[0]?.['inode'], undefined);
    });
    session.close();
  }
});

test('netstat selects by protocol and by process', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const all = (await rowsOf(session, netstat)).rows;
  const { rows: udp } = await rowsOf(session, netstat, { proto: ['udp'] });
  assert.deepEqual(udp.map(at), all.filter((row) => row['proto'] === 'UDP').map(at));
  assert.ok(udp.length > 0);
  const pid = all.find((row) => row['comm'] === 'labnetd')?.['pid'] as number;
  const { rows: mine } = await rowsOf(session, netstat, { pids: [pid] });
  assert.deepEqual(mine.map(at), all.filter((row) => row['comm'] === 'labnetd').map(at));
  const none = await rowsOf(session, netstat, { proto: ['bluetooth'] });
  assert.equal(none.rows.length, 0);
  assert.match(none.run.notes.join(), /No table of BLUETOOTH/);
  session.close();
});
