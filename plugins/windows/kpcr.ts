import { orElse } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import { decodeText } from '../../src/object/text.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { pcrPointer, type Processor, processors, savedRegister } from '../../src/kernel/windows/system/kpcr.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const kpcr = definePlugin({
  name: 'kpcr',
  aliases: ['kpcrs'],
  needs: ['windows'],
  topic: 'kernel',
  summary: "each processor's control region: its tables, what it runs, what it is",
  notes:
    'Control regions are found by nt!KiProcessorBlock, which has the address of each control block (_KPRCB); failing that the first one by nt!KiInitialPCR, or on XP at 0xffdff000. A region is verified: it ' +
    'must name itself (Self, SelfPcr) and the block within it. CR3 is that of the last time the registers were saved.',
  args: {},
  columns: {
    divider: col.string('the processor', { divider: true }),
    cpu: col.int('number of the processor', { hidden: true }),
    property: col.string('what', { width: 16 }),
    value: col.string('its value'),
    address: col.address('the value, where it is an address', { hidden: true }),
    _KPCR: col.struct('_KPCR', 'the control region', { hidden: true }),
    _KPRCB: col.struct('_KPRCB', 'the control block', { hidden: true }),
    _ETHREAD: col.struct('_ETHREAD', 'the thread, where the value is one', { hidden: true }),
  },
  examples: [{ line: 'kpcr' }],
  *collect(context) {
    const kernel = windowsOf(context);
    for (const processor of processors(kernel, (what) => context.note(`${what}.`))) {
      const { number, pcr, prcb } = processor;
      for (const { property, value, address, thread } of facts(kernel, processor)) {
        yield {
          divider: `processor ${number}`,
          cpu: number,
          property,
          value: value ?? (() => hex(address ?? null)),
          address: address ?? null,
          _KPCR: pcr,
          _KPRCB: prcb,
          _ETHREAD: thread ?? null,
        };
      }
    }
  },
});

interface Fact {
  readonly property: string;
  readonly value?: string | (() => string | null);
  readonly address?: bigint | (() => bigint | null);
  readonly thread?: Struct;
}

function* facts(kernel: WindowsKernel, { pcr, prcb, method, problem }: Processor): Generator<Fact> {
  yield { property: 'Offset (V)', address: pcr.$address };
  yield { property: 'Verified', value: problem === undefined ? `yes, found by ${method}` : `no, found by ${method}: ${problem}` };
  yield { property: 'KPRCB', address: prcb.$address };
  yield { property: 'KdVersionBlock', address: () => pcr.$pointer('KdVersionBlock') };
  for (const [property, name, register] of [['IDT', 'idt', 'Idtr'], ['GDT', 'gdt', 'Gdtr']] as const) {
    // A dump may have the control block without the region around it.
    yield { property, address: () => orElse(() => pcrPointer(pcr, name), undefined) ?? savedRegister(prcb, register)?.base ?? pcrPointer(pcr, name) };
  }
  yield { property: 'TSS', address: () => pcrPointer(pcr, 'tss') };
  for (const property of ['CurrentThread', 'IdleThread', 'NextThread'] as const) yield threadFact(kernel, prcb, property);
  yield { property: 'Details', value: () => details(prcb) };
  yield { property: 'CR3/DTB', address: () => BigInt(registers(prcb).$get('Cr3') as number | bigint) };
}

function threadFact(kernel: WindowsKernel, prcb: Struct, property: string): Fact {
  const address = orElse(() => prcb.$pointer(property), undefined);
  if (address === undefined) return { property, address: () => prcb.$pointer(property) };
  if (address === 0n) return { property, value: 'none', address };
  const thread = kernel.at('_ETHREAD', address);
  return { property, value: `${hex(address)}${threadText(kernel, thread)}`, address, thread };
}

/** ` TID 84 (System:4)`; empty where the thread is not in memory. */
function threadText(kernel: WindowsKernel, thread: Struct): string {
  return orElse(() => {
    const client = thread.$get('Cid') as Struct;
    const owner = orElse(() => {
      const tcb = thread.$get('Tcb') as Struct;
      // XP and Server 2003 keep the process in the wait state (`ApcState.Process`) only.
      const process = tcb.$has('Process') ? tcb.$pointer('Process') : (tcb.$get('ApcState') as Struct).$pointer('Process');
      return kernel.at<Eprocess>('_EPROCESS', process).ImageFileName;
    }, '?');
    return ` TID ${String(client.$get('UniqueThread'))} (${owner}:${String(client.$get('UniqueProcess'))})`;
  }, '');
}

function details(prcb: Struct): string {
  const vendor = decodeText(prcb.$space.readCString(prcb.$addressOf('VendorString'), 13));
  return `CPU ${Number(prcb.$get('Number'))} (${vendor === '' ? 'no vendor' : vendor} @ ${Number(prcb.$get('MHz'))} MHz)`;
}

function registers(prcb: Struct): Struct {
  return (prcb.$get('ProcessorState') as Struct).$get('SpecialRegisters') as Struct;
}

function hex(address: bigint | (() => bigint | null) | null): string | null {
  const value = typeof address === 'function' ? address() : address;
  return value === null ? null : `0x${value.toString(16)}`;
}
