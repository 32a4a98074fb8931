import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { outputFile, parseExamples } from '../../src/console/help-examples.js';
import { Registry } from '../../src/plugin/registry.js';
import { ExampleRunner, LISTINGS, ofSample } from '../support/example-outputs.js';
import { root } from '../support/root.js';
import { committedSample } from '../support/sample.js';
import { sampleImage } from '../support/windows-sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const registry = Registry.builtIn();
const folder = join(root, 'fixtures/examples');
const runners: { linux?: ExampleRunner; windows?: ExampleRunner } = {};
after(() => {
  for (const runner of Object.values(runners).reverse()) runner.close();
});

/** Where an output that help shows is no longer what the command prints. */
const HINT = 'npm run examples writes what help shows';

for (const [system, image] of [['linux', sample?.image], ['windows', sampleImage]] as const) for (const entry of ofSample(registry, system)) {
  test(`help of ${entry.name} shows what its examples print`, { skip: image === undefined ? skip : false }, async () => {
    const runner = (runners[system] ??= new ExampleRunner(image ?? '', registry));
    const path = join(folder, outputFile(entry));
    assert.ok(existsSync(path), `no output of ${entry.name}: ${HINT}`);
    const kept = parseExamples(readFileSync(path, 'utf8'));
    const now = parseExamples(await runner.outputs(entry));
    assert.deepEqual([...kept.keys()], [...now.keys()], HINT);
    for (const [line, output] of now) {
      if (LISTINGS.has(line)) assert.equal(kept.get(line)?.split('\n')[0]?.split(' ')[0], output.split('\n')[0]?.split(' ')[0], HINT);
      else assert.equal(kept.get(line), output, `${line}: ${HINT}`);
    }
  });
}

test('no output of a command that is gone is left', () => {
  for (const name of (readdirSync(folder, { recursive: true }) as string[]).filter((one) => one.endsWith('.txt'))) assert.ok(registry.named(basename(name, '.txt')).length > 0, `${name}: ${HINT}`);
});
