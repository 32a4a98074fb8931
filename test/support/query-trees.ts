import fc from './property.js';
import type { BinaryOperator, Expression, Query, QueryStatement, Select, Tail } from '../../grammar/efilter-tree.js';

/** Random trees of the query language, for properties. Places are made up: compare with {@link bare}. */

const at = { start: 0, end: 0 };

/** A tree without its places, so that trees of different texts compare. */
export function bare(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(bare);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => key !== 'start' && key !== 'end' && key !== 'at' && value !== undefined)
      .map(([key, value]) => [key, bare(value)]),
  );
}

/** Names as columns have them, among them words of the language, and names that need quotes. */
const name = fc.oneof(
  fc.constantFrom('name', 'pid', '_EPROCESS', 'x', 'y', 'start', 'end', 'type', 'key', 'value'),
  fc.constantFrom('limit', 'offset', 'any', 'first', 'last', 'left', 'join', 'order', 'group', 'by', 'is', 'like', 'then', 'else', 'when', 'case', 'nulls', 'asc', 'desc'),
  fc.constantFrom('select', 'from', 'where', 'and', 'or', 'not', 'in', 'null', 'true', 'let', 'if', 'with', 'exists', 'distinct', 'all', 'as', 'on', 'using', 'between'),
  fc.constantFrom('union', 'except', 'intersect', 'having', 'view', 'create', 'drop', 'explain', 'analyze', 'replace', 'outer', 'inner', 'cross', 'isa', 'right', 'full'),
  fc.constantFrom('two words', 'tick`ed', '1st', 'ünïcode', 'a.b', ' '),
);

const literal: fc.Arbitrary<Expression> = fc
  .oneof(
    fc.string({ maxLength: 8 }),
    fc.string({ unit: fc.constantFrom('\\', '"', "'", 'n', 't', '\n', '\t', '\r', '\b', 'x', '`'), maxLength: 6 }),
    fc.nat(),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
    fc.boolean(),
    fc.constant(null),
  )
  .map((value) => ({ kind: 'literal', value, ...at }));

const operators: readonly BinaryOperator[] = ['or', 'and', '==', '!=', '<', '<=', '>', '>=', '=~', '!~', 'in', 'not in', 'like', 'not like', '+', '-', '*', '/', '%', '||'];
/** Forms whose arguments are conditions, so that `name =` compares in them. */
const CONDITIONS = new Set(['map', 'filter', 'sort', 'any', 'each', 'cast']);

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const trees = fc.letrec<{ expression: Expression; query: Query; select: Select; element: Expression; tail: Tail }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'tree' },
    literal,
    name.map((text): Expression => ({ kind: 'name', name: text, ...at })),
    fc.oneof(name, fc.nat({ max: 9 })).filter((one) => typeof one === 'number' || /^[A-Za-z]\w*$/.test(one)).map((one): Expression => ({ kind: 'parameter', name: one, ...at })),
    fc.record({ object: tie('expression'), name }).map((one): Expression => ({ kind: 'member', ...one, at, ...at })),
    fc.record({ object: tie('expression'), key: tie('expression') }).map((one): Expression => ({ kind: 'index', ...one, ...at })),
    fc
      .record({
        name,
        args: fc.array(fc.record({ name: optional(name), equals: optional(fc.constant(true as const)), value: tie('expression') }), { maxLength: 3 }),
        distinct: optional(fc.constant(true as const)),
        star: optional(fc.constant(true as const)),
      })
      .map(({ name: called, args, distinct, star }): Expression => ({
        kind: 'call',
        name: called,
        at,
        args: star ? [] : args.map((arg) => ({ value: arg.value, name: arg.name, equals: arg.name === undefined || CONDITIONS.has(called) ? undefined : arg.equals, ...at })),
        distinct: star || args.length === 0 ? undefined : distinct,
        star,
        ...at,
      }) as Expression)
      .filter((one) => one.kind !== 'call' || one.distinct === undefined || one.args[0]?.name === undefined),
    fc.record({ operator: fc.constantFrom('not', '-', '+'), operand: tie('expression') }).map((one): Expression => ({ kind: 'unary', ...one, ...at }) as Expression),
    fc.record({ operator: fc.constantFrom(...operators), left: tie('expression'), right: tie('expression') }).map((one): Expression => ({ kind: 'binary', ...one, at, ...at })),
    fc.record({ operand: tie('expression'), low: tie('expression'), high: tie('expression'), negated: fc.boolean() }).map((one): Expression => ({ kind: 'between', ...one, ...at })),
    fc.record({ operand: tie('expression'), negated: fc.boolean() }).map((one): Expression => ({ kind: 'is-null', ...one, ...at })),
    fc
      .record({
        style: fc.constantFrom('case', 'if'),
        operand: optional(tie('expression')),
        branches: fc.array(fc.record({ when: tie('expression'), then: tie('expression') }), { minLength: 1, maxLength: 3 }),
        otherwise: optional(tie('expression')),
      })
      .map((one): Expression => ({ kind: 'case', ...one, operand: one.style === 'case' ? one.operand : undefined, ...at }) as Expression)
      // Several branches of an `if` without an end.
      .filter((one) => one.kind === 'case'),
    fc.array(tie('element'), { maxLength: 3 }).filter((items) => items.length !== 1).map((items): Expression => ({ kind: 'list', items, ...at })),
    fc.array(tie('element'), { maxLength: 3 }).map((items): Expression => ({ kind: 'tuple', items, ...at })),
    fc
      .record({
        bindings: fc.array(fc.record({ name, parameters: optional(fc.array(name, { maxLength: 2 })), value: tie('expression') }), { minLength: 1, maxLength: 2 }),
        body: tie('expression'),
      })
      .map(({ bindings, body }): Expression => ({ kind: 'let', bindings: bindings.map((one) => ({ ...one, at, ...at })), body, ...at }) as Expression),
    fc.record({ query: tie('query'), any: optional(fc.constant(true as const)) }).map((one): Expression => ({ kind: 'subquery', ...one, ...at }) as Expression),
  ),
  element: fc.oneof(
    { weight: 4, arbitrary: tie('expression') },
    { weight: 1, arbitrary: fc.record({ key: tie('expression'), value: tie('expression') }).map((one): Expression => ({ kind: 'pair', ...one, ...at })) },
  ),
  tail: fc.record({
    orderBy: fc.array(
      fc.record({ value: tie('expression'), descending: fc.boolean(), nulls: optional(fc.constantFrom('first' as const, 'last' as const)) }).map((one) => ({ ...one, ...at })),
      { maxLength: 2 },
    ),
    limit: optional(tie('expression')),
    offset: optional(tie('expression')),
  }) as fc.Arbitrary<Tail>,
  select: fc
    .record({
      distinct: fc.boolean(),
      items: fc.array(
        fc.oneof(
          fc.constant({ kind: 'star' as const, ...at }),
          name.map((table) => ({ kind: 'star' as const, table, ...at })),
          fc.record({ value: tie('expression'), as: optional(name) }).map((one) => ({ kind: 'column' as const, ...one, ...at })),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      from: fc
        .array(
          fc.record({
            value: tie('expression'),
            alias: optional(name),
            join: fc.record({
              kind: fc.constantFrom('inner', 'left', 'cross'),
              condition: fc.oneof(fc.constant({}), tie('expression').map((on) => ({ on })), fc.array(name, { minLength: 1, maxLength: 2 }).map((using) => ({ using }))),
            }),
          }),
          { maxLength: 2 },
        )
        .map((all) => all.map(({ value, alias, join }, index) => ({ value, alias, join: index === 0 ? undefined : { kind: join.kind, ...join.condition }, ...at }))),
      where: optional(tie('expression')),
      groupBy: fc.array(tie('expression'), { maxLength: 2 }),
      having: optional(tie('expression')),
    })
    .map((one) => ({ kind: 'select', ...one, orderBy: [], ...at })) as unknown as fc.Arbitrary<Select>,
  query: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'tree' },
    fc.tuple(tie('select'), tie('tail')).map(([select, tail]): Query => ({ ...select, ...tail })),
    fc
      .record({ operator: fc.constantFrom('union', 'union all', 'except', 'intersect'), left: tie('query'), right: tie('query'), tail: tie('tail') })
      .map(({ tail, ...one }): Query => ({ kind: 'set', ...one, ...tail, ...at }) as Query),
    fc
      .record({ tables: fc.array(fc.record({ name, columns: optional(fc.array(name, { minLength: 1, maxLength: 2 })), query: tie('query') }), { minLength: 1, maxLength: 2 }), body: tie('query') })
      .map(({ tables, body }): Query => ({ kind: 'with', tables: tables.map((one) => ({ ...one, ...at })), body, ...at }) as Query),
  ),
}));

export const expressions = trees.expression;
export const queries = trees.query;

export const statements: fc.Arbitrary<QueryStatement> = fc.oneof(
  { weight: 6, arbitrary: expressions.map((value): QueryStatement => ({ kind: 'evaluate', value, ...at })) },
  { weight: 3, arbitrary: queries.map((query): QueryStatement => ({ kind: 'evaluate', value: { kind: 'subquery', query, ...at }, ...at })) },
  { weight: 1, arbitrary: fc.record({ analyze: fc.boolean(), value: expressions }).map((one): QueryStatement => ({ kind: 'explain', ...one, ...at })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ name, columns: optional(fc.array(name, { minLength: 1, maxLength: 2 })), replace: fc.boolean(), query: queries })
      .map((one): QueryStatement => ({ kind: 'create-view', ...one, ...at }) as QueryStatement),
  },
  { weight: 1, arbitrary: fc.record({ name, ifExists: fc.boolean() }).map((one): QueryStatement => ({ kind: 'drop-view', ...one, ...at })) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.record({ name, parameters: optional(fc.array(name, { maxLength: 2 })), value: expressions }), { minLength: 1, maxLength: 2 })
      .map((bindings): QueryStatement => ({ kind: 'define', bindings: bindings.map((one) => ({ ...one, at, ...at })), ...at }) as QueryStatement),
  },
);
