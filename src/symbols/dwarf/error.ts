import { ProfileError } from '../error.js';

/** Debug information that contradicts itself. */
export function damaged(what: string): ProfileError {
  return new ProfileError(`The debug information is damaged: ${what}.`, 'Fetch or copy the file again, or use another source of types: BTF, a symbol file (ISF), a Rekall profile.');
}
