import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { utsNamespaces, utsNumber } from '../../src/kernel/linux/uts.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const hostname = definePlugin({
  name: 'hostname',
  needs: ['linux'],
  topic: 'kernel',
  summary: "the machine's name, and the names that containers have instead",
  notes: 'init_uts_ns first, then every other UTS namespace that a process is in.',
  args: {},
  columns: {
    hostname: col.string('name of the machine            uts_namespace.name.nodename'),
    domainname: col.string('NIS domain                     uts_namespace.name.domainname'),
    release: col.string('as uname -r prints it          uts_namespace.name.release'),
    version: col.string('as uname -v prints it          uts_namespace.name.version', { hidden: true }),
    machine: col.string('as uname -m prints it          uts_namespace.name.machine'),
    uts_ns: col.int('number of the UTS namespace      uts_namespace.ns.inum'),
    processes: col.int('how many processes are in it'),
    pids: col.list('their ids', { hidden: true }),
  },
  examples: [{ line: 'hostname' }],
  *collect(context) {
    const kernel = linuxOf(context);
    const options = { onFault: context.note };
    for (const { namespace, pids } of untilAbsent('the UTS namespaces', () => utsNamespaces(kernel, options), options)) {
      yield {
        hostname: () => namespace.name.nodename,
        domainname: () => namespace.name.domainname,
        release: () => namespace.name.release,
        version: () => namespace.name.version,
        machine: () => namespace.name.machine,
        uts_ns: () => utsNumber(namespace),
        processes: pids.length,
        pids,
      };
    }
  },
});
