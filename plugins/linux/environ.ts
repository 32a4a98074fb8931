import { Absent, orAbsent } from '../../src/memory/absent.js';
import { environment } from '../../src/kernel/linux/arguments.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { noteWithoutMemory, processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const environ = definePlugin({
  name: 'environ',
  aliases: ['envars'],
  needs: ['linux'],
  topic: 'processes',
  summary: 'environment variables of processes, as /proc/PID/environ shows them',
  notes:
    'Read from the memory of the process (mm_struct.env_start to env_end): what it was started with. What a program sets later (setenv) lies in its heap, ' +
    'and is not here.',
  args: processRowArgs,
  columns: {
    divider: col.string('the process', { divider: true }),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
    pid: col.int('process id                 task_struct.tgid'),
    name: col.string("process's name             task_struct.comm"),
    variable: col.string('name of the variable       mm_struct.env_start'),
    value: col.string('its value                  mm_struct.env_start'),
  },
  examples: [{ line: 'environ 1' }, { line: 'environ proc_regex=labsleep' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    let withoutMemory = 0;
    for (const task of selectProcesses(context, args)) {
      const pid = orAbsent(() => task.tgid);
      const name = orAbsent(() => task.comm);
      const divider = `${String(name)} (${String(pid)})`;
      const found = orAbsent(() => environment(kernel, task));
      if (found instanceof Absent) {
        context.note(`The environment of ${divider} cannot be read: ${found.toString()}`);
        continue;
      }
      if (!found) withoutMemory++;
      if (found?.complete === false) context.note(`The environment of ${divider} is only partly in the image.`);
      for (const { variable, value } of found?.variables ?? []) yield { divider, proc: task, pid, name, variable, value };
    }
    noteWithoutMemory(context, args, withoutMemory);
  },
});
