import { orElse } from '../../src/memory/absent.js';
import { callbacks } from '../../src/kernel/windows/system/callbacks/callbacks.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { codePlaces } from '../../src/plugin/windows-code.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const callbacksPlugin = definePlugin({
  name: 'callbacks',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'routines that drivers had the kernel call: on new processes, threads and images, registry access, handles, shutdown, bug checks …',
  notes:
    'Each table and list is looked up by its symbol in the profile of this very kernel: nothing is searched for, and no code is disassembled. Tables of _EX_FAST_REF (PspCreateProcessNotifyRoutine, PspCreateThreadNotifyRoutine, PspLoadImageNotifyRoutine, ' +
    'CmpCallBackVector, DbgkLmdCallbacks …), lists (CallbackListHead, KeBugCheck…, IopNotify…, Iop…FileSystemQueueHead, IopTimerQueueHead, IopSessionNotificationQueueHead, Pnp…NotifyList, PopRegisteredPowerSettingCallbacks, RtlpDebugPrintCallbackList …), chains (SeFileSystemNotifyRoutinesHead, ' +
    'KiNmiCallbackListHead …), the CallbackList of each object type (ObRegisterCallbacks), and callback objects: of the namespace, and those that ExpCallbackListHead has besides. Shutdown packets and file systems name a device: shown is what its driver serves the request with. ' +
    'Structures that public symbols lack are laid out by the WDK and the WRK; their sources stand in src/kernel/windows/undocumented.ts.',
  args: {
    type_regex: arg.regex('only of tables and lists whose name matches: Psp, CallbackList …', { positional: true }),
    outside: arg.bool('only routines outside of all modules', { default: false }),
  },
  columns: {
    type: col.string('where the kernel keeps it'),
    offset: col.address('address of its record', { hidden: true }),
    callback: col.address('the routine'),
    symbol: col.string('the symbol there; in brackets what is wrong, where there is no module'),
    outside: col.string('what is wrong, for one outside of all modules: a driver was unloaded from there, user mode …', { hidden: true }),
    details: col.string('what else the record says: altitude, component, driver, name …', { minor: true }),
    module: col.string('the module it lies in', { hidden: true }),
    api: col.string('the function that registers such routines', { hidden: true }),
  },
  examples: [{ line: 'callbacks' }, { line: 'callbacks outside=true' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const place = await codePlaces(context);
    const unmade = new Set<string>();
    let found = 0;
    let shown = 0;
    for (const one of callbacks(kernel, (what) => context.note(`${what}.`), (symbol) => unmade.add(symbol))) {
      found++;
      if (args.type_regex && !args.type_regex.test(one.type)) continue;
      const where = orElse(() => place(one.callback()), undefined);
      if (args.outside && where?.fault === undefined) continue;
      shown++;
      yield {
        type: one.type,
        offset: one.offset,
        callback: () => one.callback(),
        symbol: where?.symbol ?? (where?.fault === undefined ? null : `(${where.fault})`),
        outside: where?.fault ?? null,
        details: () => one.details?.() ?? null,
        module: where?.module ?? null,
        api: one.api,
      };
    }
    if (unmade.size > 0) context.note(`Lists whose heads are null, never made: ${[...unmade].join(', ')}.`);
    if (found === 0) context.note('No callbacks: the profile has none of their symbols, or what they name is not in this image.');
    else if (shown === 0) context.note(`None of ${found} callbacks ${args.outside ? 'lies outside of all modules' : 'is of such a table'}.`);
  },
});
