import type { Forge } from './forge.js';
import type { FrameUse } from './machine.js';

/** `_MMLISTS`: on which list a page stands. */
const LIST = { zeroed: 0, free: 1, standby: 2, modified: 3, active: 6 } as const;

/**
 * The PFN database: for each frame what it is and where its entry stands ("Windows Internals", part 1, chapter 5, "PFN data structures").
 * It describes its own pages, too: they are mapped before the first entry is written.
 */
export function writePfnDatabase(forge: Forge): { readonly address: bigint; readonly pages: number } {
  const { machine, system, plan } = forge;
  const size = forge.size('_MMPFN');
  const pages = Math.ceil((machine.pages * size) / 4096);
  // Only the pages that describe memory in use are there; the others would describe free frames alone.
  const needed = (): Set<number> => {
    const found = new Set<number>();
    for (const frame of machine.frames.keys()) for (const at of [frame * size, (frame + 1) * size - 1]) found.add(Math.floor(at / 4096));
    return found;
  };
  const mapped = new Set<number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const page of needed()) {
      if (mapped.has(page)) continue;
      mapped.add(page);
      system.fresh(plan.pfn + BigInt(page * 4096), { write: true });
      changed = true;
    }
  }
  for (let frame = 0; frame < machine.pages; frame++) {
    const at = plan.pfn + BigInt(frame * size);
    if (system.frameOf(at) === undefined || system.frameOf(at + BigInt(size - 1)) === undefined) continue;
    const use = machine.uses.get(frame);
    if (!use || !machine.frames.has(frame)) {
      forge.put('_MMPFN', at, { u3: { e1: { PageLocation: LIST.free } } });
      continue;
    }
    forge.put('_MMPFN', at, valuesOf(use));
  }
  return { address: plan.pfn, pages };
}

function valuesOf(use: FrameUse): Parameters<Forge['put']>[2] {
  const active = use.kind === 'page' || (use.kind === 'prototype' && use.state === 'active');
  const location = active ? LIST.active : use.kind === 'prototype' && use.state === 'modified' ? LIST.modified : LIST.standby;
  const share = use.kind === 'prototype' ? use.share : active ? 1 : 0;
  return {
    PteAddress: use.pte,
    u2: active ? { ShareCount: Math.max(1, share) } : {},
    u3: { ReferenceCount: active ? 1 : 0, e1: { PageLocation: location, CacheAttribute: 1, Priority: 5, Modified: use.kind === 'page' ? 1 : 0 } },
    OriginalPte: { u: { Long: 'original' in use ? use.original : 0x80n } },
    u4: { PteFrame: use.table, PrototypePte: use.kind === 'prototype' ? 1 : 0 },
  };
}
