import { Absent } from '../../memory/absent.js';
import type { Project } from '../plan/logical.js';
import type { Evaluate } from './compile.js';
import type { Step } from './step.js';
import { type Tuple, tupleOf } from './tuple.js';

/** True where a table's rows have all these columns under their names already, and no others. */
export function passesRows({ items, fields, input }: Project, step: Step): boolean {
  let source = input;
  while (source.kind === 'filter' || source.kind === 'limit') source = source.input;
  return (
    source.kind === 'table' &&
    step.layout.size === fields.length &&
    source.fields.length === fields.length &&
    items.every((item, index) => item.kind === 'field' && step.layout.get(item.field) === fields[index]?.name)
  );
}

/** Rows as they are; cells that could not be read are counted. */
export function sameRows(names: readonly string[], onFault: () => void): (tuple: Tuple) => Tuple {
  return (tuple) => {
    for (let index = 0; index < names.length; index++) {
      const value = tuple[names[index] as string];
      if (typeof value === 'object' && value !== null && value instanceof Absent && value.kind !== 'not-applicable') onFault();
    }
    return tuple;
  };
}

/** True where rows come as a table that is a tree gives them: then they keep their depth. */
export function isTree({ input, fields }: Project): boolean {
  let source = input;
  while (source.kind === 'filter' || source.kind === 'limit') source = source.input;
  return source.kind === 'table' && fields.some(({ column }) => column.tree === true);
}

/** What makes a tuple of values. */
export function projection(items: readonly Evaluate[]): (tuple: Tuple) => Tuple {
  const width = items.length;
  return (tuple) => {
    const values = new Array<unknown>(width);
    for (let index = 0; index < width; index++) values[index] = (items[index] as Evaluate)(tuple);
    return tupleOf(values);
  };
}

/** What makes a row of values, keyed by name; `onFault` is told of each that could not be read. */
export function rowProjection(items: readonly Evaluate[], names: readonly string[], tree: boolean, onFault: () => void): (tuple: Tuple) => Tuple {
  // A copy of an object with all its names is quicker than an object that grows by one name after the other.
  const template: Record<string, unknown> = {};
  for (const name of names) template[name] = null;
  const width = items.length;
  return (tuple) => {
    const row: Record<string, unknown> = { ...template };
    for (let index = 0; index < width; index++) {
      const value = (items[index] as Evaluate)(tuple);
      if (typeof value === 'object' && value !== null && value instanceof Absent && value.kind !== 'not-applicable') onFault();
      row[names[index] as string] = value;
    }
    if (tree && tuple['$depth'] !== undefined) row['$depth'] = tuple['$depth'];
    return row;
  };
}
