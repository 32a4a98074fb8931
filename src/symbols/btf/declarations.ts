import type { TypeDescriptor } from '../types.js';
import type { BtfBlob } from './blob.js';
import { BtfError, Kind, kindOf, lengthOf } from './format.js';

/** A function and what it takes. */
export interface BtfFunction {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: TypeDescriptor }[];
  readonly returns: TypeDescriptor;
  /** its last parameter is `…` */
  readonly variadic: boolean;
}

/** A variable with its place in a section: the kernel's BTF has its per-CPU variables. */
export interface BtfVariable {
  readonly name: string;
  readonly type: TypeDescriptor;
  /** `.data..percpu`; absent when no section lists it */
  readonly section?: string;
  /** bytes from the start of the section */
  readonly offset?: number;
  readonly size?: number;
}

type Describe = (id: number) => TypeDescriptor;

/** The functions of a blob (BTF_KIND_FUNC, each with its BTF_KIND_FUNC_PROTO), in its order. */
export function* declaredFunctions(blob: BtfBlob, describe: Describe): Generator<BtfFunction> {
  for (let id = blob.firstId; id < blob.endId; id++) {
    if (kindOf(blob.word(id, 1)) !== Kind.Function) continue;
    const prototype = blob.word(id, 2);
    const holder = blob.holder(prototype);
    if (kindOf(holder.word(prototype, 1)) !== Kind.Prototype) throw new BtfError(`BTF function ${id} has no prototype`);
    const count = lengthOf(holder.word(prototype, 1));
    const parameters: { name: string; type: TypeDescriptor }[] = [];
    let variadic = false;
    for (let at = 3; at < 3 + 2 * count; at += 2) {
      const type = holder.word(prototype, at + 1);
      // btf.rst: an ellipsis is a last parameter without name and type.
      if (type === 0) variadic = true;
      else parameters.push({ name: holder.text(holder.word(prototype, at)), type: describe(type) });
    }
    yield { name: blob.text(blob.word(id, 0)), parameters, returns: describe(holder.word(prototype, 2)), variadic };
  }
}

/** The variables of a blob: those that a BTF_KIND_DATASEC lists, with their place, then the others. */
export function* declaredVariables(blob: BtfBlob, describe: Describe): Generator<BtfVariable> {
  const decode = (id: number): BtfVariable => ({ name: blob.text(blob.word(id, 0)), type: describe(blob.word(id, 2)) });
  const placed = new Set<number>();
  for (let id = blob.firstId; id < blob.endId; id++) {
    if (kindOf(blob.word(id, 1)) !== Kind.DataSection) continue;
    const section = blob.text(blob.word(id, 0));
    const end = 3 + 3 * lengthOf(blob.word(id, 1));
    for (let at = 3; at < end; at += 3) {
      const variable = blob.word(id, at);
      // A section of a blob lists the blob's own variables.
      if (variable < blob.firstId || variable >= blob.endId || kindOf(blob.word(variable, 1)) !== Kind.Variable)
        continue;
      placed.add(variable);
      yield { ...decode(variable), section, offset: blob.word(id, at + 1), size: blob.word(id, at + 2) };
    }
  }
  for (let id = blob.firstId; id < blob.endId; id++) {
    if (kindOf(blob.word(id, 1)) === Kind.Variable && !placed.has(id)) yield decode(id);
  }
}
