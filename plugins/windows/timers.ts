import { Absent, orElse } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import { driverAt, OUTSIDE } from '../../src/kernel/windows/system/modules.js';
import { interruptMoment } from '../../src/kernel/windows/find/shared-data.js';
import { kernelTimers } from '../../src/kernel/windows/system/timers.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

/** Faults that are told one by one. */
const TOLD = 5;

export const timers = definePlugin({
  name: 'timers',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'timers that are set in the kernel, with the routines that they will call',
  notes:
    'Until Vista the lists at nt!KiTimerTableListHead, since Windows 7 those in each _KPRCB.TimerTable. Timers that only wake a thread are left out (all=true shows them). On x64 the pointer to the deferred ' +
    'call is encoded with nt!KiWaitNever and nt!KiWaitAlways, and decoded here. due counts 100 ns since the start; due_time is the same by the system clock of the image. hooked: the routine is outside of all modules.',
  args: {
    all: arg.bool('also timers that call nothing', { default: false }),
    hooked: arg.bool('only those whose routine is outside of all modules', { default: false }),
  },
  columns: {
    Tbl: col.int('number of the list', { minor: true }),
    cpu: col.int('the processor whose list it is', { hidden: true }),
    _KTIMER: col.struct('_KTIMER', 'the timer'),
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
    comment: col.string('where the routine is instead'),
  },
  examples: [{ line: 'timers' }, { line: 'timers hooked=true', doc: 'routines that no module has' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const resolver = await context.session.resolver(null);
    const faults: string[] = [];
    let shown = 0;
    let waiting = 0;
    let calling = 0;
    for (const { table, cpu, timer, dpc } of kernelTimers(kernel, (what) => faults.push(what))) {
      if (!dpc) waiting++;
      else calling++;
      // Absent flies out of a cell that needs the call.
      const call = (): Struct | null => {
        if (dpc instanceof Absent) throw dpc;
        return dpc ?? null;
      };
      const routine = orElse(() => call()?.$pointer('DeferredRoutine'), undefined);
      const owner = routine === undefined ? undefined : driverAt(kernel, routine);
      const hooked = routine !== undefined && !owner;
      if (args.hooked ? !hooked : !dpc && !args.all) continue;
      shown++;
      yield {
        Tbl: table,
        cpu: cpu ?? null,
        _KTIMER: timer,
        due: () => dueTime(timer),
        due_time: () => interruptMoment(kernel, dueTime(timer)),
        period: () => Number(timer.$get('Period')),
        sig: () => Number((timer.$get('Header') as Struct).$get('SignalState')) !== 0,
        _KDPC: call,
        routine: () => call()?.$pointer('DeferredRoutine') ?? null,
        argument: () => call()?.$pointer('DeferredContext') ?? null,
        symbol: () => (routine === undefined ? null : (resolver.name(routine) ?? null)),
        module: owner?.name ?? null,
        hooked,
        comment: hooked ? OUTSIDE : null,
      };
    }
    for (const what of faults.slice(0, TOLD)) context.note(`${what}.`);
    if (faults.length > TOLD) context.note(`… and ${faults.length - TOLD} more like these.`);
    if (shown > 0) return;
    if (args.hooked && calling > 0) context.note(`The routines of all ${calling} timers that call one are in modules.`);
    else if (waiting > 0) context.note(`None of ${waiting} timers calls anything: they wake threads (all=true shows them).`);
    else if (faults.length === 0) context.note('No timer is set.');
  },
});

/** `_ULARGE_INTEGER` */
function dueTime(timer: Struct): bigint {
  return timer.$space.readU64(timer.$addressOf('DueTime'));
}
