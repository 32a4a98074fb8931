/** `npm run examples`: writes `fixtures/examples/`, what each declared example prints on the sample images. Help shows it, a test compares it. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Registry } from '../../src/plugin/registry.js';
import { outputFile } from '../../src/console/help-examples.js';
import { ExampleRunner, ofSample } from './example-outputs.js';
import { root } from './root.js';
import { committedSample } from './sample.js';
import { sampleImage } from './windows-sample.js';

const sample = committedSample();
if (!sample) throw new Error('the sample image is not there');
const registry = Registry.builtIn();
const folder = join(root, 'fixtures/examples');
const written = new Set<string>();
for (const [system, image] of [['linux', sample.image], ['windows', sampleImage]] as const) {
  const runner = new ExampleRunner(image, registry);
  for (const entry of ofSample(registry, system)) {
    const file = outputFile(entry);
    written.add(file);
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    try {
      writeFileSync(join(folder, file), await runner.outputs(entry));
    } catch (error) {
      // The others are written all the same.
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
  runner.close();
}
for (const name of readdirSync(folder, { recursive: true }) as string[]) if (name.endsWith('.txt') && !written.has(name)) rmSync(join(folder, name));
process.stderr.write(`${written.size} files in fixtures/examples\n`);
