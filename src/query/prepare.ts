import type { Expression, QueryStatement } from '../../grammar/efilter-tree.js';
import type { Columns, Row } from '../plugin/columns.js';
import { Analysis } from './analyse/analysis.js';
import type { Position } from './analyse/context.js';
import { defineBindings, oneRow } from './analyse/definitions.js';
import { nameOf } from './analyse/names.js';
import { sessionScope } from './analyse/session.js';
import { listScan, sourceOf } from './analyse/sources.js';
import { renamed } from './analyse/views.js';
import type { Catalog } from './catalog.js';
import type { Definitions, PrepareQuery, QueryOptions, QueryRun } from './engine.js';
import { QueryError } from './error.js';
import { explainColumns, explainRows } from './explain.js';
import { library } from './functions/index.js';
import { PlanBuilder } from './plan/build.js';
import type { Relation } from './plan/logical.js';
import { Optimiser } from './plan/optimise.js';
import { RunContext } from './run/context.js';
import { PlannedRun } from './run/run.js';
import type { Step } from './run/step.js';
import { remarksOf } from './remarks.js';
import { valueContext } from './values/context.js';

/** Intermediate results may take so many bytes before they are written to temporary files. */
const MEMORY = 512 * 1024 * 1024;

/** Reads, checks and plans a query: see {@link PrepareQuery}. */
export const prepareQuery: PrepareQuery = async (text, catalog, options = {}) => {
  const { parseQuery } = await import('../../grammar/efilter.js');
  const statement = parseQuery(text);
  return prepareStatement(statement, catalog, { ...options, remarks: remarksOf(statement, text) });
};

/**
 * The same for a statement that was read already. Of a statement that defines something (`create view`, `let` without a body) there is
 * nothing to run: see {@link checkDefinition}.
 */
export async function prepareStatement(statement: QueryStatement, catalog: Catalog, options: QueryOptions = {}): Promise<QueryRun> {
  if (statement.kind !== 'evaluate' && statement.kind !== 'explain') throw new QueryError('This defines a name, and has no rows.', statement);
  const analysed = await analyseStatement(statement.value, catalog, options);
  const builder = new PlanBuilder(valueContext(options.timezone));
  const { relation, step } = withinStack(statement, () => {
    const optimised = new Optimiser().optimise(analysed);
    return { relation: optimised, step: builder.rows(optimised) };
  });
  const context = new RunContext(catalog, options.signal, options.onProgress, options.memory ?? MEMORY);
  builder.holder.context = context;
  const remarks = (options.remarks ?? []).filter(({ always }) => always || statement.kind === 'explain').map(({ text }) => text);
  if (statement.kind === 'evaluate')
    return new PlannedRun(columnsOf(relation), context, () => step.open(context) as AsyncGenerator<readonly Row[], void, undefined>, remarks);
  return new PlannedRun(explainColumns(statement.analyze), context, () => explained(step, statement.analyze, context), remarks);
}

/**
 * Plans are walked from node to node, and what many definitions build on each other (`let x1 = x0 + 1, x2 = x1 + 1, …`) can be deeper than any
 * of them is nested: what does not fit the stack is refused as too large.
 */
function withinStack<T>(place: QueryStatement, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError) || !/call stack/i.test(error.message)) throw error;
    throw new QueryError('The query becomes too large: its definitions build on each other too deep.', place);
  }
}

/**
 * Checks a statement that defines a view, a variable or a function, as it would be checked where it is used. Throws QueryError. (A function
 * is checked no further than it can be without arguments: not at all.)
 */
export async function checkDefinition(statement: QueryStatement, catalog: Catalog, options: QueryOptions = {}): Promise<void> {
  const analysis = analysisOf(catalog, options);
  const scope = sessionScope(analysis.environment);
  if (statement.kind === 'create-view') {
    const relation = await analysis.query(statement.query, scope);
    if (statement.columns) renamed(relation, statement.columns, `The view ${statement.name}`, statement);
  }
  if (statement.kind === 'define') await defineBindings(analysis, statement.bindings, { scope, rowWise: 'there is no from here' }, 'query');
}

function columnsOf(relation: Relation): Columns {
  return Object.fromEntries(relation.fields.map((field) => [field.name, field.column]));
}

async function* explained(step: Step, analyze: boolean, context: RunContext): AsyncGenerator<readonly Row[], void, undefined> {
  if (analyze) {
    let rows = 0;
    const begun = performance.now();
    for await (const batch of step.open(context)) rows += batch.length;
    const { notes } = context;
    notes.splice(0, notes.length);
    context.note(`${rows} ${rows === 1 ? 'row' : 'rows'} in ${(performance.now() - begun).toFixed(1)} ms; ${context.read} read from tables.`);
  }
  yield explainRows(step, analyze);
}

const NO_DEFINITIONS: Definitions = { views: new Map(), variables: new Map() };

/** The relation of a whole line: a query, rows of a list, or one value as a row. */
export async function analyseStatement(node: Expression, catalog: Catalog, options: QueryOptions): Promise<Relation> {
  const analysis = analysisOf(catalog, options);
  return wholeLine(analysis, node, { scope: sessionScope(analysis.environment), rowWise: 'there is no from here' });
}

function analysisOf(catalog: Catalog, options: QueryOptions): Analysis {
  return new Analysis({
    catalog,
    library,
    parameters: options.parameters ?? [],
    definitions: options.definitions ?? NO_DEFINITIONS,
    values: valueContext(options.timezone),
  });
}

async function wholeLine(analysis: Analysis, node: Expression, position: Position): Promise<Relation> {
  if (node.kind === 'let') {
    const { scope } = await defineBindings(analysis, node.bindings, position, 'query');
    return wholeLine(analysis, node.body, { ...position, scope });
  }
  const source = node.kind === 'call' && analysis.environment.library.has(node.name) ? undefined : await sourceOf(analysis, node, position, 'value');
  if (source) return source;
  const value = await analysis.expression(node, position);
  return value.type.kind === 'list' ? listScan(value, node) : oneRow(nameOf(node) ?? 'result', value);
}
