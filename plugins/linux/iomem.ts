import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { resourceFlags, resources } from '../../src/kernel/linux/resources.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const iomem = definePlugin({
  name: 'iomem',
  needs: ['linux'],
  topic: 'memory',
  summary: 'what each range of physical addresses is: RAM, devices, the kernel itself',
  notes: 'Walks the tree of resources below iomem_resource (with ports: ioport_resource; kernel/resource.c), as /proc/iomem does. end is the last address of a range.',
  args: {
    ports: arg.bool('I/O ports instead of memory', { default: false }),
  },
  columns: {
    resource: col.address('the struct resource'),
    start: col.address('first address                  resource.start'),
    end: col.address('last address                   resource.end'),
    name: col.string('what it is                     resource.name', { tree: true }),
    flags: col.list('MEM, BUSY, SYSRAM …              resource.flags', { hidden: true }),
    size: col.size('bytes', { hidden: true }),
  },
  examples: [{ line: 'iomem' }, { line: 'iomem ports=true', doc: 'I/O ports' }],
  applies(context) {
    return linuxOf(context).symbol('iomem_resource') === undefined ? 'it needs the symbol iomem_resource, which this kernel does not tell' : undefined;
  },
  *collect(context, args) {
    const kernel = linuxOf(context);
    const options = { onFault: context.note };
    const root = args.ports ? 'ioport_resource' : 'iomem_resource';
    for (const { resource, depth } of untilAbsent('the tree of resources', () => resources(kernel, root, options), options)) {
      yield {
        $depth: depth,
        resource: resource.$address,
        start: () => BigInt(resource.start),
        end: () => BigInt(resource.end),
        name: () => (resource.name.isNull ? null : resource.name.string(256)),
        flags: () => resourceFlags(resource.flags),
        size: () => BigInt(resource.end) - BigInt(resource.start) + 1n,
      };
    }
  },
});
