import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ifconfig } from '../../../plugins/linux/ifconfig.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** What `ip addr` prints of an address: interface, address, prefix length, scope. */
function addresses(text: string): string[] {
  const all: string[] = [];
  let name = '';
  for (const line of text.split('\n')) {
    name = /^\d+: ([^:@]+)[:@]/.exec(line)?.[1] ?? name;
    const [, address, prefix, scope] = /^\s+inet6? ([^/ ]+)\/(\d+) (?:brd \S+ )?scope (\S+)/.exec(line) ?? [];
    if (address !== undefined) all.push(`${name} ${address}/${prefix ?? ''} ${scope ?? ''}`);
  }
  return all;
}

/** Flags of include/uapi/linux/if.h, as `ip link` names them, that the kernel keeps in net_device.flags and the guest's interfaces have. */
const BITS: Readonly<Record<string, number>> = { UP: 0x1, BROADCAST: 0x2, LOOPBACK: 0x8, RUNNING: 0x40, NOARP: 0x80, PROMISC: 0x100, MULTICAST: 0x1000 };

const found = samples([...everyAmd64, 'pae']);
test('ifconfig', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    const { rows, run } = await rowsOf(session, ifconfig);
    const own = Number(/^net -> net:\[(\d+)\]/m.exec(sample.truth('proc/1/ns.links'))?.[1]);
    const here = rows.filter((row) => row['netns'] === own);

    await context.test(`${sample.name}: every interface of /sys/class/net`, () => {
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const names = sample.list('sys/class/net');
      assert.deepEqual([...new Set(here.map((row) => row['interface']))].sort(), [...names].sort());
      assert.ok(names.length >= 2);
      for (const name of names) {
        const said = (file: string): string => sample.truth(`sys/class/net/${name}/${file}`).trim();
        for (const row of here.filter((one) => one['interface'] === name)) {
          assert.equal(row['MAC'], said('address'));
          assert.equal(row['mtu'], Number(said('mtu')));
          assert.equal(row['ifindex'], Number(said('ifindex')));
          assert.equal(row['state'], said('operstate'));
          assert.equal(row['type'], { 1: 'ether', 772: 'loopback' }[Number(said('type'))]);
          const flags = (row['flags'] as string[]).reduce((sum, flag) => sum | (BITS[flag] ?? 1 << 31), 0);
          assert.equal(flags, Number(said('flags')), `flags of ${name}`);
        }
      }
    });

    await context.test(`${sample.name}: every address that ip addr shows, in both namespaces`, () => {
      const ours = (of: typeof rows): string[] =>
        of.filter((row) => row['ipv4'] !== null || row['ipv6'] !== null).map((row) => `${String(row['interface'])} ${String(row['ipv4'] ?? row['ipv6'])}/${String(row['prefix'])} ${String(row['scope'])}`);
      const said = addresses(sample.truth('run/cmd/ip-addr'));
      assert.ok(said.length >= 5);
      assert.deepEqual(ours(here), said);
      const there = rows.filter((row) => row['netns'] !== own);
      const other = sample.truth('run/cmd/netns-ip-addr');
      assert.deepEqual(there.map((row) => row['interface']), [...other.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1]));
      assert.deepEqual(ours(there), addresses(other));
      const namespaces = new Set(sample.list('proc').filter((name) => /^\d+$/.test(name) && sample.hasTruth(`proc/${name}/ns.links`)).map((name) => /^net -> net:\[(\d+)\]/m.exec(sample.truth(`proc/${name}/ns.links`))?.[1]));
      assert.deepEqual([...new Set(rows.map((row) => String(row['netns'])))].sort(), [...namespaces].filter((name) => name !== undefined).sort());
    });
    session.close();
  }
});

test('ifconfig: an alias keeps its label, an interface without addresses its row', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const { rows } = await rowsOf(session, ifconfig);
  assert.equal(rows.find((row) => row['ipv4'] === '10.9.8.7')?.['label'], 'dummy0');
  const bare = rows.filter((row) => row['ipv4'] === null && row['ipv6'] === null);
  assert.deepEqual(bare.map((row) => [row['interface'], row['prefix']]), [['lo', null]]);
  session.close();
});
