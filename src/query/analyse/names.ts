import type { Expression } from '../../../grammar/efilter-tree.js';

/**
 * The column's name that an expression gives itself, as EFILTER had it: the last member or function, `x_key` for `x[key]`; undefined
 * where it has none (then it is `column_N`).
 */
export function nameOf(value: Expression): string | undefined {
  switch (value.kind) {
    case 'name':
      return value.name;
    case 'member':
      return value.name;
    case 'call':
      return value.name;
    case 'index': {
      const object = nameOf(value.object);
      const key = value.key.kind === 'literal' ? String(value.key.value) : nameOf(value.key);
      return object === undefined || key === undefined ? undefined : `${object}_${key}`;
    }
    case 'let':
      return nameOf(value.body);
    default:
      return undefined;
  }
}

/** A column about to be named. */
export interface Unnamed {
  /** given with `as`: kept as it is */
  readonly as?: string;
  /** the name that it gives itself */
  readonly own?: string;
  /** the source it comes from, which tells it from a column of the same name */
  readonly of?: string;
}

/**
 * Names for the columns of a select, each once: what clashes is told apart by its source (`p_name`, `c_name`), and by its number
 * where that does not help (`column_2`).
 */
export function uniqueNames(columns: readonly Unnamed[]): string[] {
  const counts = new Map<string, number>();
  for (const { as, own } of columns) {
    const name = as ?? own;
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const taken = new Set(columns.flatMap(({ as }) => (as === undefined ? [] : [as])));
  return columns.map(({ as, own, of }, index) => {
    if (as !== undefined) return as;
    const alone = own !== undefined && counts.get(own) === 1 ? own : undefined;
    const candidates = [alone, own !== undefined && of !== undefined ? `${of}_${own}` : undefined, own, `column_${index}`, `column_${index}_`];
    let name = candidates.find((candidate) => candidate !== undefined && !taken.has(candidate));
    for (let count = 2; name === undefined; count++) if (!taken.has(`column_${index}_${count}`)) name = `column_${index}_${count}`;
    taken.add(name);
    return name;
  });
}
