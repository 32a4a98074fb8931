import { orElse } from '../../memory/absent.js';
import { clockOf } from './clock.js';
import type { LinuxKernel } from './kernel.js';

/** Values of CONFIG_HZ that kernels are built with (kernel/Kconfig.hz). */
const RATES = [1000, 300, 250, 100];

/**
 * Timer ticks a second (CONFIG_HZ), which is no variable: from tick_nsec (kernel/time/ntp.c), the length of a tick; without it, the rate with
 * which jiffies_64, counted from INITIAL_JIFFIES five minutes before zero (include/linux/jiffies.h), agree best with the time since boot.
 */
export function ticksPerSecond(kernel: LinuxKernel): number {
  return kernel.memo('HZ', () => {
    const length = orElse(() => Number(kernel.variable('tick_nsec')), 0);
    const exact = RATES.find((rate) => Math.abs(length * rate - 1e9) < 1e7);
    if (exact !== undefined) return exact;
    const jiffies = kernel.space.readU64(kernel.profile.address('jiffies_64'));
    const { boot, now } = clockOf(kernel);
    const uptime = Number(now.ns - boot.ns) / 1e9;
    const error = (rate: number): number => {
      const initial = BigInt.asUintN(32, BigInt(-300 * rate));
      return Math.abs(Number(BigInt.asIntN(64, jiffies - initial)) / rate - uptime);
    };
    return RATES.reduce((best, rate) => (error(rate) < error(best) ? rate : best));
  });
}
