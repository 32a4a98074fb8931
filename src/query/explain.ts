import { type Columns, col, type Row } from '../plugin/columns.js';
import type { Step } from './run/step.js';

const plan: Columns = {
  step: col.string('what is done; what stands indented below a step gives it its rows', { tree: true }),
  detail: col.string('its expressions'),
  pushed: col.string('conditions of the query that the table itself applies, through its arguments', { title: 'pushed down' }),
  columns: col.string('columns that are asked of a table'),
};

const analysis: Columns = {
  rows: col.int('rows that the step gave'),
  ms: col.float('milliseconds that the step took, without the steps below it'),
  runs: col.int('how often it was started'),
  spilled: col.size('bytes written to temporary files'),
};

/** Columns of `explain`, and of `explain analyze`. */
export function explainColumns(analyze: boolean): Columns {
  return analyze ? { ...plan, ...analysis } : plan;
}

/** The plan as rows, each step before the steps that give it rows. */
export function explainRows(step: Step, analyze: boolean, depth = 0): Row[] {
  const below = [...step.inputs, ...step.subqueries];
  const { statistics } = step;
  const own = statistics.milliseconds - below.reduce((sum, { statistics: { milliseconds } }) => sum + milliseconds, 0);
  const figures = analyze ? { rows: statistics.rows, ms: Math.max(0, Math.round(own * 1000) / 1000), runs: statistics.runs, spilled: statistics.spilled } : {};
  const row: Row = {
    step: step.name,
    detail: step.detail === '' ? null : step.detail,
    pushed: step.pushed === '' ? null : step.pushed,
    columns: step.columns === '' ? null : step.columns,
    ...figures,
    $depth: depth,
  };
  const inputs = step.inputs.flatMap((input) => explainRows(input, analyze, depth + 1));
  const queries = step.subqueries.flatMap((query) =>
    explainRows(query, analyze, depth + 2).map((each, index) => (index === 0 ? { ...each, step: `sub-query: ${String(each['step'])}` } : each)),
  );
  return [row, ...inputs, ...queries];
}
