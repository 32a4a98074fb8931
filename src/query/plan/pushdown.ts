import type { Arg } from '../../plugin/args.js';
import type { Scalar, TableScan } from './logical.js';

/** A condition that a table can apply itself. */
export interface Pushed {
  readonly name: string;
  readonly arg: Arg;
  readonly value: Scalar;
  readonly text: string;
}

/** Conditions that arguments of the table stand for, so that it gives fewer rows which would be dropped anyway. */
export function pushable(relation: TableScan, conditions: readonly Scalar[]): Pushed[] {
  void relation;
  void conditions;
  return [];
}
