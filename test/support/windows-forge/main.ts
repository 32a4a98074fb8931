/**
 * `node main.js OUT [--variant x64|x86|x86-pae] [--memory BYTES|2G] [--processes N] [--raw] [--fill]`: writes an image, and beside it what is in it (`truth.json`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { root } from '../root.js';
import { build } from './build.js';
import { elfCore, writeRaw } from './output.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { variant: { type: 'string', default: 'x64' }, memory: { type: 'string', default: '8M' }, processes: { type: 'string', default: '0' }, raw: { type: 'boolean', default: false }, fill: { type: 'boolean', default: false } },
});
const [out = '.'] = positionals;
const [, number = '8', unit = ''] = /^(\d+)([KMG]?)$/.exec(values.memory) ?? [];
const memory = Number(number) * ({ K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit] ?? 1);
const { forge, truth } = build({ variant: values.variant, pieces: join(root, 'fixtures/windows-sample/pieces'), memory, processes: Number(values.processes) });
mkdirSync(out, { recursive: true });
if (values.raw) writeRaw(forge.machine, join(out, 'image.raw'), values.fill);
else writeFileSync(join(out, 'image.elf'), elfCore(forge.machine));
writeFileSync(join(out, 'truth.json.gz'), gzipSync(`${JSON.stringify(truth, undefined, 1)}\n`, { level: 9 }));
