import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { dt } from '../../../plugins/general/dt.js';
import { addressResolver, lookup } from '../../../plugins/general/resolve.js';
import { why } from '../../../plugins/general/why.js';
import { Absent, orAbsent } from '../../../src/memory/absent.js';
import { UsageError } from '../../../src/plugin/error.js';
import { guidAge } from '../../../src/kernel/windows/find/rsds.js';
import { PeNames } from '../../../src/session/resolver/pe-names.js';
import { Session } from '../../../src/session/session.js';
import { at, call, constant, instruction, number, reg, type Rule, ruledProgram, ruledTruth, struct } from '../../support/code-rules.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip } from '../../support/windows.js';
import { sampleImage, sampleTruth } from '../../support/windows-sample.js';

const folder = temporary();

function profile(name: string, sections: Rule): string {
  const path = join(folder, `${name}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ $METADATA: { Type: 'Profile', os: 'windows' }, ...sections }));
  return path;
}

/** A session on the program of ours, with a profile of these sections. */
const opened = (machine: 'x64' | 'x86', name: string, sections: Rule): Session => new Session({ filename: ruledProgram(machine), profile: profile(name, sections), cache: 'memory' });

/** The filling of an entry, as a rule for Windows 8 has it: the base in one register, the entry in another. */
const inserted = (base: string): Rule[] => [
  call('nt!ExAllocatePoolWithTag'),
  instruction('MOV', reg('$entry'), reg(base)),
  call('nt!memset'),
  instruction('MOV', at('$entry', { scale: 1, disp: '$ImageCountInThisSession' }), number(1)),
  instruction('OR', reg('$base'), number(3)),
  instruction('MOV', at('$entry', { disp: '$Address' }), reg('$base')),
];
const fields = { Address: ['Pointer'], ImageCountInThisSession: ['unsigned int'] };
/** A build that ours is not: it has a session's number. */
const newer = struct('nt!MiSessionInsertImage', { Address: ['Pointer'], SessionId: ['unsigned int'] }, [instruction('OR', reg('$base'), number(7)), instruction('MOV', at('$entry', { disp: '$SessionId' }), reg('$base')), instruction('MOV', at('$entry', { disp: '$Address' }), reg('$base'))], { comment: 'another build' });

for (const machine of ['x64', 'x86'] as const) {
  const wide = machine === 'x64';
  const [base, counter, argument] = wide ? ['RIP', 'ECX', 'RAX'] : [null, 'EAX', 'EAX'];

  test(`${machine}: members that no symbols describe are where the code that fills them puts them`, async () => {
    const session = opened(machine, `structs-${machine}`, {
      $STRUCTS: { _IMAGE_ENTRY_IN_SESSION: [null, { Link: [0, ['Array', { count: 2, target: 'Pointer' }]] }] },
      $DYNAMIC_STRUCTS: {
        _IMAGE_ENTRY_IN_SESSION: [newer, struct('nt!MiSessionInsertImage', fields, inserted(argument))],
        _HASH_TABLE: [struct('nt!RtlCreateHashTable', { SecondLevel: ['Pointer', { target: '_IMAGE_ENTRY_IN_SESSION' }] }, [call('nt!RtlpAllocateSecondLevelDir'), instruction('MOV', at('$table', { disp: '$SecondLevel' }), reg(argument))])],
      },
    });
    const { profile: own } = await session.kernel();
    const truth = await ruledTruth(session);
    const entry = own.struct('_IMAGE_ENTRY_IN_SESSION');
    assert.deepEqual([...entry.members.keys()], ['Link', 'Address', 'ImageCountInThisSession']);
    assert.deepEqual([entry.offsetOf('Address'), entry.offsetOf('ImageCountInThisSession')], [truth.address, truth.count]);
    assert.equal(own.struct('_HASH_TABLE').offsetOf('SecondLevel'), truth.directory);
    const absent = orAbsent(() => entry.offsetOf('SessionId'));
    assert.ok(absent instanceof Absent && /no rule of \$DYNAMIC_STRUCTS _IMAGE_ENTRY_IN_SESSION\.SessionId matched in nt!MiSessionInsertImage/.test(absent.reason));
    const { rows, run: { notes } } = await rowsOf(session, dt, { target: '_HASH_TABLE' });
    assert.deepEqual(rows.map((row) => [row['field'], row['type']]), [['SecondLevel', '_IMAGE_ENTRY_IN_SESSION *']]);
    assert.match(notes.join('\n'), /SecondLevel by nt!RtlCreateHashTable\+0x2[14] MOV \[(RSI\+0x18\], RAX|ESI\+0x18\], EAX)/);
    assert.ok((await rowsOf(session, why, {})).rows.some((row) => row['stage'] === 'types' && row['tried'] === 'rules of _IMAGE_ENTRY_IN_SESSION' && row['outcome'] === 'found'));
    session.close();
  });

  test(`${machine}: constants are addresses and numbers that stand in the code`, async () => {
    const session = opened(machine, `constants-${machine}`, {
      $CONSTANT_TYPES: { PartitionCount: ['unsigned int'] },
      $DYNAMIC_CONSTANTS: {
        PartitionCount: [constant('nt!NoSuchFunction', [{}]), constant('nt!TcpStartPartitionModule', [instruction('MOV', at(base, { size: 4, address: '$out' }), reg(counter)), call('~nt!ExAllocate.*Tag')])],
        ThirdTable: [constant('nt!TcpStartPartitionModule', [call('nt!ExAllocatePoolWithTag'), instruction('JZ'), instruction('MOV', at(base, { address: '$out' }), reg(argument))])],
        ServiceLimit: [constant('nt!KiSystemService', [instruction('CMP', { type: 'REG' }, { type: 'IMM', target: '$out' }), { comment: '~.+!Ki.*Service' }])],
        // A start that is itself found in code.
        Again: [constant('ServiceStart', [instruction('CMP', null, number('$out'))])],
        ServiceStart: [constant('nt!KiSystemService+0', [call('nt!KiBadService', 'JMP'), instruction('MOV', null, at('$any', { disp: '$unused' }))]), constant('nt!RtlCreateHashTable', [call('nt!RtlpAllocateSecondLevelDir'), { mnemonic: 'CALL', comment: 'nt!ExFreePoolWithTag', operands: [{ target: '$out' }] }])],
        Circle: [constant('Circle', [instruction('CMP', null, number('$out'))])],
        Register: [constant('nt!KiSystemService', [instruction('CMP', { type: 'REG', reg: '$out' })])],
      },
    });
    const truth = await ruledTruth(session);
    const resolver = await session.resolver();
    const kernel = await session.kernel();
    const third = truth.tables + BigInt(2 * kernel.profile.pointerSize);
    assert.equal(await resolver.address('nt!PartitionCount'), truth.partitions);
    assert.equal(await resolver.address('ThirdTable+0'), third);
    assert.equal(await resolver.address('ServiceLimit'), BigInt(truth.services));
    assert.equal(kernel.profile.address('ServiceStart'), kernel.profile.address('ExFreePoolWithTag'), 'the second alternative');
    for (const [name, reason] of [['Circle', /Circle is not known here/], ['Register', /\$out is (ECX|EAX) there, and no number/], ['Again', /no instruction fits rule 1 of 1 \(CMP\)/]] as const) {
      await assert.rejects(resolver.address(name), (error) => error instanceof UsageError && error.message.includes(`no rule of $DYNAMIC_CONSTANTS ${name} matched in`) && reason.test(error.message), name);
    }
    const found = await rowsOf(session, addressResolver, { symbol: ['nt!PartitionCount'] });
    assert.deepEqual(found.rows.map((row) => [row['Symbol'], row['Offset'], row['type']]), [['nt!PartitionCount', truth.partitions, 'unsigned int']]);
    assert.match(found.run.notes.join('\n'), /\$DYNAMIC_CONSTANTS PartitionCount: by nt!TcpStartPartitionModule\+0x4 MOV \[/);
    const value = await rowsOf(session, lookup, { constant: 'PartitionCount' });
    assert.deepEqual(value.rows, [{ field: 0, address: truth.partitions, type: 'unsigned int' }]);
    assert.ok(resolver.complete('Partition').includes('PartitionCount'));
    session.close();
  });
}

const published = sharedData('profiles-newer', 'v1.0', 'nt', 'undocumented.gz');
test('the rules that the original published find the members in our code, too', { skip: published.skip }, async () => {
  const session = new Session({ filename: ruledProgram('x64'), profile: published.path, cache: 'memory' });
  const truth = await ruledTruth(session);
  const entry = (await session.kernel()).profile.struct('_IMAGE_ENTRY_IN_SESSION');
  assert.deepEqual([...entry.members].map(([name, { offset }]) => [name, offset]), [['Address', truth.address], ['ImageCountInThisSession', truth.count]]);
  assert.match(entry.layout.missing?.get('SessionId') ?? '', /no instruction fits rule 1 of 7 \(MOV\)/);
  session.close();
});

test('rules that a profile takes over from another find in a real function what its PDB names', { skip: replicaSkip }, async () => {
  const key = 'nt/GUID/F8E2A8B5C9B74BF4A6E4A48F180099942';
  const own = gunzipSync(readFileSync(sharedData('profiles', 'v1.0', `${key}.gz`).path)).toString('latin1').replace('{', '{"$MERGE": ["nt/undocumented"],');
  const repository = join(folder, 'replica');
  mkdirSync(join(repository, 'v1.0/nt/GUID'), { recursive: true });
  writeFileSync(join(repository, 'v1.0', key), own, 'latin1');
  const routines = [instruction('LEA', reg('$list'), at('RIP', { address: '$out' })), instruction('LEA', null, at('$list', { index: 'RBX', scale: 8 })), call('nt!ExCompareExchangeCallBack')];
  const sections = {
    $DYNAMIC_CONSTANTS: {
      Routines: [constant('nt!PsSetLoadImageNotifyRoutine', routines)],
      RoutineLimit: [constant('nt!PsSetLoadImageNotifyRoutine', [call('nt!ExCompareExchangeCallBack'), instruction('CMP', reg('EBX'), number('$out'))])],
      // LOCK is no part of a mnemonic.
      RoutineCount: [constant('nt!PsSetLoadImageNotifyRoutine', [instruction('ADD', at('RIP', { address: '$out' }), number(1)), instruction('TEST', reg('AL'), number(1))])],
    },
    $DYNAMIC_STRUCTS: { _EPROCESS: [struct('nt!PsSetLoadImageNotifyRoutine', { ImageFileName: ['Pointer'], Unknown: ['unsigned int'] }, [instruction('MOV', at('RSP', { disp: '$ImageFileName' }), reg('RBX')), instruction('MOV', reg('RBX'), at('RSP', { disp: '$Unknown' }))], { max_separation: 100 })] },
  };
  profile('replica/v1.0/nt/undocumented', sections);
  rmSync(join(repository, 'v1.0/nt/undocumented'), { force: true });
  writeFileSync(join(repository, 'v1.0/nt/undocumented'), readFileSync(join(repository, 'v1.0/nt/undocumented.json')));
  const session = await replicaSession({ repository_path: [repository, sharedData('profiles').path] });
  const { profile: nt } = await session.kernel();
  assert.equal(nt.address('Routines'), nt.address('PspLoadImageNotifyRoutine'));
  assert.equal(nt.address('RoutineCount'), nt.address('PspLoadImageNotifyRoutineCount'));
  assert.equal(nt.address('RoutineLimit'), 8n);
  // What the PDB says stays; what it lacks is added.
  const process = nt.struct('_EPROCESS');
  assert.equal(process.offsetOf('ImageFileName'), 0x2e0);
  assert.equal(process.offsetOf('Unknown'), 0x30);
  session.close();
});

test("a driver's rules are followed in its own code, by names of the modules around it", async () => {
  const first = new Session({ filename: sampleImage, cache: 'memory' });
  const watch = (await first.resolver()).moduleNamed('watch');
  assert.ok(watch instanceof PeNames && watch.debug);
  const entry = first.physical() && watch.start; // its header says where it begins
  const rva = (await first.kernel()).space.readU32(entry + BigInt((await first.kernel()).space.readU32(entry + 0x3cn)) + 0x28n);
  const routine = (registrar: string): Rule[] => [instruction('LEA', reg('RCX'), at('RIP', { address: '$out' })), call(`~0x[0-9a-f]+ watch!.* -> nt!${registrar}$`)];
  profile('sample/v1.0/watch/GUID/profile', {
    $FUNCTIONS: { DriverEntry: rva },
    $DYNAMIC_CONSTANTS: { OnImage: [constant('watch!DriverEntry', routine('PsSetLoadImageNotifyRoutine'), { max_separation: 1 })] },
    $DYNAMIC_STRUCTS: { _FRAME: [struct('watch.sys!DriverEntry', { Size: ['unsigned int'] }, [instruction('SUB', reg('RSP'), number('$Size'))])] },
  });
  const key = guidAge(watch.debug);
  first.close();
  const place = join(folder, 'sample/v1.0/watch/GUID');
  writeFileSync(join(place, key), readFileSync(join(place, 'profile.json')));
  const session = new Session({ filename: sampleImage, repository_path: [join(folder, 'sample')], cache: 'memory' });
  const truth = sampleTruth().callbacks.find((one) => one.kind === 'PspLoadImageNotifyRoutine' && one.module === 'watch.sys');
  assert.equal(await (await session.resolver()).address('watch!OnImage'), BigInt(truth?.address ?? 0));
  const { rows, run: { notes } } = await rowsOf(session, dt, { target: 'watch!_FRAME' });
  assert.deepEqual(rows.map((row) => [row['offset'], row['field']]), [[0x28, 'Size']]);
  assert.match(notes.join('\n'), /Size by watch!DriverEntry SUB RSP, 0x28/);
  // Types that the driver's profile lacks are the kernel's.
  assert.ok((await rowsOf(session, dt, { target: 'watch!_LIST_ENTRY' })).rows.length === 2);
  session.close();
});
