/**
 * A plugin to begin with: copy this file into a folder, name the folder in ~/.rekallrc (plugin_path: [~/rekall-plugins]), change it.
 * docs/plugins.md says what the parts mean.
 */
import { definePlugin, arg, col, filePath, linuxOf, processArgs, selectProcesses } from 'rekall';

export default definePlugin({
  // What is typed: lower case, words joined by _.
  name: 'deleted_executables',
  // The systems it reads; 'kernel': any, 'image': no kernel is needed, 'none': not even an image.
  needs: ['linux'],
  // Under which heading `help` lists it: processes, network, files, kernel, memory, profile, session.
  topic: 'processes',
  summary: 'processes whose executable was deleted while they run',
  // For `deleted_executables??`: how it works, its sources, its limits.
  notes: 'mm_struct.exe_file leads to the dentry of the executable; one that is unhashed has been removed (include/linux/dcache.h).',
  args: {
    // pids, proc_regex, task, method, as every command on processes has them.
    ...processArgs,
    under: arg.string('only executables whose path begins with this'),
  },
  columns: {
    proc: col.struct('task_struct', 'the process'),
    pid: col.int('process id   task_struct.tgid', { hidden: true }),
    path: col.string('path of the executable   mm_struct.exe_file'),
    start_code: col.address('where its code begins   mm_struct.start_code'),
  },
  // Shown by `deleted_executables?`.
  examples: [{ line: 'deleted_executables' }, { line: 'deleted_executables under=/tmp', doc: 'only those from /tmp' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    let looked = 0;
    for (const task of selectProcesses(context, args)) {
      // A kernel thread has no memory of its own.
      const file = task.mm?.exe_file;
      if (!file) continue;
      looked++;
      const path = filePath(kernel, file);
      if (!path.endsWith(' (deleted)') || !path.startsWith(args.under ?? '')) continue;
      yield {
        proc: task,
        pid: task.tgid,
        path,
        // A function is called only when somebody looks at the column; memory that is not there costs this cell alone.
        start_code: () => (task.mm ? BigInt(task.mm.start_code) : null),
      };
    }
    // An empty table never comes without a note.
    if (looked === 0) context.note('None of these processes has an executable: they are threads of the kernel.');
  },
});
