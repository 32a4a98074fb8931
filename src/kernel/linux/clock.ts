import { orElse } from '../../memory/absent.js';
import { Timestamp } from '../../object/time.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';

/** The kernel's notion of time, as the timekeeper holds it (kernel/time/timekeeping.c: tk_core). */
export interface Clock {
  /** UTC of monotonic zero plus time asleep: the moment of boot */
  readonly boot: Timestamp;
  /** UTC of the timekeeper's last update: the time of the image, to a tick */
  readonly now: Timestamp;
}

interface Timespec64 extends Struct {
  readonly tv_sec: bigint | number;
  readonly tv_nsec: bigint | number;
}

/**
 * Reads the clock. tk_core is { seqcount, struct timekeeper }; the timekeeper's xtime_sec, wall_to_monotonic and offs_boot give
 * UTC now, UTC - monotonic and boottime - monotonic.
 */
export function clockOf(kernel: LinuxKernel): Clock {
  return kernel.memo('clock', () => {
    const keeper = timekeeper(kernel);
    const wall = keeper.$get('wall_to_monotonic') as Timespec64;
    const seconds = -BigInt(wall.tv_sec);
    const nanoseconds = -BigInt(wall.tv_nsec);
    const utcOfMonotonicZero = seconds * 1_000_000_000n + nanoseconds;
    const asleep = BigInt(keeper.$get('offs_boot') as bigint);
    return {
      boot: new Timestamp(utcOfMonotonicZero - asleep),
      now: Timestamp.fromSeconds(BigInt(keeper.$get('xtime_sec') as bigint), nanosecondsOf(keeper)),
    };
  });
}

/**
 * The core timekeeper: in the unnamed struct tk_core behind its sequence counter; in struct tk_data, which has a name and a lock too, since
 * 6.13; since 6.17 the first of an array of them, timekeeper_data, because auxiliary clocks have one each.
 */
function timekeeper(kernel: LinuxKernel): Struct {
  const core = kernel.symbol('timekeeper_data') ?? kernel.profile.address('tk_core');
  if (kernel.profile.has('tk_data', 'timekeeper')) return kernel.at('tk_data', core).$get('timekeeper') as Struct;
  // The sequence counter is 4 bytes, or more with lock debugging; the timekeeper is aligned to a word behind it.
  return kernel.at('timekeeper', core + BigInt(kernel.profile.pointerSize));
}

/**
 * Nanoseconds of the second at the last update: tkr_mono.xtime_nsec, kept shifted by tkr_mono.shift (tk_read_base, since 3.17); 0 where that is not there.
 */
function nanosecondsOf(keeper: Struct): bigint {
  return orElse(() => {
    const base = keeper.$get('tkr_mono') as Struct;
    return (base.$get('xtime_nsec') as bigint) >> BigInt(base.$get('shift') as number);
  }, 0n);
}
