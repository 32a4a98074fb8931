import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gdt, idt } from '../../../plugins/windows/descriptors.js';
import { kpcr } from '../../../plugins/windows/kpcr.js';
import { kpcrProblem, processors } from '../../../src/kernel/windows/system/kpcr.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { Absent } from '../../../src/memory/absent.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Session } from '../../../src/session/session.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';
import { ForgedWindows, layoutSkip } from '../../support/windows-kernel.js';

const replica = replicaSkip ? undefined : await replicaSession();
after(() => replica?.close());

interface Cpu {
  readonly kpcr: string;
  readonly prcb: string;
  readonly idt: string;
  readonly gdt: string;
  readonly tss: string;
  readonly idt_entries: readonly { vector: number; address: string; name: string; dpl: number; ist: number; module: string; hooked: boolean }[];
}

const facts = (rows: readonly Row[], cpu = 0): Map<string, Row> => new Map(rows.filter((row) => row['cpu'] === cpu).map((row) => [String(row['property']), row]));

test('the control region of the replica and its tables', { skip: replicaSkip }, async () => {
  const { cpu, kernel } = replicaTruth<{ cpu: Cpu; kernel: { dtb: string } }>('system');
  const { rows } = await rowsOf(replica as Session, kpcr);
  const found = facts(rows);
  const addresses = ['Offset (V)', 'KPRCB', 'IDT', 'GDT', 'TSS', 'CR3/DTB'].map((property) => found.get(property)?.['address']);
  assert.deepEqual(addresses, [cpu.kpcr, cpu.prcb, cpu.idt, cpu.gdt, cpu.tss, kernel.dtb].map(BigInt));
  assert.equal(found.get('Verified')?.['value'], 'yes, found by KiProcessorBlock');
  assert.match(String(found.get('CurrentThread')?.['value']), / TID 1680 \(DumpIt\.exe:2860\)$/);
  assert.match(String(found.get('IdleThread')?.['value']), / \(Idle:0\)$/);
});

test('the interrupt table of the replica, entry by entry', { skip: replicaSkip }, async () => {
  const truth = replicaTruth<{ cpu: Cpu }>('system').cpu.idt_entries;
  const { rows } = await rowsOf(replica as Session, idt);
  assert.equal(rows.length, truth.length);
  for (const [vector, entry] of truth.entries()) {
    const row = rows[vector] as Row;
    const symbol = String(row['symbol']).replace(/^nt!|\+0x[0-9a-f]+$/g, '');
    assert.deepEqual([row['index'], row['address'], symbol, row['dpl'], row['ist'], row['module'], row['hooked']], [entry.vector, BigInt(entry.address), entry.name, entry.dpl, entry.ist, entry.module, entry.hooked]);
  }
  const hooked = await rowsOf(replica as Session, idt, { hooked: true });
  assert.deepEqual([hooked.rows.length, hooked.run.notes], [0, ['All 256 entries are as the system makes them.']]);
});

test('the segment table of the replica', { skip: replicaSkip }, async () => {
  const { tss } = replicaTruth<{ cpu: Cpu }>('system').cpu;
  const { rows } = await rowsOf(replica as Session, gdt);
  const at = new Map(rows.map((row) => [row['sel'], row]));
  assert.deepEqual([...at.keys()], [0x10, 0x18, 0x20, 0x28, 0x30, 0x40, 0x50]);
  assert.deepEqual([at.get(0x40)?.['base'], at.get(0x40)?.['type'], at.get(0x40)?.['limit']], [BigInt(tss), 'TSS busy', 0x67n]);
  assert.deepEqual([0x10, 0x20, 0x30].map((sel) => [at.get(sel)?.['type'], at.get(sel)?.['dpl'], at.get(sel)?.['comment']]), [['code RE accessed', 0, '64-bit code'], ['code RE accessed', 3, null], ['code RE accessed', 3, '64-bit code']]);
});

const dump = sharedData('windows', 'dumps', 'triage_x64.dmp');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');

test('the sixteen processors of a real Windows 10 dump, which holds one control region and a part of its interrupt table', { skip: dump.skip || isf.skip }, async () => {
  const session = new Session({ filename: dump.path, profile: isf.path, cache: 'memory' });
  const kernel = (await session.kernel()) as WindowsKernel;
  const all = processors(kernel);
  assert.deepEqual(all.map(({ number, problem }) => [number, problem]), Array.from({ length: 16 }, (_, number) => [number, number === 12 ? undefined : 'it is not in memory']));
  const { rows } = await rowsOf(session, kpcr);
  const twelfth = facts(rows, 12);
  assert.deepEqual([twelfth.get('IDT')?.['address'], twelfth.get('GDT')?.['address'], twelfth.get('Details')?.['value']], [0xffff9b0002dcd000n, 0xffff9b0002dcffb0n, 'CPU 12 (AuthenticAMD @ 3593 MHz)']);
  // The others' tables are known by the registers that their blocks have.
  assert.ok(facts(rows, 3).get('TSS')?.['address'] instanceof Absent);
  assert.equal(facts(rows, 3).get('IDT')?.['address'], 0xffff9b00024cd000n);
  const table = await rowsOf(session, idt);
  const names = table.rows.map((row) => String(row['symbol']));
  assert.deepEqual([names.length, names[0], names[2], names[8], names[14], names[15]], [16, 'nt!KiDivideErrorFault', 'nt!KiNmiInterrupt', 'nt!KiDoubleFaultAbort', 'nt!KiPageFault', 'nt!KiIsrThunk+0x78']);
  assert.ok(table.rows.every((row) => row['hooked'] === false && row['module'] === 'ntoskrnl.exe'));
  assert.deepEqual([table.run.notes[0], table.run.notes.at(-1)], ['the interrupt table of processor 0 at 0xfffff804808e0000 is not in memory.', '… and so for 13 more.']);
  session.close();
});

/** XP: a table of 32-bit gates with a task, a device's interrupt, and four entries that no system makes. */
async function forgedXp(): Promise<ForgedWindows> {
  const forge = await ForgedWindows.of('xp');
  const { image } = forge;
  const [table, segments, task, object, foreign] = [image.room(0x800, 4096), image.room(0x400, 4096), image.room(0x68), image.room(forge.size('_KINTERRUPT')), image.room(4096)];
  const { prcb } = forge.processor(0, 0xffdff000n);
  forge.set('_KPCR', 0xffdff000n, { IDT: table, GDT: segments });
  forge.set('_KPRCB', prcb, { 'ProcessorState.SpecialRegisters.Idtr.Base': table, 'ProcessorState.SpecialRegisters.Idtr.Limit': [2, 0x7ff] });
  const gate = (vector: number, handler: bigint, access = 0x8e00, selector = 8): void => {
    forge.put(table + BigInt(vector * 8), 4, Number(handler & 0xffffn) + selector * 0x10000);
    forge.put(table + BigInt(vector * 8 + 4), 4, access + Number((handler >> 16n) & 0xffffn) * 0x10000);
  };
  const segment = (selector: number, base: bigint, limit: number, access: number, flags = 0): void => {
    forge.put(segments + BigInt(selector), 4, (limit & 0xffff) + Number(base & 0xffffn) * 0x10000);
    forge.put(segments + BigInt(selector + 4), 4, Number((base >> 16n) & 0xffn) + access * 0x100 + (limit & 0xf0000) + flags * 0x100000 + Number(base >> 24n) * 0x1000000);
  };
  segment(0x08, 0n, 0xfffff, 0x9b, 0xc);
  segment(0x20, 0xf8000000n, 0xfffff, 0x9b, 0xc);
  segment(0x30, 0xffdff000n, 1, 0x93, 0xc);
  segment(0x50, task, 0x68, 0x89);
  // A call gate for programs.
  forge.put(segments + 0x60n, 4, Number(foreign & 0xffffn) + 8 * 0x10000);
  forge.put(segments + 0x64n, 4, 0xec00 + Number((foreign >> 16n) & 0xffffn) * 0x10000);
  forge.put(task + 0x20n, 4, forge.at('KiTrap08'));
  gate(0, forge.at('KiTrap00'));
  gate(1, foreign);
  gate(3, forge.at('KiTrap03'), 0xee00);
  gate(8, 0n, 0x8500, 0x50);
  gate(0x0e, 0xf8000010n);
  gate(0x2e, forge.at('KiSystemService'), 0xee00);
  forge.set('_KINTERRUPT', object, { Type: [2, 22], Size: [2, forge.size('_KINTERRUPT')], ServiceRoutine: 0xf8000040n });
  gate(0x31, forge.member('_KINTERRUPT', object, 'DispatchCode'));
  gate(0x40, 0x10n, 0x8e00, 0x20);
  gate(0x41, forge.at('KiTrap00'), 0xee00);
  forge.modules([
    { name: 'ntoskrnl.exe', base: forge.base, size: 0x200000 },
    { name: 'i8042prt.sys', base: 0xf8000000n, size: 0xd000 },
  ]);
  return forge;
}

test('gates of x86: tasks, device interrupts, segments with a base; what no system makes is marked', { skip: layoutSkip('xp') }, async () => {
  const forge = await forgedXp();
  const session = forge.session();
  const { rows } = await rowsOf(session, idt);
  assert.equal(rows.length, 256);
  const at = (vector: number): unknown[] => ['address', 'type', 'module', 'hooked', 'comment'].map((column) => rows[vector]?.[column]);
  const nt = 'ntoskrnl.exe';
  assert.deepEqual(at(0), [forge.at('KiTrap00'), 'interrupt', nt, false, null]);
  assert.deepEqual(at(1).slice(2), [null, true, 'the handler is outside of all modules']);
  assert.deepEqual(at(3), [forge.at('KiTrap03'), 'interrupt', nt, false, null]);
  assert.deepEqual(at(8), [forge.at('KiTrap08'), 'task', nt, false, null]);
  assert.deepEqual(at(0x0e).slice(2), ['i8042prt.sys', true, 'an exception that i8042prt.sys handles instead of the kernel']);
  assert.deepEqual(at(0x2e).slice(3), [false, null]);
  assert.deepEqual([...at(0x31).slice(2), rows[0x31]?.['isr'], rows[0x31]?.['symbol'], rows[0x31]?.['handler_symbol']], ['i8042prt.sys', false, null, 0xf8000040n, 'i8042prt+0x40', null]);
  assert.deepEqual(at(0x40), [0xf8000010n, 'interrupt', 'i8042prt.sys', true, "its segment 0x20 is not the kernel's code"]);
  assert.deepEqual(at(0x41).slice(3), [true, 'programs may raise it']);
  assert.deepEqual([rows[5]?.['present'], rows[5]?.['address']], [false, null]);
  const hooked = await rowsOf(session, idt, { hooked: true });
  assert.deepEqual(hooked.rows.map((row) => row['index']), [1, 0x0e, 0x40, 0x41]);
});

test('segments of x86, and a call gate', { skip: layoutSkip('xp') }, async () => {
  const { rows } = await rowsOf((await forgedXp()).session(), gdt);
  const shown = rows.map((row) => ['sel', 'base', 'limit', 'type', 'dpl', 'gr', 'hooked'].map((column) => row[column]));
  assert.deepEqual(shown.slice(0, 4).map(([sel, base, limit, type]) => [sel, base, limit, type]), [
    [0x08, 0n, 0xffffffffn, 'code RE accessed'],
    [0x20, 0xf8000000n, 0xffffffffn, 'code RE accessed'],
    [0x30, 0xffdff000n, 0x1fffn, 'data RW accessed'],
    [0x50, rows[3]?.['base'], 0x68n, 'TSS available'],
  ]);
  assert.deepEqual([rows[4]?.['sel'], rows[4]?.['type'], rows[4]?.['dpl'], rows[4]?.['hooked']], [0x60, 'call gate', 3, true]);
  assert.match(String(rows[4]?.['comment']), /^leads to 0x8:0x[0-9a-f]+, outside of all modules$/);
});

test('a control region that names another is not believed; without a table XP has a fixed address', { skip: layoutSkip('xp') }, async () => {
  const forge = await forgedXp();
  let kernel = forge.kernel();
  assert.equal(kpcrProblem(kernel.profile, kernel.space, 0xffdff000n), undefined);
  assert.match(kpcrProblem(kernel.profile, kernel.space, 0xffdfe000n) ?? '', /not in memory/);
  forge.image.pointer(forge.at('KiProcessorBlock'), 0n);
  kernel = forge.kernel();
  const told: string[] = [];
  const [first] = processors(kernel, (what) => told.push(what));
  assert.deepEqual([first?.pcr.$address, first?.method, first?.problem], [0xffdff000n, 'fixed address', undefined]);
  assert.ok(told.some((what) => what.includes('gives no processor')));
  forge.set('_KPCR', 0xffdff000n, { SelfPcr: 0x1234n });
  const { rows, run } = await rowsOf(forge.session(), kpcr);
  assert.deepEqual([rows.length, run.notes.at(-1)], [0, 'nt!KiProcessorBlock gives no processor, and none was found otherwise.']);
  // A table that names one block for ever ends.
  const block = forge.member('_KPCR', 0xffdff000n, 'PrcbData');
  for (let number = 0; number < 32; number++) forge.image.pointer(forge.at('KiProcessorBlock') + BigInt(number * 4), block);
  forge.put(forge.at('KeNumberProcessors'), 1, 32);
  assert.equal(processors(forge.kernel()).length, 1);
});
