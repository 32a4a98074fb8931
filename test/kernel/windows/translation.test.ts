import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { findProcesses, METHODS, pidOf } from '../../../src/kernel/windows/processes/processes.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Walk {
  readonly process: string;
  readonly va: string;
  readonly dtb: string;
  readonly pml4e?: string;
  readonly pdpte?: string;
  readonly pde?: string;
  readonly pte?: string;
  readonly large?: boolean;
  readonly physical: string | null;
  /** through what Windows keeps behind an entry that is not present */
  readonly resolved_physical?: string | null;
  readonly kind?: string;
}
interface Special {
  readonly pid: number;
  readonly ptes: readonly { va: string; kind: string; pte_value: string; physical: string | null; pagefile_offset?: string | null; prototype_pte_va?: string }[];
}

test('every entry on the way of an address is that of the truth', { skip }, async () => {
  const session = await replicaSession();
  const kernel = (await session.kernel()) as WindowsKernel;
  const spaces = new Map(findProcesses(kernel, METHODS).map(({ process }) => [kernel.dtbOf(process), kernel.spaceOf(process)]));
  let count = 0;
  for (const walk of replicaTruth<Walk[]>('vtop')) {
    const space = spaces.get(Number(walk.dtb)) ?? kernel.space;
    assert.equal(space.dtb, Number(walk.dtb), walk.process);
    const way = space.walk(BigInt(walk.va));
    const entries = [walk.pml4e, walk.pdpte, walk.pde, walk.pte].filter((entry) => entry !== undefined);
    assert.deepEqual(way.steps.map((step) => step.value), entries.map(BigInt), walk.va);
    const stated = walk.physical ?? walk.resolved_physical ?? null;
    const physical = stated === null ? undefined : Number(stated);
    assert.equal(way.physical, physical, walk.va);
    assert.equal(space.translate(BigInt(walk.va)), physical, walk.va);
    count++;
  }
  assert.equal(count, 579);
  session.close();
});

test('pages in transition, behind prototypes, in the page file and never touched are what the truth says', { skip }, async () => {
  const session = await replicaSession();
  const kernel = (await session.kernel()) as WindowsKernel;
  const processes = new Map(findProcesses(kernel, METHODS).filter(({ process }) => kernel.dtbOf(process) !== 0).map(({ process }) => [pidOf(process), process]));
  const words: Readonly<Record<string, RegExp>> = {
    transition: /^transition: on the standby or modified list, still in memory$/,
    pagefile: /^in page file 0 at offset 0x/,
    demand: /^demand zero: never touched, in a private \w+( \| \w+)? region$/,
    prototype: /^prototype at 0xfffff8a0[0-9a-f]{8}: (valid, shared|in transition, still in memory), (\\.+|shared memory) \+0x[0-9a-f]+$/,
    'prototype via VAD': /^described by its VAD, prototype at 0xfffff8a0[0-9a-f]{8}: (valid, shared|in transition, still in memory), (\\.+|shared memory) \+0x[0-9a-f]+$/,
  };
  const seen = new Map<string, number>();
  for (const { pid, ptes } of replicaTruth<Special[]>('special_ptes')) {
    const process = processes.get(pid);
    assert.ok(process, `process ${pid}`);
    const space = kernel.spaceOf(process);
    for (const pte of ptes) {
      const way = space.walk(BigInt(pte.va));
      const last = way.steps.at(-1);
      assert.equal(last?.value, BigInt(pte.pte_value), pte.va);
      assert.match(last?.reason ?? '', words[pte.kind] ?? /never/, `${pte.va} ${pte.kind}`);
      assert.equal(way.physical, pte.physical === null ? undefined : Number(pte.physical), `${pid} ${pte.va} ${pte.kind}`);
      assert.equal(space.translate(BigInt(pte.va)), way.physical, pte.va);
      if (typeof pte.pagefile_offset === 'string') assert.ok(last?.reason?.endsWith(` ${pte.pagefile_offset}`), last?.reason);
      if (pte.prototype_pte_va !== undefined) {
        const [prototype] = way.behind ?? [];
        assert.equal(prototype?.address, kernel.space.translate(BigInt(pte.prototype_pte_va)), pte.va);
        assert.ok(prototype?.reason?.startsWith(`at ${pte.prototype_pte_va}: `), prototype?.reason);
        // The prototype names the frame, valid or in transition.
        assert.equal(Number((prototype?.value ?? 0n) & 0xffffff000n), way.physical);
      }
      seen.set(pte.kind, (seen.get(pte.kind) ?? 0) + 1);
    }
  }
  assert.deepEqual(Object.fromEntries(seen), { demand: 850, transition: 850, pagefile: 883, prototype: 2149, 'prototype via VAD': 573 });
  session.close();
});
