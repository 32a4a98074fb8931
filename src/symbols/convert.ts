import { openProfileFile } from './open.js';
import { writeProfile } from './rekall/file.js';
import type { ProfileParts } from './rekall/write.js';
import type { ProfileSource } from './source.js';
import type { TypeDescriptor } from './types.js';

/** A source as the parts that a Rekall profile is written from: functions apart from data, globals with their types. */
export function profileParts({ types, constants, metadata, dynamic, merge }: ProfileSource): ProfileParts {
  const data: [string, bigint][] = [];
  const functions: [string, bigint][] = [];
  const constantTypes: [string, TypeDescriptor][] = [];
  for (const [name, address] of constants.entries()) {
    (constants.kind(name) === 'function' ? functions : data).push([name, address]);
    const type = constants.type(name);
    // That a function is one stands in $FUNCTIONS.
    if (type && (type.kind !== 'function' || type.signature)) constantTypes.push([name, type]);
  }
  return { types, constants: data, functions, metadata, ...(constantTypes.length > 0 && { constantTypes }), ...(dynamic && { dynamic }), ...(merge && { merge }) };
}

/**
 * Converts a profile of any kind to Rekall's JSON form, compressed when the name of the new file ends in `.gz`.
 *
 * @returns what was read
 * @throws ProfileError where the source cannot be used
 */
export async function convertProfile(source: string, out: string): Promise<ProfileSource> {
  const profile = await openProfileFile(source);
  await writeProfile(out, profileParts(profile));
  return profile;
}
