import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { outputFile, parseExamples } from '../../src/console/help-examples.js';
import { Registry } from '../../src/plugin/registry.js';
import { ExampleRunner, LISTINGS, ofSample } from '../support/example-outputs.js';
import { root } from '../support/root.js';
import { committedSample } from '../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const registry = Registry.builtIn();
const folder = join(root, 'fixtures/examples');
const runner = sample ? new ExampleRunner(sample.image, registry) : undefined;
after(() => runner?.close());

/** Where an output that help shows is no longer what the command prints. */
const HINT = 'npm run examples writes what help shows';

for (const entry of ofSample(registry)) {
  test(`help of ${entry.name} shows what its examples print`, { skip }, async () => {
    const path = join(folder, outputFile(entry));
    assert.ok(existsSync(path), `no output of ${entry.name}: ${HINT}`);
    const kept = parseExamples(readFileSync(path, 'utf8'));
    const now = parseExamples((await runner?.outputs(entry)) ?? '');
    assert.deepEqual([...kept.keys()], [...now.keys()], HINT);
    for (const [line, output] of now) {
      if (LISTINGS.has(line)) assert.equal(kept.get(line)?.split('\n')[0]?.split(' ')[0], output.split('\n')[0]?.split(' ')[0], HINT);
      else assert.equal(kept.get(line), output, `${line}: ${HINT}`);
    }
  });
}

test('no output of a command that is gone is left', () => {
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.txt'))) assert.ok(registry.named(name.replace('.txt', '')).length > 0, `${name}: ${HINT}`);
});
