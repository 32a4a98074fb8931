/** `node dist/test/bench/efilter.bench.js`: queries read in a second. */
import { parseQuery } from '../../grammar/efilter.js';

/** Queries as people type them, from the short to the long. */
export const TYPICAL: readonly string[] = [
  'select * from pslist()',
  'select name, pid from pslist() where pid == 4',
  'select * from pslist() where _EPROCESS.name =~ "svchost"',
  'select _EPROCESS.name, hex(VAD.start) as start from vad(proc_regex: "x") limit 5',
  'select proc, timestamp(proc.create_time) from pslist() order by pid desc',
  'select p.name, p.pid, c.name as parent from pslist() p join pslist() c on c.pid = p.ppid where p.name =~ "svchost" and c.name != "services.exe"',
  'select name, count(*) n from lsof() group by name having n > 10 order by n desc limit 20',
  'select x from modules() where not (path =~ "(?i)Windows")',
];

export interface ParsingSpeed {
  readonly perSecond: number;
  readonly microseconds: number;
}

/** Median of several runs over all of the queries. */
export function benchParsing(rounds = 7, repeats = 3000): ParsingSpeed {
  const speeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) for (const query of TYPICAL) parseQuery(query);
    speeds.push((repeats * TYPICAL.length * 1000) / (performance.now() - start));
  }
  const perSecond = speeds.sort((a, b) => a - b)[rounds >> 1] ?? NaN;
  return { perSecond, microseconds: 1e6 / perSecond };
}

if (process.argv[1]?.endsWith('efilter.bench.js')) {
  const { perSecond, microseconds } = benchParsing();
  process.stdout.write(`queries parsed: ${Math.round(perSecond).toLocaleString('en')} a second, ${microseconds.toFixed(1)} µs each\n`);
}
