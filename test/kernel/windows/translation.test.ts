import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { findProcesses, METHODS, pidOf } from '../../../src/kernel/windows/processes.js';
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
  readonly ptes: readonly { va: string; kind: string; pte_value: string; physical: string | null; pagefile_offset?: string | null }[];
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
    if (walk.kind === 'prototype via VAD') continue;
    const stated = walk.physical ?? walk.resolved_physical ?? null;
    const physical = stated === null ? undefined : Number(stated);
    assert.equal(way.physical, physical, walk.va);
    assert.equal(space.translate(BigInt(walk.va)), physical, walk.va);
    count++;
  }
  assert.ok(count > 300, `${count}`);
  session.close();
});

test('pages in transition, behind prototypes, in the page file and never touched are what the truth says', { skip }, async () => {
  const session = await replicaSession();
  const kernel = (await session.kernel()) as WindowsKernel;
  const processes = new Map(findProcesses(kernel, METHODS).filter(({ process }) => kernel.dtbOf(process) !== 0).map(({ process }) => [pidOf(process), process]));
  const words: Readonly<Record<string, RegExp>> = { transition: /transition/, pagefile: /page file/, demand: /demand zero/, prototype: /prototype/ };
  const seen = new Map<string, number>();
  for (const { pid, ptes } of replicaTruth<Special[]>('special_ptes')) {
    const process = processes.get(pid);
    assert.ok(process, `process ${pid}`);
    const space = kernel.spaceOf(process);
    for (const pte of ptes) {
      if (pte.kind === 'prototype via VAD') continue;
      const way = space.walk(BigInt(pte.va));
      const last = way.steps.at(-1);
      assert.equal(last?.value, BigInt(pte.pte_value), pte.va);
      assert.match(last?.reason ?? '', words[pte.kind] ?? /never/, `${pte.va} ${pte.kind}`);
      assert.equal(way.physical, pte.physical === null ? undefined : Number(pte.physical), `${pid} ${pte.va} ${pte.kind}`);
      if (typeof pte.pagefile_offset === 'string') assert.ok(last?.reason?.includes(pte.pagefile_offset), last?.reason);
      seen.set(pte.kind, (seen.get(pte.kind) ?? 0) + 1);
    }
  }
  for (const kind of Object.keys(words)) assert.ok((seen.get(kind) ?? 0) > 30, `${kind}: ${seen.get(kind)}`);
  session.close();
});
