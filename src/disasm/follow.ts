import type { AddressSpace } from '../memory/space.js';
import type { Disassembler } from './decode.js';
import { after, type Flow, type Instruction, type UnreadableCode } from './instruction.js';

/** Instructions that following branches visits at most. */
const MOST = 20_000;

const TOP = 1n << 64n;
/** What has nothing behind it that is reached. UD2 is not among them: Linux resumes behind a WARN (arch/x86/include/asm/bug.h). */
const ENDS: ReadonlySet<Flow> = new Set(['return', 'indirect jump']);

interface Place {
  readonly at: bigint;
  readonly depth: number;
}

/** Code with the number of branches that were taken to reach it. */
export interface Followed {
  readonly code: Instruction | UnreadableCode;
  readonly depth: number;
}

/**
 * The code that can be reached from an address, depth first: behind a branch or a call stands what it leads to, one level deeper, then what follows it.
 * Each instruction is given once. Indirect branches and targets that `inside` refuses are not followed.
 * @param inside which addresses belong to the code that is wanted: the function's own
 */
export function* follow(
  disassembler: Disassembler,
  space: AddressSpace,
  from: bigint,
  inside: (address: bigint) => boolean,
  most = MOST,
): Generator<Followed, 'done' | 'too much', undefined> {
  const visited = new Set<bigint>();
  const pending: Place[] = [{ at: from, depth: 0 }];
  for (let place = pending.pop(); place; place = pending.pop()) {
    const { at, depth } = place;
    for (const code of disassembler.decode(space, at, TOP)) {
      if (visited.has(code.address) || !inside(code.address)) break;
      if (visited.size >= most) return 'too much';
      visited.add(code.address);
      yield { code, depth };
      if (code.kind === 'unreadable' || ENDS.has(code.flow)) break;
      const target = branchTarget(code);
      const leads = target !== undefined && inside(target) && !visited.has(target);
      if (!leads && code.flow !== 'jump') continue;
      // What is pushed last is looked at first: where the branch leads, then what follows it.
      if (code.flow !== 'jump') pending.push({ at: after(code), depth });
      if (leads) pending.push({ at: target, depth: depth + 1 });
      break;
    }
  }
  return 'done';
}

function branchTarget(code: Instruction): bigint | undefined {
  for (const reference of code.references) if (reference.kind === 'branch') return reference.target;
  return undefined;
}
