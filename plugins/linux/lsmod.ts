import { orAbsent } from '../../src/memory/absent.js';
import { moduleSections, moduleSize, moduleStart, moduleState, moduleTaints, moduleText, moduleUsers, moduleUses } from '../../src/kernel/linux/module-details.js';
import { builtInParameters, type ModuleParameter, moduleParameters, parameterType, parameterValue } from '../../src/kernel/linux/module-parameters.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { moduleMemory, modules } from '../../src/kernel/linux/modules.js';
import { Absent } from '../../src/memory/absent.js';
import { arg } from '../../src/plugin/args.js';
import { col, type RowOf } from '../../src/plugin/columns.js';
import { linuxOf, type PluginContext } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** Why a kernel without modules shows none. */
function withoutModules(context: PluginContext): string | undefined {
  return linuxOf(context).symbol('modules') === undefined ? 'this kernel was built without modules (it has no symbol modules)' : undefined;
}

export const lsmod = definePlugin({
  name: 'lsmod',
  needs: ['linux'],
  topic: 'kernel',
  summary: 'loaded kernel modules, newest first',
  notes:
    'Walks the list modules of struct module (include/linux/module.h). Memory is module.mem[], one piece for each kind of content, since 6.4 (ac3b43283923); ' +
    'core_layout and init_layout before; sizes are their sum, as /proc/modules has it.',
  args: {},
  columns: {
    virtual: col.address('the struct module', { minor: true }),
    start: col.address('where its code begins        module.mem[MOD_TEXT].base, module.core_layout.base'),
    size: col.size('memory that it takes         module.mem[].size, module.core_layout.size'),
    name: col.string('name                         module.name', { width: 16 }),
    uses: col.int('how many use it              module.refcnt'),
    used_by: col.list('modules that use it          module.source_list'),
    state: col.string('Live, Loading, Unloading     module.state'),
    taints: col.string('P proprietary, O out of tree, E unsigned, F forced, C staging …   module.taints'),
    arguments: col.string('what it was told when it was loaded   module.args'),
    version: col.string('version that it states       module.version', { hidden: true }),
    memory: col.list('its pieces: kind, start, bytes   module.mem[], core_layout, init_layout', { hidden: true }),
    module: col.struct('module', 'the module', { hidden: true }),
  },
  examples: [{ line: 'lsmod' }],
  applies: withoutModules,
  *collect(context) {
    const kernel = linuxOf(context);
    for (const module of modules(kernel, { onFault: context.note })) {
      yield {
        virtual: module.$address,
        start: () => moduleStart(module),
        size: () => moduleSize(module),
        name: () => module.name,
        uses: () => moduleUses(module),
        used_by: () => moduleUsers(kernel, module, { onFault: context.note }),
        state: () => moduleState(module),
        taints: () => moduleTaints(module),
        arguments: () => moduleText(module, 'args'),
        version: () => moduleText(module, 'version'),
        memory: () => moduleMemory(module).map(({ kind, start, size }) => `${kind} 0x${start.toString(16)} ${size}`),
        module,
      };
    }
  },
});

export const lsmodSections = definePlugin({
  name: 'lsmod_sections',
  needs: ['linux'],
  topic: 'kernel',
  summary: 'sections of loaded kernel modules, as /sys/module/NAME/sections shows them',
  notes: 'module.sect_attrs. The addresses of init sections are those at loading; that memory was given back since.',
  args: {},
  columns: {
    name: col.string("module's name               module.name"),
    section: col.string("section's name              module_sect_attr.battr.attr.name"),
    address: col.address('where it was loaded         module_sect_attr.address'),
    module: col.struct('module', 'the module', { hidden: true }),
  },
  examples: [{ line: 'lsmod_sections' }],
  applies: withoutModules,
  *collect(context) {
    const kernel = linuxOf(context);
    for (const module of modules(kernel, { onFault: context.note })) {
      const name = orAbsent(() => module.name);
      try {
        for (const section of moduleSections(kernel, module)) yield { name, section: section.name, address: section.address, module };
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        context.note(`sections of ${String(name)} cannot be read: ${error.toString()}`);
      }
    }
  },
});

const parameterColumns = {
  name: col.string("module's name               module.name"),
  key: col.string("parameter's name            kernel_param.name"),
  value: col.any('value, as its type has it   kernel_param.arg, str, arr'),
  type: col.string('int, bool, charp, array of … by the function that prints it   kernel_param.ops.get', { minor: true }),
  permissions: col.string('of its file in /sys, octal; 0: it has none   kernel_param.perm', { hidden: true }),
  parameter: col.struct('kernel_param', 'the parameter', { hidden: true }),
} as const;

export const lsmodParameters = definePlugin({
  name: 'lsmod_parameters',
  needs: ['linux'],
  topic: 'kernel',
  summary: 'parameters of loaded kernel modules, with their values',
  notes:
    'module.kp, decoded by the function that the kernel prints them with (param_get_int, param_get_bool …). A parameter that is printed by a function of ' +
    'its own has no value here, only that name as its type.',
  args: { builtin: arg.bool('also the parameters of what is built into the kernel', { default: false }) },
  columns: parameterColumns,
  examples: [{ line: 'lsmod_parameters' }, { line: 'lsmod_parameters builtin=true', doc: 'printk.time and the like' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    if (kernel.symbol('modules') !== undefined) {
      for (const module of modules(kernel, { onFault: context.note })) {
        const name = orAbsent(() => module.name);
        yield* parameterRows(context, kernel, String(name), () => moduleParameters(kernel, module));
      }
    }
    if (args.builtin) yield* parameterRows(context, kernel, 'kernel', () => builtInParameters(kernel));
  },
});

function* parameterRows(
  context: PluginContext,
  kernel: LinuxKernel,
  owner: string,
  walk: () => Iterable<ModuleParameter>,
): Generator<RowOf<typeof parameterColumns>> {
  try {
    for (const { name, parameter } of walk()) {
      // Parts that are built in stand before the name: printk.time.
      const dot = name.indexOf('.');
      yield {
        name: dot < 0 ? owner : name.slice(0, dot),
        key: name.slice(dot + 1),
        value: () => parameterValue(kernel, parameter),
        type: () => parameterType(kernel, parameter),
        permissions: () => parameter.perm.toString(8),
        parameter,
      };
    }
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    context.note(`parameters of ${owner} cannot be read: ${error.toString()}`);
  }
}
