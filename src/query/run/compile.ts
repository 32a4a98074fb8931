import { Absent } from '../../memory/absent.js';
import type { BoundFunction } from '../functions/library.js';
import { bindFunction } from '../functions/library.js';
import { atPlace, factsOf } from '../analyse/facts.js';
import type { Choice, Field, FunctionCall, LetTerm, Logical, Operation, PerElementTerm, Range, Scalar, SubqueryTerm, Variable } from '../plan/logical.js';
import type { Type } from '../types.js';
import { negate } from '../values/arithmetic.js';
import type { ValueContext } from '../values/context.js';
import { ValueError } from '../values/error.js';
import { member } from '../values/member.js';
import { compileOperator } from '../values/operators.js';
import { subscript } from '../values/subscript.js';
import { and, not, or, truth } from '../values/truth.js';
import { fastComparison } from './comparisons.js';
import { membership } from './membership.js';
import type { Layout, Tuple } from './tuple.js';

/** The value of an expression for a row. Never throws for a row's values; throws Suspend where a sub-query has to be computed first. */
export type Evaluate = (tuple: Tuple) => unknown;

/** A value that stands for a field or variable from outside of what is compiled. */
export interface Cell {
  value: unknown;
}

export interface CompileContext {
  readonly layout: Layout;
  /** fields of queries around this one, and variables */
  readonly cells: ReadonlyMap<Field | Variable, Cell>;
  readonly values: ValueContext;
  /** what gives the value of a sub-query */
  readonly subquery: (term: SubqueryTerm, context: CompileContext) => Evaluate;
}

/** Compiles an expression to closures, specialised by static types. Throws QueryError for constants that make no sense. */
export function compile(scalar: Scalar, context: CompileContext): Evaluate {
  const of = (part: Scalar): Evaluate => compile(part, context);
  switch (scalar.kind) {
    case 'constant': {
      const { value } = scalar;
      return () => value;
    }
    case 'field':
      return field(scalar.field, context);
    case 'variable':
      return cellReader(scalar.variable, context);
    case 'row': {
      const parts = scalar.fields.map((part) => [part.name, field(part, context)] as const);
      return (tuple) => {
        const row: Record<string, unknown> = {};
        for (const [name, evaluate] of parts) row[name] = evaluate(tuple);
        return row;
      };
    }
    case 'member': {
      const object = of(scalar.object);
      const { name } = scalar;
      const { values } = context;
      return (tuple) => member(object(tuple), name, values);
    }
    case 'index': {
      const object = of(scalar.object);
      const key = of(scalar.key);
      const { values } = context;
      return (tuple) => subscript(object(tuple), key(tuple), values);
    }
    case 'unary': {
      const operand = of(scalar.operand);
      if (scalar.operator === 'not') return (tuple) => not(operand(tuple));
      return scalar.operator === '-' ? (tuple) => negate(operand(tuple)) : operand;
    }
    case 'logical':
      return logical(scalar, context);
    case 'binary':
      return operation(scalar, context);
    case 'between':
      return range(scalar, context);
    case 'is-null': {
      const operand = of(scalar.operand);
      return scalar.negated ? (tuple) => !isMissing(operand(tuple)) : (tuple) => isMissing(operand(tuple));
    }
    case 'case':
      return choice(scalar, context);
    case 'list':
    case 'tuple': {
      const items = scalar.items.map(of);
      return (tuple) => items.map((item) => item(tuple));
    }
    case 'call':
      return call(scalar, context);
    case 'let':
      return letTerm(scalar, context);
    case 'subquery':
      return context.subquery(scalar, context);
    case 'per-element':
    case 'pair':
    case 'aggregate':
      throw new Error(`a ${scalar.kind} cannot stand by itself`);
  }
}

/** A condition: true only where it is known to be true. */
export function compilePredicate(scalar: Scalar, context: CompileContext): (tuple: Tuple) => boolean {
  if (scalar.kind === 'logical' && scalar.operator === 'and') {
    const terms = scalar.terms.map((term) => compilePredicate(term, context));
    const [first, second] = terms;
    if (first && second && terms.length === 2) return (tuple) => first(tuple) && second(tuple);
    return (tuple) => {
      for (const term of terms) if (!term(tuple)) return false;
      return true;
    };
  }
  const evaluate = compile(scalar, context);
  return (tuple) => {
    const value = evaluate(tuple);
    return value === true || (value !== false && truth(value) === true);
  };
}

function isMissing(value: unknown): boolean {
  return value === null || value === undefined || value instanceof Absent;
}

function field(wanted: Field, context: CompileContext): Evaluate {
  const slot = context.layout.get(wanted);
  if (slot === undefined) return cellReader(wanted, context);
  if (typeof slot === 'number') return (tuple) => tuple[slot];
  return (tuple) => tuple[slot];
}

function cellReader(wanted: Field | Variable, context: CompileContext): Evaluate {
  const cell = context.cells.get(wanted);
  if (!cell) throw new Error(`nothing provides ${wanted.name}`);
  return () => cell.value;
}

/** Terms behind one that decides are not computed. */
function logical(scalar: Logical, context: CompileContext): Evaluate {
  const terms = scalar.terms.map((term) => compile(term, context));
  const decisive = scalar.operator === 'or';
  const combine = decisive ? or : and;
  return (tuple) => {
    let known: boolean | null = !decisive;
    for (const term of terms) {
      known = combine(known, term(tuple));
      if (known === decisive) return known;
    }
    return known;
  };
}

function operation(scalar: Operation, context: CompileContext): Evaluate {
  const { operator, left, right } = scalar;
  const { type: leftType } = left;
  const { type: rightType } = right;
  if (operator === 'in' || operator === 'not in') {
    const fast = membership(scalar, context);
    if (fast) return fast;
  }
  const { compute } = atPlace(scalar, () => compileOperator(operator, leftType, rightType, context.values, factsOf(left, right)));
  const a = compile(left, context);
  const b = compile(right, context);
  return fastComparison(scalar, a, b, compute, context) ?? ((tuple) => compute(a(tuple), b(tuple)));
}

function range(scalar: Range, context: CompileContext): Evaluate {
  const compare = (operator: '>=' | '<=', bound: Scalar): ((value: unknown, limit: unknown) => unknown) =>
    atPlace(scalar, () => compileOperator(operator, scalar.operand.type, bound.type, context.values, factsOf(scalar.operand, bound))).compute;
  const atLeast = compare('>=', scalar.low);
  const atMost = compare('<=', scalar.high);
  const operand = compile(scalar.operand, context);
  const low = compile(scalar.low, context);
  const high = compile(scalar.high, context);
  return (tuple) => {
    const value = operand(tuple);
    const within = and(atLeast(value, low(tuple)), atMost(value, high(tuple)));
    return scalar.negated ? not(within) : within;
  };
}

/** Branches are computed only where they are taken. */
function choice(scalar: Choice, context: CompileContext): Evaluate {
  const { operand } = scalar;
  const subject = operand && compile(operand, context);
  const branches = scalar.branches.map(({ when, then }) => ({
    when: compile(when, context),
    equal: operand && atPlace(when, () => compileOperator('==', operand.type, when.type, context.values, factsOf(operand, when))).compute,
    then: compile(then, context),
  }));
  const otherwise: Evaluate = scalar.otherwise ? compile(scalar.otherwise, context) : () => null;
  return (tuple) => {
    const value = subject?.(tuple);
    for (const { when, equal, then } of branches) {
      const condition = when(tuple);
      if (truth(equal ? equal(value, condition) : condition) === true) return then(tuple);
    }
    return otherwise(tuple);
  };
}

function call(scalar: FunctionCall, context: CompileContext): Evaluate {
  const types: Type[] = scalar.args.map(({ type }) => type);
  const constant = scalar.args.every(({ kind }) => kind === 'constant');
  const apply: BoundFunction = bindFunction(scalar.callee, types, context.values, constant);
  const args = scalar.args.map((arg) => argument(arg, context));
  const [first, second] = args;
  if (constant && scalar.callee.pure !== false) {
    const known = atPlace(scalar, () => apply(args.map((arg) => arg(NOTHING))));
    return () => known;
  }
  if (first && args.length === 1) return (tuple) => apply([first(tuple)]);
  if (first && second && args.length === 2) return (tuple) => apply([first(tuple), second(tuple)]);
  return (tuple) => apply(args.map((arg) => arg(tuple)));
}

const NOTHING: Tuple = {};

/** An argument in the form in which its function takes it. */
function argument(scalar: Scalar, context: CompileContext): Evaluate {
  if (scalar.kind === 'pair') {
    const key = compile(scalar.key, context);
    const value = compile(scalar.value, context);
    return (tuple) => [key(tuple), value(tuple)];
  }
  return scalar.kind === 'per-element' ? perElement(scalar, context) : compile(scalar, context);
}

/** Elements of lists, and of lists within them, that may be looked at for one value: nothing hears Ctrl-C meanwhile. A few seconds of work. */
const MOST_ELEMENTS = 1 << 22;
let depth = 0;
let looked = 0;

function perElement(scalar: PerElementTerm, context: CompileContext): Evaluate {
  const cell: Cell = { value: null };
  const body = compile(scalar.body, { ...context, cells: new Map(context.cells).set(scalar.variable, cell) });
  return (tuple) => {
    // A list within a list counts with the elements of the outer one, which it is computed for.
    let inner = 0;
    return (element: unknown) => {
      // The body may come to itself again, through a function of lists inside of it.
      const outer = cell.value;
      cell.value = element;
      depth++;
      if (depth === 1) looked = inner;
      try {
        if (++looked > MOST_ELEMENTS) throw new ValueError(`more than ${MOST_ELEMENTS} elements are looked at for one value`);
        return body(tuple);
      } finally {
        depth--;
        if (depth === 0) inner = looked;
        cell.value = outer;
      }
    };
  };
}

/** The value is computed when it is first read, and once for a row. */
function letTerm(scalar: LetTerm, context: CompileContext): Evaluate {
  const value = compile(scalar.value, context);
  let row: Tuple = NOTHING;
  let computed = false;
  let known: unknown;
  const cell: Cell = {
    get value() {
      if (!computed) {
        known = value(row);
        computed = true;
      }
      return known;
    },
    set value(_) {
      throw new Error('a let is not assigned');
    },
  };
  const body = compile(scalar.body, { ...context, cells: new Map(context.cells).set(scalar.variable, cell) });
  return (tuple) => {
    row = tuple;
    computed = false;
    return body(tuple);
  };
}
