import type { Expression, QueryStatement } from '../../grammar/efilter-tree.js';
import type { Columns, Row } from '../plugin/columns.js';
import { Absent } from '../memory/absent.js';
import { Analysis } from './analyse/analysis.js';
import type { Environment, Position } from './analyse/context.js';
import { defineBindings, oneRow } from './analyse/definitions.js';
import { nameOf } from './analyse/names.js';
import { sessionScope } from './analyse/session.js';
import { listScan, sourceOf } from './analyse/sources.js';
import type { Catalog } from './catalog.js';
import type { Definitions, PrepareQuery, QueryOptions, QueryRun } from './engine.js';
import { QueryError } from './error.js';
import { library } from './functions/index.js';
import { PlanBuilder } from './plan/build.js';
import type { Relation } from './plan/logical.js';
import { Optimiser } from './plan/optimise.js';
import { RunContext, Stopped } from './run/context.js';
import type { Step } from './run/step.js';
import { valueContext } from './values/context.js';

/** Intermediate results may take so many bytes before they are written to temporary files. */
const MEMORY = 512 * 1024 * 1024;

/** Reads, checks and plans a query: see {@link PrepareQuery}. */
export const prepareQuery: PrepareQuery = async (text, catalog, options = {}) => {
  const { parseQuery } = await import('../../grammar/efilter.js');
  return prepareStatement(parseQuery(text), catalog, options);
};

/** The same for a statement that was read already. */
export async function prepareStatement(statement: QueryStatement, catalog: Catalog, options: QueryOptions = {}): Promise<QueryRun> {
  if (statement.kind !== 'evaluate') throw new QueryError(`A ${statement.kind} has no rows.`, statement);
  const relation = new Optimiser().optimise(await analyseStatement(statement.value, catalog, options));
  const builder = new PlanBuilder(valueContext(options.timezone));
  return new PlannedRun(relation, builder.rows(relation), builder, catalog, options);
}

const NO_DEFINITIONS: Definitions = { views: new Map(), variables: new Map() };

/** The relation of a whole line: a query, rows of a list, or one value as a row. */
export async function analyseStatement(node: Expression, catalog: Catalog, options: QueryOptions): Promise<Relation> {
  const environment: Environment = {
    catalog,
    library,
    parameters: options.parameters ?? [],
    definitions: options.definitions ?? NO_DEFINITIONS,
    values: valueContext(options.timezone),
  };
  const analysis = new Analysis(environment);
  return wholeLine(analysis, node, { scope: sessionScope(environment), rowWise: 'there is no from here' });
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

/** A query under way. */
class PlannedRun implements QueryRun {
  readonly columns: Columns;
  count = 0;
  private readonly context: RunContext;
  private started = false;

  constructor(
    relation: Relation,
    private readonly step: Step,
    builder: PlanBuilder,
    catalog: Catalog,
    options: QueryOptions,
  ) {
    this.columns = Object.fromEntries(relation.fields.map((field) => [field.name, field.column]));
    this.context = new RunContext(catalog, options.signal, options.onProgress, options.memory ?? MEMORY);
    builder.holder.context = this.context;
  }

  get notes(): readonly string[] {
    return this.context.notes;
  }

  get faults(): number {
    return this.context.faults;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row> {
    for await (const batch of this.batches()) yield* batch;
  }

  async rows(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const batch of this.batches()) for (const row of batch) all.push(row);
    return all;
  }

  async *batches(): AsyncGenerator<Row[], void, undefined> {
    if (this.started) throw new Error('a query runs once: prepare it again');
    this.started = true;
    try {
      for await (const batch of this.step.open(this.context)) {
        const rows = batch as Row[];
        this.count += rows.length;
        this.countFaults(rows);
        yield rows;
      }
      if (this.count === 0 && this.context.notes.length === 0) this.context.note('No row fits the query.');
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  private countFaults(rows: readonly Row[]): void {
    const names = Object.keys(this.columns);
    for (const row of rows) {
      for (const name of names) {
        const value = row[name];
        if (typeof value === 'object' && value instanceof Absent && value.kind !== 'not-applicable') this.context.faults++;
      }
    }
  }
}
