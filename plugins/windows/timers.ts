import { Absent, orAbsent } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import { driverAt, OUTSIDE } from '../../src/kernel/windows/system/modules.js';
import { interruptMoment } from '../../src/kernel/windows/find/shared-data.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { kernelTimers } from '../../src/kernel/windows/system/timers.js';
import { hasUnknownTimers2, timers2 } from '../../src/kernel/windows/system/timers2.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

/** Units of 100 ns in one of milliseconds. */
const TICKS = 10_000;
/** Faults that are told one by one. */
const TOLD = 5;

export const timers = definePlugin({
  name: 'timers',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'timers that are set in the kernel, with the routines that they will call',
  notes:
    'Until Vista the lists at nt!KiTimerTableListHead, since Windows 7 those in each _KPRCB.TimerTable. Timers that only wake a thread are left out (all=true shows them). On x64 the pointer to the deferred ' +
    'call is encoded with nt!KiWaitNever and nt!KiWaitAlways, and decoded here. due counts 100 ns since the start; due_time is the same by the system clock of the image. hooked: the routine is outside of all modules. ' +
    'Then, since Windows 8.1, the timers that ExAllocateTimer makes (nt!KiTimer2Collections), by collection instead of list: comment says so, and what they are for.',
  args: {
    all: arg.bool('also timers that call nothing', { default: false }),
    hooked: arg.bool('only those whose routine is outside of all modules', { default: false }),
  },
  columns: {
    Tbl: col.int('number of the list', { minor: true }),
    cpu: col.int('the processor whose list it is', { hidden: true }),
    _KTIMER: col.struct('_KTIMER', 'the timer'),
    _KTIMER2: col.struct('_KTIMER2', 'the timer, of one that ExAllocateTimer made', { hidden: true }),
    kind: col.string('ExAllocateTimer, and what for   _KTIMER2.TypeFlags', { hidden: true }),
    due: col.int('when it is due, in 100 ns since the start   _KTIMER.DueTime', { hex: true, hidden: true }),
    due_time: col.time('when it is due   by _KUSER_SHARED_DATA.SystemTime, InterruptTime'),
    period: col.int('it is set again after so long; 0: once   _KTIMER.Period', { unit: 'ms' }),
    sig: col.bool('it was due   _DISPATCHER_HEADER.SignalState', { hidden: true }),
    _KDPC: col.struct('_KDPC', 'the deferred call   _KTIMER.Dpc, decoded', { hidden: true }),
    routine: col.address('what it calls   _KDPC.DeferredRoutine'),
    argument: col.address('what the routine is given   _KDPC.DeferredContext', { hidden: true }),
    symbol: col.string('the symbol there'),
    module: col.string('the module that it is in', { minor: true }),
    hooked: col.bool('the routine is outside of all modules'),
    comment: col.string('what kind of timer it is, where it is no plain one; where the routine is instead'),
  },
  examples: [{ line: 'timers' }, { line: 'timers hooked=true', doc: 'routines that no module has' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const resolver = await context.session.resolver(null);
    const faults: string[] = [];
    let shown = 0;
    let waiting = 0;
    let calling = 0;
    for (const { routine, ...one } of allTimers(kernel, (what) => faults.push(what))) {
      if (routine === undefined) waiting++;
      else calling++;
      const owner = typeof routine === 'bigint' ? driverAt(kernel, routine) : undefined;
      const hooked = typeof routine === 'bigint' && !owner;
      if (args.hooked ? !hooked : routine === undefined && !args.all) continue;
      shown++;
      const { timer } = one;
      yield {
        Tbl: one.table,
        cpu: one.cpu ?? null,
        _KTIMER: one.kind === undefined ? timer : null,
        _KTIMER2: one.kind === undefined ? null : timer,
        kind: one.kind ?? null,
        due: () => dueTime(timer),
        due_time: () => interruptMoment(kernel, dueTime(timer)),
        period: one.period,
        sig: () => Number((timer.$get('Header') as Struct).$get('SignalState')) !== 0,
        _KDPC: one.dpc ?? null,
        routine: routine ?? null,
        argument: one.argument,
        symbol: typeof routine === 'bigint' ? (resolver.name(routine) ?? null) : null,
        module: owner?.name ?? null,
        hooked,
        comment: [one.kind, hooked && OUTSIDE].filter(Boolean).join(', ') || null,
      };
    }
    if (hasUnknownTimers2(kernel)) context.note('Timers made by ExAllocateTimer are not listed: the profile of this kernel does not tell their layout (_KTIMER2).');
    for (const what of faults.slice(0, TOLD)) context.note(`${what}.`);
    if (faults.length > TOLD) context.note(`… and ${faults.length - TOLD} more like these.`);
    if (shown > 0) return;
    if (args.hooked && calling > 0) context.note(`The routines of all ${calling} timers that call one are in modules.`);
    else if (waiting > 0) context.note(`None of ${waiting} timers calls anything: they wake threads (all=true shows them).`);
    else if (faults.length === 0) context.note('No timer is set.');
  },
});

interface AnyTimer {
  readonly table: number;
  readonly cpu?: number | undefined;
  readonly timer: Struct;
  /** of a `_KTIMER2` what it is */
  readonly kind?: string;
  readonly dpc?: Struct | Absent | undefined;
  readonly routine: bigint | Absent | undefined;
  readonly argument: () => bigint | null;
  /** ms */
  readonly period: () => number;
}

/** Those of the tables, and then those of the collections. */
function* allTimers(kernel: WindowsKernel, onFault: (what: string) => void): Generator<AnyTimer> {
  for (const { table, cpu, timer, dpc } of kernelTimers(kernel, onFault)) {
    // Absent flies out of a cell that needs the call.
    const call = (member: string): bigint | undefined => {
      if (dpc instanceof Absent) throw dpc;
      return dpc?.$pointer(member);
    };
    yield { table, cpu, timer, dpc, routine: orAbsent(() => call('DeferredRoutine')), argument: () => call('DeferredContext') ?? null, period: () => Number(timer.$get('Period')) };
  }
  for (const { collection, timer, purpose, routine, argument } of timers2(kernel, onFault)) {
    yield { table: collection, timer, kind: ['ExAllocateTimer', purpose].filter(Boolean).join(', '), routine, argument, period: () => Math.ceil(Number(timer.$get('Period')) / TICKS) };
  }
}

/** The time of a timer when it is due: `_ULARGE_INTEGER`, or the first of two words. */
function dueTime(timer: Struct): bigint {
  return timer.$space.readU64(timer.$addressOf('DueTime'));
}
