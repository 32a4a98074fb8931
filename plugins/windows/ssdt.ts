import { Absent } from '../../src/memory/absent.js';
import { driverAt } from '../../src/kernel/windows/system/modules.js';
import { services, type ServiceTable, serviceTables } from '../../src/kernel/windows/system/ssdt.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const ssdt = definePlugin({
  name: 'ssdt',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'the tables of system services, with who answers each',
  notes:
    "The descriptors at nt!KeServiceDescriptorTable, …Shadow and, since Windows 10, …Filter; on x86 also those that only a thread has (_KTHREAD.ServiceTable). Table 0 is the kernel's, 1 win32k's, which is read " +
    'in each session. Entries are addresses on x86; on x64 distances from the table with the count of arguments on the stack in the low four bits. hooked: a service of table 0 is outside of the ' +
    'kernel, one of table 1 outside of win32k.',
  args: {
    hooked: arg.bool('only services that are not where they belong', { default: false }),
  },
  columns: {
    divider: col.string('the table', { divider: true }),
    table: col.int('number of the table', { hidden: true }),
    session: col.int("the session that win32k's table was read in", { hidden: true }),
    entry_obj: col.address('address of the entry', { hidden: true }),
    entry: col.int('number of the entry', { hex: true }),
    number: col.int('the service number that programs use', { hex: true, hidden: true }),
    target: col.address('where the service is'),
    symbol: col.string('the symbol there'),
    module: col.string('the module that it is in', { minor: true }),
    args: col.int('arguments; x64: those on the stack   nt!KiArgumentTable', { minor: true }),
    hooked: col.bool('it is not where it belongs'),
    comment: col.string('where it is instead'),
  },
  examples: [{ line: 'ssdt' }, { line: 'ssdt hooked=true', doc: 'services that were replaced' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const resolver = await context.session.resolver(null);
    let faults = 0;
    const note = (what: string): void => {
      faults++;
      context.note(`${what}.`);
    };
    // Functions with the same code share an address: the service's own name is meant.
    const name = (address: bigint): string | null => resolver.names(address).find((one) => /![Nn]t/.test(one)) ?? resolver.name(address) ?? null;
    let shown = 0;
    let seen = 0;
    let drawing = false;
    for (const table of serviceTables(kernel, note)) {
      drawing ||= table.index === 1;
      for (const { index, entry, target, args: count, problem } of services(kernel, table)) {
        seen++;
        if (args.hooked && problem === undefined) continue;
        shown++;
        const address = target instanceof Absent ? undefined : target;
        yield {
          divider: title(table),
          table: table.index,
          session: table.session ?? null,
          entry_obj: entry,
          entry: index,
          number: table.index * 0x1000 + index,
          target,
          symbol: () => (address === undefined ? null : name(address)),
          module: address === undefined ? null : (driverAt(kernel, address)?.name ?? null),
          args: count ?? null,
          hooked: problem !== undefined,
          comment: problem ?? null,
        };
      }
    }
    if (!drawing && faults === 0) context.note('win32k has not brought its table: nt!KeServiceDescriptorTableShadow has none of number 1.');
    if (shown === 0 && seen > 0) context.note(`All ${seen} services are where they belong.`);
  },
});

function title({ index, base, limit, source, session }: ServiceTable): string {
  return `Table ${index} @ 0x${base.toString(16)}, ${limit} services, ${source}${session === undefined ? '' : `, session ${session}`}`;
}
