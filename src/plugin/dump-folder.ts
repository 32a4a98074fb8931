import { closeSync, constants, existsSync, fstatSync, ftruncateSync, lstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileProblem } from '../memory/folders.js';
import type { Session } from '../session/session.js';
import { arg } from './args.js';
import type { PluginContext } from './context.js';
import { PluginError } from './error.js';

/** The argument of every command that writes files. */
export const dumpArgs = {
  dump_dir: arg.path('folder to write to (default: what the session parameter dump_dir says)', { short: 'D', completes: 'path' }),
} as const;

/** What to do where a folder or file cannot be written. */
const ELSEWHERE = 'smod dump_dir=.';

/** Longer names are cut: some file systems take 255 bytes, and the caller adds an ending. */
const LONGEST_NAME = 100;

/**
 * A file name made from text of an image, which nobody can trust: letters, digits and `._+@=-` stay, all else becomes `_`, and so does
 * a dot at the beginning. Never empty, never a path.
 */
export function safeName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9._+@=-]/g, '_').replace(/^\.+/, (dots) => '_'.repeat(dots.length));
  return name === '' ? '_' : name.slice(0, LONGEST_NAME);
}

/** A file under way. */
export class DumpFile {
  private position = 0;
  private descriptor: number | undefined;

  constructor(
    /** path as told to the analyst */
    readonly path: string,
    descriptor: number,
  ) {
    this.descriptor = descriptor;
  }

  /** Bytes written so far: where the next ones go. */
  get size(): number {
    return this.position;
  }

  /** Appends bytes. Throws PluginError where they cannot be written (a full disk). */
  append(bytes: Buffer): void {
    this.write(this.position, bytes);
    this.position += bytes.length;
  }

  /** Appends zeros, as a hole where the file system has such: they take no room. */
  skip(bytes: number): void {
    this.position += bytes;
  }

  /** Writes over bytes that are there. */
  overwrite(at: number, bytes: Buffer): void {
    this.write(at, bytes);
  }

  close(): void {
    if (this.descriptor === undefined) return;
    try {
      // A hole at the end is there only once the length says so.
      if (fstatSync(this.descriptor).size < this.position) ftruncateSync(this.descriptor, this.position);
    } catch (error) {
      throw asPluginError(error, `cannot write ${this.path}`);
    } finally {
      closeSync(this.descriptor);
      this.descriptor = undefined;
    }
  }

  private write(at: number, bytes: Buffer): void {
    if (this.descriptor === undefined) throw new PluginError(`${this.path} is closed`);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done, bytes.length - done, at + done);
    } catch (error) {
      throw asPluginError(error, `cannot write ${this.path}`);
    }
  }
}

/** The folder that a command writes to. Files never land outside of it, and never on the image. */
export class DumpFolder {
  private readonly names = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly session: Session,
  ) {}

  /** The folder that a command was told, or the session's; made if only its last part is missing. Throws PluginError. */
  static of(context: PluginContext, folder: string | undefined): DumpFolder {
    const { session } = context;
    const path = folder ?? session.path(session.parameters.dump_dir);
    try {
      if (!existsSync(path) && existsSync(dirname(path))) mkdirSync(path);
      if (!statSync(path).isDirectory()) throw new PluginError(`${path} is no folder.`, ELSEWHERE);
    } catch (error) {
      throw asPluginError(error, `cannot write to the folder ${path}`);
    }
    return new DumpFolder(path, session);
  }

  /**
   * Begins a file; an older one of the same name is overwritten, one that this folder object made is not.
   * @param name made safe with {@link safeName}; text from the image is welcome
   * @param ending with its dot: `.dmp`
   */
  create(name: string, ending: string): DumpFile {
    const stem = safeName(name);
    let unique = `${stem}${ending}`;
    for (let number = 2; this.names.has(unique); number++) unique = `${stem}-${number}${ending}`;
    this.names.add(unique);
    return this.begin(join(this.folder, unique));
  }

  /** Begins the file that the analyst named, wherever it is to be. Throws PluginError. */
  static file(context: PluginContext, path: string): DumpFile {
    const folder = DumpFolder.of(context, dirname(path));
    return folder.begin(path);
  }

  private begin(path: string): DumpFile {
    try {
      return new DumpFile(path, this.open(path));
    } catch (error) {
      throw asPluginError(error, `cannot write ${path}`);
    }
  }

  private open(path: string): number {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found && !found.isFile()) throw new PluginError(`${path} exists and is no ordinary file.`, ELSEWHERE);
    // A link that somebody put there is not followed: it could lead anywhere.
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    const { dev, ino } = fstatSync(descriptor);
    const image = this.session.parameters.filename;
    const evidence = image === undefined ? undefined : statSync(this.session.path(image), { throwIfNoEntry: false });
    if (evidence && evidence.dev === dev && evidence.ino === ino) {
      closeSync(descriptor);
      throw new PluginError(`${path} is the image itself.`, ELSEWHERE);
    }
    ftruncateSync(descriptor, 0);
    return descriptor;
  }
}

function asPluginError(error: unknown, what: string): PluginError {
  if (error instanceof PluginError) return error;
  if (error instanceof Error && 'code' in error) return new PluginError(`${what}: ${fileProblem(error)}`, ELSEWHERE);
  throw error;
}
