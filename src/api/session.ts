import type { PhysicalSpace } from '../memory/physical.js';
import { Absent } from '../memory/absent.js';
import type { AddressSpace } from '../memory/space.js';
import { PluginError, UsageError } from '../plugin/error.js';
import type { Kernel } from '../plugin/context.js';
import { enterProcess } from '../session/context.js';
import type { ParameterValues } from '../session/parameters.js';
import type { ProcessContext, Session } from '../session/session.js';
import { spaceNamed } from '../session/spaces.js';
import type { QueryParameters } from '../query/engine.js';
import { type PluginFunction, pluginNamed, pluginsOf } from './plugins.js';
import type { Plugins } from './plugin-types.js';
import { Table, type TableOptions } from './table.js';


const made = new WeakMap<Session, RekallSession>();

/** A session for code: what `openSession` gives, and what `session` is in the console. */
export class RekallSession {
  /** The commands as functions: `session.plugins.pslist({ pids: [1] })`. */
  readonly plugins: Plugins;

  private constructor(
    /** The session that plugins see (`context.session`). */
    readonly core: Session,
  ) {
    this.plugins = pluginsOf(core);
  }

  /** The one object for a session. */
  static of(session: Session): RekallSession {
    let known = made.get(session);
    if (!known) made.set(session, (known = new RekallSession(session)));
    return known;
  }

  /** Its number and name, as the console's prompt shows them. */
  get id(): number {
    return this.core.id;
  }

  get name(): string {
    return this.core.name;
  }

  /** The parameters as they are: those given, and defaults. */
  get parameters(): Readonly<ParameterValues> {
    return this.core.parameters;
  }

  /** The process context that {@link cc} chose; undefined: the kernel's. */
  get context(): ProcessContext | undefined {
    return this.core.context;
  }

  /** A command by a name that is known at run time only, and without types. Throws PluginError for names that no command has. */
  plugin(name: string): PluginFunction {
    return pluginNamed(this.core, name);
  }

  /**
   * A query as a table. Parameters are bound as values (`{0}`, `{name}`, `?`), never as text.
   *
   *     session.query('select name, pid from pslist() where name =~ {0}', ['^lab'])
   *
   * Its columns are known once it has started. Reading it throws UsageError for a mistake in it, with the place.
   */
  query(text: string, parameters: QueryParameters = {}, options: TableOptions = {}): Table {
    const { core } = this;
    return new Table(
      text,
      {},
      async ({ signal, onProgress }) => {
        // The engine costs a while, and not every script asks queries.
        const { prepareInSession } = await import('../query/session/statements.js');
        try {
          return await prepareInSession(core, text, { parameters, signal, ...(onProgress ? { onProgress } : {}) });
        } catch (error) {
          throw located(error, text);
        }
      },
      options,
    );
  }

  /** The address that an expression means: `linux!init_task+0x10`, `*linux!modules`, `0xffff…`. Throws UsageError with near names. */
  async resolve(expression: string): Promise<bigint> {
    return (await this.core.resolver()).address(expression);
  }

  /** `linux!init_task+0x10`, or undefined where no symbol is near. */
  async nameOf(address: bigint | number): Promise<string | undefined> {
    return (await this.core.resolver()).name(BigInt(address));
  }

  /** The kernel in the image, found when first asked for. Throws DetectionError, ImageError. */
  kernel(): Promise<Kernel> {
    return this.core.kernel();
  }

  /** The physical memory of the image. Throws ImageError, or PluginError where there is no image. */
  physical(): PhysicalSpace {
    return this.core.physical();
  }

  /** An address space: `K` the kernel's, `P` physical, `pid@N` a process's; without a name the process context's, or the kernel's. */
  space(name?: string): Promise<AddressSpace> {
    return spaceNamed(this.core, name);
  }

  /** Makes a process the context that `dump`, `vtop`, `dt` and address names follow; without one back to the kernel. Throws PluginError. */
  async cc(pid?: number): Promise<ProcessContext | undefined> {
    try {
      await enterProcess(this.core, pid);
    } catch (error) {
      if (error instanceof Absent) throw new PluginError(`There is no process ${pid}: ${error.reason}.`, 'pslist');
      throw error;
    }
    return this.core.context;
  }

  /** Closes the image and frees what was learnt of it. */
  close(): void {
    this.core.close();
  }

  toString(): string {
    return `[session ${this.id}: ${this.name}]`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const context = this.context ? `, in ${this.context.name} (${this.context.pid})` : '';
    return `${this.toString()}${context}  plugins, query(), resolve(), kernel(), space(), cc(), parameters`;
  }
}

/** A mistake in a query as a mistake in words, with its place in the text. */
function located(error: unknown, line: string): unknown {
  if (!(error instanceof Error) || !/^Query(?:Syntax)?Error$/.test(error.name)) return error;
  const { place } = error as { place?: { start: number; end: number } };
  return new UsageError(error.message, place ? { line, start: place.start, end: place.end } : undefined);
}
