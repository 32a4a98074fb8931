import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { Absent } from '../../../src/memory/absent.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { PeFileSpace } from '../../../src/symbols/pe/file.js';
import { imports } from '../../../src/symbols/pe/imports.js';
import { fileLayout } from '../../../src/symbols/pe/layout.js';
import { LoadedPe } from '../../../src/symbols/pe/loaded.js';
import { resources, version } from '../../../src/symbols/pe/resources.js';
import { mapped, NAMES, sampleBytes } from './samples.js';
import { bounded } from '../../support/effort.js';

const samples = NAMES.map(sampleBytes);
/** Milliseconds of the processor's time that one file may take, whatever it claims. */
const MOST_MS = 5000;
const MOST = 1 << 22;

/** Does all that can be done with an executable; only Absent may come. */
function exercise(open: () => LoadedPe): void {
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
    }
  };
  bounded(MOST_MS, () => attempt(() => {
    const pe = open();
    for (const walk of [() => pe.exports(), () => pe.allExports(), () => imports(pe), () => resources(pe)]) {
      attempt(() => {
        let count = 0;
        for (const one of walk()) assert.ok(one && count++ < 1 << 18);
      });
    }
    attempt(() => void version(pe));
    attempt(() => void pe.debug());
    attempt(() => void pe.exportedName());
    for (const layout of ['file', 'memory'] as const) {
      const plan = fileLayout(pe.header, pe.base, { layout, fixBase: true, most: MOST });
      assert.ok(plan.size <= Math.max(MOST, 1 << 17), `${plan.size}`);
      let end = 0;
      for (const part of plan.parts) {
        assert.ok(part.at >= end && part.length >= 0, 'parts ascend');
        end = part.at + part.length;
      }
    }
  }));
}

const both = (bytes: Buffer): void => {
  exercise(() => mapped(bytes));
  // As if it were what memory holds: no section's place in the file counts.
  exercise(() => LoadedPe.read(new BufferSpace(bytes, 0x10000n), 0x10000n));
};

test('bytes changed anywhere: no crash, no endless loop', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))), { minLength: 1, maxLength: 24 });
  fc.assert(
    fc.property(fc.nat(samples.length - 1), changes, (which, list) => {
      const bytes = Buffer.from(samples[which] as Buffer);
      for (const [at, value] of list) bytes[at % bytes.length] = value;
      both(bytes);
    }),
    { numRuns: 400 },
  );
});

test('fields of the headers, directories and tables set to extremes', () => {
  const extremes = [0, 1, 0x10, 0xfff, 0x1000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff];
  const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...extremes)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.nat(samples.length - 1), fc.boolean(), changes, (which, header, list) => {
      const bytes = Buffer.from(samples[which] as Buffer);
      const reach = header ? 0x280 : bytes.length;
      for (const [at, value] of list) bytes.writeUInt32LE(value, (at * 4) % (reach - 4));
      both(bytes);
    }),
    { numRuns: 250 },
  );
});

test('cut anywhere', () => {
  for (const sample of samples) for (let length = 0; length < sample.length; length += 37) both(sample.subarray(0, length));
});

test('noise behind a header', () => {
  fc.assert(
    fc.property(fc.nat(samples.length - 1), fc.nat(), fc.integer({ min: 0x1000, max: 0x3000 }), (which, seed, length) => {
      const sample = samples[which] as Buffer;
      const noise = Buffer.alloc(length);
      let state = seed | 1;
      for (let at = 0; at < length; at++) noise[at] = (state = Math.imul(state, 1664525) + 1013904223) >>> 24;
      both(Buffer.concat([sample.subarray(0, 0x400), noise]));
    }),
    { numRuns: 25 },
  );
});

test('a resource tree that leads back to itself, tables that claim all they can', () => {
  const bytes = Buffer.from(samples[0] as Buffer);
  const pe = mapped(bytes);
  const rsrc = pe.sections.find(({ name }) => name === '.rsrc');
  assert.ok(rsrc);
  // The root's entries lead to the root, and there are as many as the section has room for.
  bytes.writeUInt16LE(0xffff, rsrc.rawOffset + 12);
  for (let at = rsrc.rawOffset + 16; at + 8 <= rsrc.rawOffset + rsrc.rawSize; at += 8) {
    bytes.writeUInt32LE(16, at);
    bytes.writeUInt32LE(0x80000000, at + 4);
  }
  both(bytes);
  assert.ok([...resources(mapped(bytes))].length <= 2);
  const space = new PeFileSpace(Buffer.alloc(0x400, samples[0]?.subarray(0, 0x400)), 'headers only');
  assert.deepEqual([...imports(LoadedPe.read(space, space.base))], []);
});
