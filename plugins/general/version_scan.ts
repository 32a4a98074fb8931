import { turn } from '../../src/memory/breathe.js';
import { guidAge, type RsdsRecord, rsdsSteps } from '../../src/kernel/windows/find/rsds.js';
import { openFile } from '../../src/memory/image/open.js';
import { openRaw } from '../../src/memory/image/raw.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Session } from '../../src/session/session.js';

/** Bytes between two looks at Ctrl-C and the progress line: some 10 ms of searching. */
const SLICE = 32 * 1024 * 1024;

export const versionScan = definePlugin({
  name: 'version_scan',
  needs: 'none',
  topic: 'profile',
  summary: 'finds the debug records of Windows executables: GUID, age and PDB, by which symbols are chosen',
  notes:
    'Looks for CV_INFO_PDB70 (RSDS, GUID, age, name of the PDB), which the linker leaves in every executable that has a PDB, in all of physical memory, or in a file of any kind. No profile and no ' +
    'kernel is needed. Records with a name that is no printable text ending in .pdb, or an age above 65,535, are chance hits and left out. A record that crosses a page of an image may continue elsewhere.',
  args: {
    name_regex: arg.regex('only PDBs whose name matches', { default: /./i, narrows: { by: 'match', columns: ['pdb'] } }),
    scan_filename: arg.path('look through this file (an executable, a page file) instead of the image', { positional: true, completes: 'path' }),
  },
  columns: {
    offset: col.physical('where the record stands: physical address, or offset in the file', { title: 'Offset (P)' }),
    guid: col.string('GUID and age, as symbol servers and profile repositories write them', { title: 'GUID/Version', width: 33, whole: true }),
    pdb: col.string('name of the PDB', { title: 'PDB' }),
    path: col.string("the same with the path on the builder's machine", { hidden: true }),
  },
  examples: [{ line: 'version_scan name_regex=krnl', doc: 'the kernels' }],
  async *collect(context, args) {
    const { space, close } = opened(context.session, args.scan_filename);
    try {
      let found = 0;
      for await (const record of records(space, context)) {
        if (!args.name_regex.test(record.pdb)) continue;
        found++;
        yield { offset: record.physical, guid: guidAge(record), pdb: record.pdb, path: record.path };
      }
      if (space.runs.length === 0) context.note('The image holds no physical memory (a triage dump has parts of virtual memory): scan_filename=FILE looks through its file as it is.');
      else if (found === 0 && !context.signal.aborted) context.note(`No debug record ${args.name_regex.source === '.' ? '' : `of a PDB named /${args.name_regex.source}/ `}was found.`);
    } finally {
      close();
    }
  },
});

/** Records in the order of their addresses, a slice at a time. */
async function* records(space: PhysicalSpace, context: PluginContext): AsyncGenerator<RsdsRecord> {
  const total = space.runs.reduce((sum, run) => sum + run.end - run.start, 0);
  let done = 0;
  for (const run of space.runs) {
    for (let from = run.start; from < run.end; from += SLICE) {
      const to = Math.min(from + SLICE, run.end);
      // A signature may begin in the last bytes of a slice.
      for (const record of rsdsSteps(space, from, Math.min(to + 3, run.end))) if (record) yield record;
      done += to - from;
      context.progress({ done, total, unit: 'bytes' }, 'debug records');
      await turn();
      if (context.signal.aborted) return;
    }
  }
}

function opened(session: Session, file: string | undefined): { space: PhysicalSpace; close: () => void } {
  if (file === undefined) return { space: session.physical(), close: () => undefined };
  const path = session.path(file);
  try {
    const space = new PhysicalSpace(openRaw(openFile(path)));
    return { space, close: () => space.close() };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error || error.name === 'ImageError')) throw error;
    throw new PluginError(`${path} cannot be read: ${error.message}`, 'version_scan scan_filename=FILE');
  }
}
