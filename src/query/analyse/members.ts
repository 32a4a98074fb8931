import type { Place } from '../../../grammar/efilter-tree.js';
import { didYouMean } from '../../plugin/similar.js';
import { QueryError } from '../error.js';
import type { Scalar } from '../plan/logical.js';
import { type Type, typeName } from '../types.js';
import { memberNames, memberType, structOf } from '../values/member.js';
import { subscriptType } from '../values/subscript.js';
import type { Analysis } from './analysis.js';
import { existing } from './scope.js';

/** `object.name`; of a repeated value, the member of each. */
export async function memberOf(analysis: Analysis, object: Scalar, name: string, at: Place, place: Place): Promise<Scalar> {
  const type = await typeOfMember(analysis, object.type, name, at);
  return { kind: 'member', object, name, type, start: place.start, end: place.end };
}

async function typeOfMember(analysis: Analysis, of: Type, name: string, at: Place): Promise<Type> {
  const struct = structOf(of);
  const members = struct === undefined ? undefined : await analysis.membersOf(struct);
  const type = memberType(of, name, members);
  if (type) return type;
  const known = memberNames(of, members);
  if (known.length === 0) throw new QueryError(`${typeName(of)} has no members: there is no .${name} of it.`, at);
  throw new QueryError(
    `No member ${name} in ${struct ?? typeName(of)}.${didYouMean(name, known)} It has ${existing(known)}.`,
    at,
    struct === undefined ? undefined : `dt ${struct}`,
  );
}

/** `object[key]`: an element of a list or tuple, a member of a row or struct by its name. */
export async function elementAt(analysis: Analysis, object: Scalar, key: Scalar, place: Place): Promise<Scalar> {
  const at = { start: place.start, end: place.end };
  const named = key.kind === 'constant' && typeof key.value === 'string' ? key.value : undefined;
  if (named !== undefined && (structOf(object.type) !== undefined || object.type.kind === 'row')) {
    return { kind: 'index', object, key, type: await typeOfMember(analysis, object.type, named, key), ...at };
  }
  const type = subscriptType(object.type, key.kind === 'constant' ? { value: key.value } : undefined);
  if (!type) throw new QueryError(`${typeName(object.type)} has no elements.`, place);
  return { kind: 'index', object, key, type, ...at };
}
