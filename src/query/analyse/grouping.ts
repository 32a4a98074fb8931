import { QueryError } from '../error.js';
import type { Aggregate, Field, Group, Relation, Scalar, SortKey } from '../plan/logical.js';
import { rewrite } from '../plan/walk.js';
import { toColumn } from '../types.js';
import { nameOfScalar, sameScalar } from './same.js';

/** What is computed from groups: columns, `having`, keys of `order by`. */
export interface Grouped {
  readonly items: readonly Scalar[];
  readonly having: Scalar | undefined;
  readonly order: readonly SortKey[];
}

/**
 * Groups rows by `keys` and computes the aggregates in these expressions; what remains of them reads the columns of the groups.
 * Throws QueryError for a column that is neither a key nor inside of an aggregate: it has many values in a group.
 */
export function grouped(input: Relation, keys: readonly Scalar[], of: Grouped): Grouped & { readonly relation: Relation } {
  const keyFields = keys.map((value, index) => ({ value, field: fieldFor(value, nameOfScalar(value) ?? `key_${index}`) }));
  const aggregates: Aggregate[] = [];
  const own = new Set<Field>(input.fields);
  const onGroups = (scalar: Scalar): Scalar =>
    rewrite(scalar, (part) => {
      const key = keyFields.find(({ value }) => sameScalar(value, part));
      if (key) return { kind: 'field', field: key.field, type: part.type, start: part.start, end: part.end };
      if (part.kind === 'aggregate') {
        const known = aggregates.find(
          (aggregate) => aggregate.callee === part.callee && aggregate.distinct === part.distinct && sameScalars(aggregate.args, part.args),
        );
        const aggregate = known ?? { field: fieldFor(part, part.callee.name), callee: part.callee, args: part.args, distinct: part.distinct };
        if (!known) aggregates.push(aggregate);
        return { kind: 'field', field: aggregate.field, type: part.type, start: part.start, end: part.end };
      }
      const loose =
        part.kind === 'field' && own.has(part.field)
          ? part.field.name
          : part.kind === 'row' && part.fields.some((field) => own.has(field))
            ? 'a whole row'
            : undefined;
      if (loose !== undefined) {
        const made = keys.length === 0 ? '' : ` (groups are made by ${keys.map((key) => nameOfScalar(key) ?? 'an expression').join(', ')})`;
        throw new QueryError(`${loose} has many values in a group${made}: add it to group by, or take first(${loose}).`, part);
      }
      return undefined;
    });
  const items = of.items.map(onGroups);
  const having = of.having && onGroups(of.having);
  const order = of.order.map((key) => ({ ...key, value: onGroups(key.value) }));
  const fields = [...keyFields.map(({ field }) => field), ...aggregates.map(({ field }) => field)];
  const relation: Group = { kind: 'group', input, keys: keyFields, aggregates, fields };
  return { relation, items, having, order };
}

function sameScalars(a: readonly Scalar[], b: readonly Scalar[]): boolean {
  return a.length === b.length && a.every((one, index) => sameScalar(one, b[index] as Scalar));
}

function fieldFor(value: Scalar, name: string): Field {
  return { name, type: value.type, column: value.kind === 'field' ? value.field.column : toColumn(value.type, '') };
}
