import type { Place } from '../../../grammar/efilter-tree.js';
import type { Environment } from './context.js';
import { type Meaning, Scope } from './scope.js';

/** The outermost scope of a query: what the session's `let` lines defined. They are looked at only where a query names them. */
export function sessionScope({ definitions }: Environment): Scope {
  const known = new Map<string, Meaning>();
  const scope: Scope = new Scope(undefined, (name, place) => {
    let meaning = known.get(name);
    if (meaning) return meaning;
    const statement = definitions.variables.get(name);
    const binding = statement?.bindings.find((candidate) => candidate.name === name);
    if (!binding) return undefined;
    const position = { scope, rowWise: `${name} is a value of its own` };
    // It stands in another line: mistakes in it are shown where it is used.
    const value = relocated(binding.value, place);
    meaning = binding.parameters
      ? { kind: 'function', definition: { name, parameters: binding.parameters, body: value, position } }
      : { kind: 'definition', definition: { name, value, position, level: 'query', uses: new Map() } };
    known.set(name, meaning);
    return meaning;
  });
  return scope;
}

/** A tree of another line whose nodes all stand at a place of this one. */
export function relocated<T>(tree: T, place: Place): T {
  if (Array.isArray(tree)) return tree.map((element: unknown) => relocated(element, place)) as T;
  if (typeof tree !== 'object' || tree === null) return tree;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(tree)) copy[key] = relocated(value, place);
  if ('start' in copy && 'end' in copy) {
    copy['start'] = place.start;
    copy['end'] = place.end;
  }
  return copy as T;
}
