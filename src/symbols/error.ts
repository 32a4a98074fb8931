/** A profile source that cannot be used: what is wrong with it, and what to try next. */
export class ProfileError extends Error {
  override readonly name: string = 'ProfileError';

  constructor(
    message: string,
    /** the next command or step to try, one sentence */
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Text of a file or image made safe for a terminal: control and format characters as escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}
