import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import { protectionText, VAD_TYPES, type VadFacts, vadFacts, vadFileName, vads } from '../../src/kernel/windows/memory/vad.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const vad = definePlugin({
  name: 'vad',
  needs: ['windows'],
  topic: 'memory',
  summary: 'the regions of address spaces, with their protection and what is mapped in them',
  notes:
    'The tree at _EPROCESS.VadRoot (AVL; since Windows 8.1 a balanced tree of _RTL_BALANCED_NODE), in order of addresses. The kind of a node is told by the pool tag in front of it: VadS and VadF have no section, ' +
    'Vad , Vadl and Vadm have. Protection is what the region was made with; pages may have been changed since (vtop shows them).',
  args: {
    ...windowsProcessRowArgs,
    regex: arg.regex('only regions whose mapped file matches', { narrows: { by: 'match', columns: ['filename'] } }),
    offset: arg.address('only the region that this address lies in', { completes: 'symbol' }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    VAD: col.struct('_MMVAD', 'the node', { minor: true }),
    lev: col.int('level in the tree, 1 for the root', { minor: true }),
    start: col.address('address of the first byte   _MMVAD.StartingVpn'),
    end: col.address('address of the last byte   _MMVAD.EndingVpn'),
    com: col.int('pages that are committed; -1: all   _MMVAD_FLAGS.CommitCharge', { unit: 'pages', minor: true }),
    type: col.string('Private, Mapped, or a kind of its own   _MMVAD_FLAGS.PrivateMemory, VadType'),
    exe: col.string('Exe for a mapped executable   _MMVAD_FLAGS.VadType'),
    protect: col.string('protection it was made with   _MMVAD_FLAGS.Protection'),
    filename: col.string('the mapped file   _SUBSECTION.ControlArea.FilePointer'),
    tag: col.string('pool tag of the node', { hidden: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'vad proc_regex=smss' }, { line: 'vad 208 offset=0x47a90000' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    let empty = 0;
    let all = 0;
    let shown = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const pid = pidOf(process) ?? null;
      let count = 0;
      for (const region of vads(kernel, process, (what) => context.note(`${what}.`))) {
        count++;
        all++;
        if (args.offset !== undefined && (args.offset < region.start || args.offset > region.end)) continue;
        const file = (): string | null => vadFileName(kernel, region);
        if (args.regex && !args.regex.test(orElse(file, null) ?? '')) continue;
        shown++;
        const facts = orAbsent(() => vadFacts(kernel, region));
        yield {
          _EPROCESS: process,
          VAD: region.node,
          lev: region.level,
          start: region.start,
          end: region.end,
          com: facts instanceof Absent ? facts : facts.commit,
          type: facts instanceof Absent ? facts : typeText(facts),
          exe: facts instanceof Absent ? facts : facts.image ? 'Exe' : null,
          protect: facts instanceof Absent ? facts : protectionText(facts.protection),
          filename: file,
          tag: region.tag,
          pid,
        };
      }
      if (count === 0) empty++;
    }
    if (all > 0 && shown === 0) {
      const what = [args.offset === undefined ? [] : `holds 0x${args.offset.toString(16)}`, args.regex ? `maps a file of the name /${args.regex.source}/` : []].flat().join(' and ');
      context.note(`None of ${all} regions ${what}; vad without it shows them.`);
    }
    if (empty > 0) context.note(`${empty === 1 ? 'One process has' : `${empty} processes have`} no regions: ended, the kernel's own, or the tree is not in memory; pslist shows them.`);
  },
});

function typeText({ private: own, image, kind }: VadFacts): string {
  if (own) return 'Private';
  return image || kind === 0 ? 'Mapped' : (VAD_TYPES[kind] ?? String(kind)).replace(/^Vad/, '');
}
