import { PluginError } from '../../plugin/error.js';
import type { Columns, Row } from '../../plugin/columns.js';
import type { PluginContext } from '../../plugin/context.js';
import type { QueryParameters, QueryRun } from '../engine.js';

/** Searches within searches: a view that searches itself would go on for ever. */
const DEEPEST = 8;

/** A query that a command stands for: the text, and values for its parameters. */
export interface Asked {
  readonly text: string;
  readonly parameters: QueryParameters;
}

/** Queries that were prepared for their columns and have not run yet, by the arguments that they were asked with. */
const prepared = new WeakMap<object, QueryRun>();

/** The columns of the query that a command stands for. Throws PluginError with what is wrong in the query. */
export async function queryColumns(context: PluginContext, args: object, asked: Asked): Promise<Columns> {
  const run = await prepare(context, asked);
  prepared.set(args, run);
  return run.columns;
}

/** Its rows, with its notes. */
export async function* queryRows(context: PluginContext, args: object, asked: Asked): AsyncGenerator<Row, void, undefined> {
  const run = prepared.get(args) ?? (await prepare(context, asked));
  prepared.delete(args);
  for await (const batch of run.batches()) yield* batch;
  for (const note of run.notes) context.note(note);
}

async function prepare(context: PluginContext, { text, parameters }: Asked): Promise<QueryRun> {
  const { session, signal } = context;
  const depth = session.memo('searches under way', () => ({ count: 0 }));
  if (depth.count >= DEEPEST) throw new PluginError(`Queries search within each other more than ${DEEPEST} times: does one search itself?`);
  depth.count++;
  try {
    const { prepareInSession } = await import('./statements.js');
    return await prepareInSession(session, text, { parameters, signal, onProgress: (fraction, what) => context.progress(fraction, what) });
  } catch (error) {
    throw told(error, text);
  } finally {
    depth.count--;
  }
}

/** The mistake with the part of the query where it is: the query is not the line that was typed. */
function told(error: unknown, text: string): unknown {
  if (!(error instanceof Error) || !/^Query(?:Syntax)?Error$/.test(error.name)) return error;
  const { place, next } = error as { place?: { start: number; end: number }; next?: string };
  const at = place && place.start < text.length ? ` (at ${place.start + 1}: ${text.slice(place.start, Math.min(place.end, place.start + 40))})` : '';
  return new PluginError(`${error.message}${at}`, next);
}
