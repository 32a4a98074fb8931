import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainCommand, isKnownElsewhere, knownCommands } from '../../src/plugin/elsewhere.js';
import { Registry } from '../../src/plugin/registry.js';

const registry = Registry.builtIn();
const linux = { os: 'linux', description: 'Linux 6.1.0-42' } as const;
const windows = { os: 'windows', description: 'Windows 7' } as const;
const said = (name: string, here: typeof linux | typeof windows | undefined = linux): string | undefined => explainCommand(name, registry, here)?.message;

test('every name of Rekall is known, once, with what it did', () => {
  const rekall = [...knownCommands().values()].filter(({ tool }) => tool === 'Rekall');
  // The number of distinct command names at Rekall's last commit.
  assert.equal(rekall.length, 247);
  for (const { name, what, see } of knownCommands().values()) {
    assert.match(name, /^(windows\.)?[a-z][a-z0-9_]*$/);
    assert.ok(what.length > 3 && !what.endsWith('.'), name);
    for (const other of see) {
      assert.ok(knownCommands().has(other) || registry.named(other).length > 0, `${name} names ${other}`);
      assert.notEqual(other, name);
    }
  }
});

test('whatever is explained names a command that is there and fits', () => {
  for (const name of knownCommands().keys()) {
    const { message, next } = explainCommand(name, registry, linux) ?? assert.fail(name);
    assert.match(message, /^[A-Z]?.*\.$/, name);
    if (next !== undefined) assert.ok(registry.find(next, 'linux'), `${name}: ${next}`);
  }
});

test('a command that needs another system says so, and which does the same here', () => {
  assert.equal(said('netscan'), 'netscan needs Windows; this is Linux 6.1.0-42: see netstat.');
  assert.equal(said('psscan'), 'psscan needs Windows; this is Linux 6.1.0-42: see pslist.');
  assert.equal(said('printkey'), 'printkey needs Windows; this is Linux 6.1.0-42. Nothing here shows the same (keys and values of the registry).');
  assert.equal(said('lsof', windows), 'lsof needs Linux; this is Windows 7: see handles.');
  assert.equal(said('moo'), "Rekall's moo (a cow that tried out the renderers) is not part of this release, and nothing here shows the same.");
});

test('names as Volatility writes them', () => {
  assert.equal(said('windows.pslist.PsList'), 'windows.pslist.PsList needs Windows; this is Linux 6.1.0-42: see pslist.');
  assert.equal(said('linux.pslist'), 'linux.pslist is called pslist here.');
  assert.equal(said('linux_psaux'), 'linux_psaux is called psaux here.');
  assert.equal(said('linux.proc.Maps'), 'linux.proc.Maps is called maps here.');
  assert.equal(said('mac.netstat'), 'mac.netstat needs macOS; this is Linux 6.1.0-42: see netstat.');
  // Where a name means something else here, what it means there counts.
  for (const name of ['windows.info', 'windows.info.Info']) assert.equal(said(name, windows), `${name} is called imageinfo here.`);
  const nearest = { 'windows.psscan': 'psxview', 'windows.modscan.ModScan': 'modules', 'windows.vadinfo': 'vad', 'windows.malware.suspicious_threads': 'threads', 'windows.statistics': 'rammap', 'windows.iat': 'impscan' };
  for (const [name, near] of Object.entries(nearest)) assert.match(said(name, windows) ?? '', new RegExp(`; ${near} comes nearest\\.$`), name);
  assert.match(said('windows.registry.hivelist.HiveList') ?? '', /needs Windows/);
  assert.match(said('linux.kmsg', undefined) ?? '', /dmesg comes nearest/);
  assert.match(said('envvars') ?? '', /see environ/);
});

test('what means nothing anywhere is not explained', () => {
  for (const name of ['frobnicate', '', 'linux', '.', 'windows.']) assert.equal(said(name), undefined, name);
  assert.equal(isKnownElsewhere('frobnicate'), false);
  assert.equal(isKnownElsewhere('windows.anything'), true);
});
