import { Absent, orAbsent } from '../../src/memory/absent.js';
import { clockOf } from '../../src/kernel/linux/clock.js';
import { untilAbsent } from '../../src/kernel/linux/lists/guard.js';
import { kernelLog, logLayout } from '../../src/kernel/linux/log/log.js';
import { facilityName, levelName } from '../../src/kernel/linux/log/record.js';
import { Timestamp } from '../../src/object/time.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const dmesg = definePlugin({
  name: 'dmesg',
  needs: ['linux'],
  topic: 'kernel',
  summary: "the kernel's log",
  notes:
    'Reads the ring of descriptors and text behind prb (since 5.10), the records in log_buf (3.5 to 5.9), or the plain text in log_buf (before). ' +
    'The processor clock that stamps messages stands still while the machine sleeps: time is exact only until the first suspend.',
  args: {
    regex: arg.regex('only messages that match', { positional: true }),
  },
  columns: {
    timestamp: col.float('time since boot                printk_info.ts_nsec', { unit: 'seconds' }),
    facility: col.string('who it is from: kern, user, daemon …   printk_info.facility'),
    level: col.string('emerg … debug                  printk_info.level'),
    message: col.string('the text, perhaps of several lines'),
    caller: col.string('who printed it: T and a thread id, C and a processor   printk_info.caller_id'),
    time: col.time('UTC: moment of boot and timestamp', { hidden: true }),
    device: col.string('device it is about             printk_info.dev_info.device', { hidden: true }),
    sequence: col.int('number of the message since boot   printk_info.seq', { hidden: true }),
    offset: col.address('where the record is', { hidden: true }),
  },
  examples: [{ line: 'dmesg' }, { line: 'dmesg regex=memory', doc: 'only messages that match' }],
  applies(context) {
    const layout = orAbsent(() => logLayout(linuxOf(context)));
    return layout instanceof Absent ? layout.reason : undefined;
  },
  *collect(context, args) {
    const kernel = linuxOf(context);
    const options = { onFault: context.note };
    for (const record of untilAbsent('the kernel log', () => kernelLog(kernel, options), options)) {
      if (args.regex && !args.regex.test(record.text)) continue;
      const { nanoseconds, facility, level } = record;
      yield {
        timestamp: nanoseconds === undefined ? null : Number(nanoseconds) / 1e9,
        facility: facility === undefined ? null : facilityName(facility),
        level: level === undefined ? null : levelName(level),
        message: record.text,
        caller: record.caller ?? null,
        time: () => (nanoseconds === undefined ? null : new Timestamp(clockOf(kernel).boot.ns + nanoseconds)),
        device: record.device ?? null,
        sequence: record.sequence ?? null,
        offset: record.address,
      };
    }
  },
});
