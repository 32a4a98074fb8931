/** `npm run examples`: writes `fixtures/examples/`, what each declared example prints on the sample image. Help shows it, a test compares it. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fits, Registry } from '../../src/plugin/registry.js';
import { ExampleRunner, WITHOUT_OUTPUT } from './example-outputs.js';
import { root } from './root.js';
import { committedSample } from './sample.js';

const sample = committedSample();
if (!sample) throw new Error('the sample image is not there');
const registry = Registry.builtIn();
const folder = join(root, 'fixtures/examples');
mkdirSync(folder, { recursive: true });
const runner = new ExampleRunner(sample.image, registry);
const written = new Set<string>();
for (const entry of registry.list()) {
  // The sample is Linux: what reads other systems has no output here.
  if (WITHOUT_OUTPUT.has(entry.name) || !fits(entry, 'linux')) continue;
  written.add(`${entry.name}.txt`);
  writeFileSync(join(folder, `${entry.name}.txt`), await runner.outputs(entry));
}
runner.close();
for (const name of readdirSync(folder)) if (name.endsWith('.txt') && !written.has(name)) rmSync(join(folder, name));
process.stderr.write(`${written.size} files in fixtures/examples\n`);
