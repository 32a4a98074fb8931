import { PagedSpace } from '../../src/memory/paging/paged.js';
import type { PageFlags } from '../../src/memory/paging/flags.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { spaceNamed } from '../../src/session/spaces.js';

export const vtop = definePlugin({
  name: 'vtop',
  needs: 'kernel',
  topic: 'memory',
  summary: 'how a virtual address becomes a physical one: every page-table entry on the way',
  notes:
    'Works in the process context if there is one (cc), otherwise in the kernel; pid@N names a process. Levels and bits: Intel SDM vol. 3A, chapter 4. ' +
    'The rights of the last row are those of all levels together.',
  args: {
    virtual_address: arg.address.required('the address: a number or a symbol', { positional: true, completes: 'symbol' }),
    address_space: arg.string('K (kernel) or pid@N', { completes: 'space' }),
  },
  columns: {
    level: col.string('PGD, P4D … as the processor manual names them, then the result'),
    entry: col.physical('physical address of the entry'),
    value: col.address('the entry'),
    flags: col.string('what the entry says'),
    physical: col.physical('where it leads: the next table, or the byte'),
    comment: col.string('the symbol, or why translation ends here'),
  },
  examples: [{ line: 'vtop linux!init_task' }, { line: 'vtop 0xffffffffff5ff000', doc: 'a page that is not mapped, perhaps' }],
  async *collect(context, args) {
    const space = await spaceNamed(context.session, args.address_space);
    if (!(space instanceof PagedSpace)) throw new PluginError(`${space.name} has no page tables.`, 'vtop ADDRESS address_space=K');
    const resolver = await context.session.resolver();
    const address = args.virtual_address;
    const result = space.walk(address);
    yield { level: 'virtual', value: address, comment: [space.name, resolver.name(address)].filter(Boolean).join(', ') };
    for (const [index, step] of result.steps.entries()) {
      const next = result.steps[index + 1];
      yield {
        level: step.name,
        entry: step.address,
        value: step.value,
        flags: flagText(step.flags),
        physical: next ? next.address - (next.address % 4096) : null,
        comment: step.reason ?? step.alias,
      };
    }
    if (result.physical === undefined) {
      yield { level: 'none', comment: result.reason ?? 'not mapped' };
      return;
    }
    const held = context.session.physical().isValid(BigInt(result.physical));
    yield {
      level: 'physical',
      flags: result.flags ? flagText(result.flags) : null,
      physical: result.physical,
      comment: `${sizeText(result.pageSize ?? 4096)} page${held ? '' : '; the image does not hold it'}`,
    };
  },
});

function flagText(flags: PageFlags): string {
  if (!flags.present) return 'not present';
  const words = ['present', flags.writable ? 'writable' : 'read-only', flags.user ? 'user' : 'supervisor', flags.noExecute ? 'no-execute' : 'executable'];
  for (const name of ['accessed', 'dirty', 'global', 'large'] as const) if (flags[name]) words.push(name);
  return words.join(', ');
}

function sizeText(bytes: number): string {
  return bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1024} KiB`;
}
