import type { BinaryOperator, Place } from '../../../grammar/efilter-tree.js';
import type { Column } from '../../plugin/columns.js';
import type { CatalogTable } from '../catalog.js';
import type { AggregateFunction, ScalarFunction } from '../functions/function.js';
import type { Type } from '../types.js';

/**
 * A query after analysis: every name is resolved to what it stands for, every expression has a type. Relations have rows, scalars have
 * values. Fields are told apart by identity, not by name: an expression may be moved to wherever its fields are.
 */

/** A column of some relation inside of a query. */
export interface Field {
  readonly name: string;
  readonly type: Type;
  /** how renderers are to print it, with the documentation of the column it came from */
  readonly column: Column;
}

/** A name that stands for one value at a time: a parameter of a function, an element of a list, a `let` inside of an expression. */
export interface Variable {
  readonly name: string;
  readonly type: Type;
}

interface Node extends Place {
  readonly type: Type;
}

export type Scalar =
  | Constant
  | FieldReference
  | VariableReference
  | MemberOf
  | ElementOf
  | Negation
  | Logical
  | Operation
  | Range
  | IsNull
  | Choice
  | Sequence
  | FunctionCall
  | PerElementTerm
  | PairTerm
  | LetTerm
  | SubqueryTerm
  | AggregateCall
  | RowOfFields;

export interface Constant extends Node {
  readonly kind: 'constant';
  readonly value: unknown;
}

export interface FieldReference extends Node {
  readonly kind: 'field';
  readonly field: Field;
}

export interface VariableReference extends Node {
  readonly kind: 'variable';
  readonly variable: Variable;
}

export interface MemberOf extends Node {
  readonly kind: 'member';
  readonly object: Scalar;
  readonly name: string;
}

export interface ElementOf extends Node {
  readonly kind: 'index';
  readonly object: Scalar;
  readonly key: Scalar;
}

export interface Negation extends Node {
  readonly kind: 'unary';
  readonly operator: 'not' | '-' | '+';
  readonly operand: Scalar;
}

/** `a and b and c`: flat, so that a condition of a thousand terms is no thousand levels deep. */
export interface Logical extends Node {
  readonly kind: 'logical';
  readonly operator: 'and' | 'or';
  readonly terms: readonly Scalar[];
}

export interface Operation extends Node {
  readonly kind: 'binary';
  readonly operator: Exclude<BinaryOperator, 'and' | 'or'>;
  readonly left: Scalar;
  readonly right: Scalar;
}

export interface Range extends Node {
  readonly kind: 'between';
  readonly operand: Scalar;
  readonly low: Scalar;
  readonly high: Scalar;
  readonly negated: boolean;
}

export interface IsNull extends Node {
  readonly kind: 'is-null';
  readonly operand: Scalar;
  readonly negated: boolean;
}

export interface Choice extends Node {
  readonly kind: 'case';
  readonly operand?: Scalar;
  readonly branches: readonly { readonly when: Scalar; readonly then: Scalar }[];
  readonly otherwise?: Scalar;
}

/** A list `(a, b)` or a tuple `[a, b]`. */
export interface Sequence extends Node {
  readonly kind: 'list' | 'tuple';
  readonly items: readonly Scalar[];
}

export interface FunctionCall extends Node {
  readonly kind: 'call';
  readonly callee: ScalarFunction;
  readonly args: readonly Scalar[];
}

/** An argument that is computed for each element of a list: `pid > 4` in `filter(children, pid > 4)`. Its type is that of its body. */
export interface PerElementTerm extends Node {
  readonly kind: 'per-element';
  readonly variable: Variable;
  readonly body: Scalar;
}

/** `key: value` in `bind(…)`. */
export interface PairTerm extends Node {
  readonly kind: 'pair';
  readonly key: Scalar;
  readonly value: Scalar;
}

export interface LetTerm extends Node {
  readonly kind: 'let';
  readonly variable: Variable;
  readonly value: Scalar;
  readonly body: Scalar;
}

export interface SubqueryTerm extends Node {
  readonly kind: 'subquery';
  readonly relation: Relation;
  /**
   * `scalar`: the one column of the first row, null where there is none; `list`: the values of the one column; `rows`: rows as objects;
   * `exists`: whether there is a row
   */
  readonly as: 'scalar' | 'list' | 'rows' | 'exists';
}

/** Stands in trees only between the analysis of a select and its grouping. */
export interface AggregateCall extends Node {
  readonly kind: 'aggregate';
  readonly callee: AggregateFunction;
  readonly args: readonly Scalar[];
  readonly distinct: boolean;
}

/** A whole row of a source as one value: `p` in `select p from pslist() p`. */
export interface RowOfFields extends Node {
  readonly kind: 'row';
  readonly fields: readonly Field[];
}

export type Relation = TableScan | ListScan | OneRow | Filter | Project | Join | Group | Sort | Limit | Distinct | SetOperationOf | SharedScan;

/** Rows of a catalog's table. */
export interface TableScan {
  readonly kind: 'table';
  readonly table: CatalogTable;
  readonly args: ReadonlyMap<string, Scalar>;
  readonly fields: readonly Field[];
  /** the alias, or the table's name */
  readonly alias: string;
  readonly place: Place;
}

/** Rows of a list: each element is one. */
export interface ListScan {
  readonly kind: 'list';
  readonly value: Scalar;
  /** the one column is the element itself; otherwise columns are members of the elements */
  readonly whole: boolean;
  readonly fields: readonly Field[];
}

/** The one row without columns of `select 1 + 1`. */
export interface OneRow {
  readonly kind: 'one';
  readonly fields: readonly [];
}

export interface Filter {
  readonly kind: 'filter';
  readonly input: Relation;
  readonly predicate: Scalar;
  readonly fields: readonly Field[];
}

export interface Project {
  readonly kind: 'project';
  readonly input: Relation;
  /** one for each field */
  readonly items: readonly Scalar[];
  readonly fields: readonly Field[];
}

export interface Join {
  readonly kind: 'join';
  readonly type: 'inner' | 'left';
  readonly left: Relation;
  readonly right: Relation;
  readonly condition?: Scalar;
  readonly fields: readonly Field[];
}

export interface Aggregate {
  readonly field: Field;
  readonly callee: AggregateFunction;
  readonly args: readonly Scalar[];
  readonly distinct: boolean;
}

export interface Group {
  readonly kind: 'group';
  readonly input: Relation;
  readonly keys: readonly { readonly field: Field; readonly value: Scalar }[];
  readonly aggregates: readonly Aggregate[];
  readonly fields: readonly Field[];
}

export interface SortKey {
  readonly value: Scalar;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface Sort {
  readonly kind: 'sort';
  readonly input: Relation;
  readonly keys: readonly SortKey[];
  readonly fields: readonly Field[];
}

export interface Limit {
  readonly kind: 'limit';
  readonly input: Relation;
  readonly limit?: Scalar;
  readonly offset?: Scalar;
  readonly fields: readonly Field[];
}

export interface Distinct {
  readonly kind: 'distinct';
  readonly input: Relation;
  readonly fields: readonly Field[];
}

/** The rows of `left` and `right` are matched column by column, in order. */
export interface SetOperationOf {
  readonly kind: 'set';
  readonly operator: 'union' | 'union all' | 'except' | 'intersect';
  readonly left: Relation;
  readonly right: Relation;
  readonly fields: readonly Field[];
}

/** A table of a `with`: computed once, however often it is read. Each reading has fields of its own. */
export interface SharedScan {
  readonly kind: 'shared';
  readonly shared: Shared;
  readonly fields: readonly Field[];
}

export interface Shared {
  readonly name: string;
  readonly relation: Relation;
}
