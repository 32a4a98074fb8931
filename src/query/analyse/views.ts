import type { Place } from '../../../grammar/efilter-tree.js';
import { QueryError } from '../error.js';
import type { Field, Relation } from '../plan/logical.js';
import type { Analysis } from './analysis.js';
import { relocated, sessionScope } from './session.js';

/** The rows of a view of the session, or undefined where there is none of this name. Mistakes in it are shown where it is used. */
export async function viewOf(analysis: Analysis, name: string, place: Place): Promise<Relation | undefined> {
  const view = analysis.environment.definitions.views.get(name);
  if (!view) return undefined;
  const relation = await analysis.guard.expanding(view, name, place, async () => {
    try {
      return await analysis.query(relocated(view.query, place), sessionScope(analysis.environment));
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      throw new QueryError(`In the view ${name}: ${error.message.replace(/^In the view \S+: /, '')}`, { start: place.start, end: place.end }, error.next);
    }
  });
  return view.columns ? renamed(relation, view.columns, `The view ${name}`, place) : relation;
}

/** A relation under other names of columns. */
export function renamed(relation: Relation, columns: readonly string[], what: string, place: Place): Relation {
  const { fields } = relation;
  if (columns.length !== fields.length) {
    throw new QueryError(`${what} names ${columns.length} ${columns.length === 1 ? 'column' : 'columns'}, but its query has ${fields.length}.`, place);
  }
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw new QueryError(`${what} has two columns called ${twice}.`, place);
  const named = fields.map((field, index): Field => ({ ...field, name: columns[index] ?? field.name }));
  return {
    kind: 'project',
    input: relation,
    items: fields.map((field) => ({ kind: 'field', field, type: field.type, start: place.start, end: place.end })),
    fields: named,
  };
}
