import { type Descriptor, descriptorName, descriptors, gateName } from '../../src/kernel/windows/system/descriptors.js';
import { descriptorTable, interrupts } from '../../src/kernel/windows/system/idt.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { type Processor, processors } from '../../src/kernel/windows/system/kpcr.js';
import { driverAt, OUTSIDE } from '../../src/kernel/windows/system/modules.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';
import { LoadedPe } from '../../src/symbols/pe/loaded.js';

/** Faults that are told one by one. */
const TOLD = 3;

const cpus = arg.ints('only these processors');

export const idt = definePlugin({
  name: 'idt',
  needs: ['windows'],
  topic: 'kernel',
  summary: "each processor's interrupt table, with who handles what",
  notes:
    'The table at _KPCR.IdtBase (x86: IDT), as long as the saved register says; gates as in the Intel manual, vol. 3A, 6.11. Interrupts of devices lead to a _KINTERRUPT, whose ServiceRoutine is the ' +
    'driver: through code within it until Windows 8.1, through nt!KiIsrThunk and _KPRCB.InterruptObject since Windows 10. hooked: the handler or the routine is outside of all modules, an exception is ' +
    "handled by another module than nt or the HAL, the segment is not the kernel's, or programs may raise what they should not.",
  args: {
    cpus,
    hooked: arg.bool('only those that are not as the system makes them', { default: false }),
  },
  columns: {
    divider: col.string('the processor and its table', { divider: true }),
    cpu: col.int('number of the processor', { hidden: true }),
    index: col.int('the vector', { hex: true }),
    selector: col.int('segment of the handler   _KIDTENTRY64.Selector', { hex: true, hidden: true }),
    address: col.address('the handler   _KIDTENTRY64.OffsetLow, OffsetMiddle, OffsetHigh'),
    type: col.string('interrupt, trap or task'),
    dpl: col.int('privilege that may raise it: 3 programs   _KIDTENTRY64.Dpl', { minor: true }),
    present: col.bool('it is used   _KIDTENTRY64.Present', { hidden: true }),
    ist: col.int('x64: stack of its own   _KIDTENTRY64.IstIndex', { hidden: true }),
    module: col.string("the module that the handler is in; of a device's interrupt that of the driver's routine", { minor: true }),
    section: col.string('the section of the module', { hidden: true }),
    symbol: col.string('the symbol there'),
    _KINTERRUPT: col.struct('_KINTERRUPT', "the object of a device's interrupt", { hidden: true }),
    isr: col.address("the driver's routine   _KINTERRUPT.ServiceRoutine", { hidden: true }),
    handler_symbol: col.string('the symbol at the handler', { hidden: true }),
    hooked: col.bool('it is not as the system makes it'),
    comment: col.string('why'),
  },
  examples: [{ line: 'idt' }, { line: 'idt hooked=true', doc: 'what the system did not make' }],
  applies: onlyX86,
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const resolver = await context.session.resolver(null);
    const name = (address: bigint | undefined): string | null => (address === undefined ? null : (resolver.name(address) ?? null));
    let shown = 0;
    let seen = 0;
    const faults: string[] = [];
    for (const processor of selected(context, kernel, args.cpus)) {
      for (const { index, gate, handler, object, service, problem } of interrupts(kernel, processor, (what) => faults.push(what))) {
        seen++;
        if (args.hooked && problem === undefined) continue;
        shown++;
        // What answers is the driver's routine: the way to it is code of the kernel's making.
        const answers = service ?? handler;
        yield {
          divider: `processor ${processor.number}`,
          cpu: processor.number,
          index,
          selector: gate.selector,
          address: handler ?? null,
          type: gate.present ? gateName(gate) : null,
          dpl: gate.dpl,
          present: gate.present,
          ist: kernel.space.bits === 64 ? gate.stack : null,
          module: answers === undefined ? null : (driverAt(kernel, answers)?.name ?? null),
          section: () => (answers === undefined ? null : sectionAt(kernel, driverAt(kernel, answers)?.base, answers)),
          symbol: () => name(answers),
          _KINTERRUPT: object ?? null,
          isr: service ?? null,
          handler_symbol: () => name(handler),
          hooked: problem !== undefined,
          comment: problem ?? null,
        };
      }
    }
    tell(context, faults);
    if (shown === 0 && seen > 0) context.note(`All ${seen} entries are as the system makes them.`);
  },
});

export const gdt = definePlugin({
  name: 'gdt',
  needs: ['windows'],
  topic: 'kernel',
  summary: "each processor's segment table",
  notes:
    'The table at _KPCR.GdtBase (x86: GDT), as long as the saved register says; descriptors as in the Intel manual, vol. 3A, 3.4.5 and 3.5. Entries of zeros are left out. A call gate lets programs enter the ' +
    'kernel: Windows makes none, and what one leads to is shown. On x64 the processor takes base and limit of code and data as 0 and everything.',
  args: { cpus },
  columns: {
    divider: col.string('the processor and its table', { divider: true }),
    cpu: col.int('number of the processor', { hidden: true }),
    sel: col.int('the selector', { hex: true }),
    base: col.address('where the segment begins'),
    limit: col.int('offset of its last byte', { hex: true }),
    type: col.string('code or data with its rights, task state, local table, gate', { width: 20 }),
    dpl: col.int('privilege: 0 kernel, 3 programs'),
    gr: col.string('unit of its limit: By bytes, Pg pages'),
    pr: col.string('P present, Np not'),
    target: col.address('of a call gate: where it leads', { hidden: true }),
    module: col.string('the module that is there', { hidden: true }),
    symbol: col.string('the symbol there', { hidden: true }),
    hooked: col.bool('it is a way into the kernel that Windows does not make', { hidden: true }),
    comment: col.string('what is to say of it'),
  },
  examples: [{ line: 'gdt' }],
  applies: onlyX86,
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const resolver = await context.session.resolver(null);
    const { bits } = kernel.space;
    const faults: string[] = [];
    for (const processor of selected(context, kernel, args.cpus)) {
      const table = descriptorTable(kernel, processor, 'gdt', (what) => faults.push(what));
      if (!table) continue;
      for (const one of descriptors(table.bytes, bits)) {
        const target = one.gate && one.present ? one.gate.offset : undefined;
        const symbol = target === undefined ? undefined : resolver.name(target);
        yield {
          divider: `processor ${processor.number}`,
          cpu: processor.number,
          sel: one.selector,
          base: one.base,
          limit: one.limit,
          type: descriptorName(one),
          dpl: one.dpl,
          gr: one.pages ? 'Pg' : 'By',
          pr: one.present ? 'P' : 'Np',
          target: target ?? null,
          module: target === undefined ? null : (driverAt(kernel, target)?.name ?? null),
          symbol: symbol ?? null,
          hooked: target !== undefined,
          comment: remark(kernel, one, symbol),
        };
      }
    }
    tell(context, faults);
  },
});

function onlyX86(context: PluginContext): string | undefined {
  const { paging } = windowsOf(context).location;
  return paging === 'arm64' ? 'ARM64 has no descriptor tables' : undefined;
}

/** The processors that an argument names. */
function selected(context: PluginContext, kernel: WindowsKernel, wanted: readonly number[] | undefined): readonly Processor[] {
  const all = processors(kernel, (what) => context.note(`${what}.`));
  const unknown = wanted?.find((number) => !all.some((one) => one.number === number));
  if (unknown !== undefined) throw new PluginError(`There is no processor ${unknown} among ${all.length}.`, 'kpcr');
  return wanted ? all.filter(({ number }) => wanted.includes(number)) : all;
}

/** Faults of many processors say the same: three of them will do. */
function tell(context: PluginContext, faults: readonly string[]): void {
  for (const what of faults.slice(0, TOLD)) context.note(`${what}.`);
  if (faults.length > TOLD) context.note(`… and so for ${faults.length - TOLD} more.`);
}

function sectionAt(kernel: WindowsKernel, base: bigint | undefined, address: bigint): string | null {
  if (base === undefined) return null;
  const sections = kernel.memo(`sections of 0x${base.toString(16)}`, () => LoadedPe.at(kernel.space, base)?.sections ?? []);
  const at = Number(address - base);
  return sections.find(({ rva, size }) => at >= rva && at < rva + size)?.name ?? null;
}

function remark(kernel: WindowsKernel, one: Descriptor, symbol: string | undefined): string | null {
  if (one.gate) {
    const place = `0x${one.gate.selector.toString(16)}:0x${one.gate.offset.toString(16)}`;
    return one.present ? `leads to ${place}, ${symbol ?? (driverAt(kernel, one.gate.offset)?.name ?? OUTSIDE)}` : `leads to ${place}`;
  }
  return one.long ? '64-bit code' : null;
}
