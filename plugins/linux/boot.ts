import { clockOf } from '../../src/kernel/linux/clock.js';
import { decodeText } from '../../src/object/text.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** Longest command line (arch/x86/include/asm/setup.h: COMMAND_LINE_SIZE is 2048; bootconfig may add to it). */
const LONGEST_COMMAND_LINE = 65536;

export const boot = definePlugin({
  name: 'boot',
  needs: ['linux'],
  topic: 'kernel',
  summary: 'when the machine was started, when the image was taken, and with which command line',
  notes:
    "The timekeeper (tk_core) holds the time of day of its last update: the time of the image, to a tick. Boot is that of the monotonic clock's zero, less the time asleep. " +
    'All are as right as the clock of the machine was.',
  args: {},
  columns: {
    boot_time: col.time('UTC                            timekeeper.wall_to_monotonic, offs_boot'),
    image_time: col.time('UTC                            timekeeper.xtime_sec, tkr_mono'),
    uptime: col.duration('time between both, asleep or not', { unit: 'ns' }),
    cmdline: col.string("the kernel's arguments         saved_command_line"),
  },
  examples: [{ line: 'boot' }],
  *collect(context) {
    const kernel = linuxOf(context);
    yield {
      boot_time: () => clockOf(kernel).boot,
      image_time: () => clockOf(kernel).now,
      uptime: () => clockOf(kernel).now.ns - clockOf(kernel).boot.ns,
      cmdline: () => decodeText(kernel.space.readCString(kernel.variable('saved_command_line'), LONGEST_COMMAND_LINE)),
    };
  },
});
