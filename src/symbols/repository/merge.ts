import { type JsonObject, objectOf, own } from '../json.js';

/**
 * A profile that takes over the sections of others ($MERGE): what it has itself stays, section by section and name by name.
 * @param others in the order of $MERGE; a later one goes before an earlier one
 */
export function merged(profile: JsonObject, others: readonly JsonObject[]): JsonObject {
  const result: Record<string, JsonObject[string]> = {};
  for (const json of [...others, profile]) {
    for (const section of Object.keys(json)) {
      const value = own(json, section);
      if (value === undefined) continue;
      const [before, after] = [objectOf(own(result, section)), objectOf(value)];
      const whole = before && after ? { ...before, ...after } : value;
      // No name of a file becomes the prototype of what is made of it.
      Object.defineProperty(result, section, { value: whole, enumerable: true, writable: true, configurable: true });
    }
  }
  return result;
}
