import { arg, type Args } from '../../plugin/args.js';
import type { Row } from '../../plugin/columns.js';
import { PluginError } from '../../plugin/error.js';
import { explainCommand } from '../../plugin/elsewhere.js';
import { fits, type PluginEntry } from '../../plugin/registry.js';
import type { Run } from '../../plugin/run.js';
import type { Session } from '../../session/session.js';
import type { CatalogTable, OpenOptions, TableRun } from '../catalog.js';

/** Every command as a table can be told to read another session's image. */
const SESSION = arg.int('number of the session whose image is read (see slist); default the current one', { completes: 'session' });

/**
 * A command as a table: its declaration from the registry, so that checking a query loads no plugin. Undefined where no command has the
 * name. Throws PluginError where there is one that cannot read this image, and says which can; DetectionError where the kernel has to be
 * known to tell.
 * @param asked the session that the query names: the declaration is the one for its image
 */
export async function pluginTable(session: Session, name: string, asked?: number): Promise<CatalogTable | undefined> {
  const all = session.registry.named(name);
  if (all.length === 0) return unknown(session, name);
  // To a command with an argument of this name it means something else.
  const target = asked === undefined || all.some(({ args }) => 'session' in args) ? undefined : sessionOf(session, asked);
  const entry = target && target !== session ? await target.entry(name) : await entryFor(session, name, all);
  const own = 'session' in entry.args;
  const args: Args = own ? entry.args : { ...entry.args, session: SESSION };
  return {
    name: entry.name,
    summary: entry.summary,
    args,
    columns: entry.dynamic === true ? undefined : entry.columns,
    open: (given, options) => new PluginRun(session, entry, given, own, options),
  };
}

/** The declaration that fits this image; failing that, one that fits the image of another session, for `session: N`. */
async function entryFor(session: Session, name: string, all: readonly PluginEntry[]): Promise<PluginEntry> {
  const others = session.group?.list().filter((other) => other !== session && other.detected) ?? [];
  const elsewhere = others.map((other) => all.find((entry) => fits(entry, other.detected?.os))).find((entry) => entry !== undefined);
  if (!elsewhere) return session.entry(name);
  try {
    return await session.entry(name);
  } catch (error) {
    if (error instanceof PluginError) return elsewhere;
    throw error;
  }
}

/** A name that is a command in Rekall or elsewhere is answered as the console answers it. */
function unknown(session: Session, name: string): undefined {
  const explained = explainCommand(name, session.registry, session.detected);
  if (explained) throw new PluginError(explained.message, explained.next);
  return undefined;
}

class PluginRun implements TableRun {
  private run: Run | undefined;
  private readonly said: string[] = [];

  constructor(
    private readonly session: Session,
    private readonly entry: PluginEntry,
    private readonly given: Readonly<Record<string, unknown>>,
    private readonly ownSession: boolean,
    private readonly options: OpenOptions,
  ) {}

  get columns(): PluginEntry['columns'] {
    return this.run?.columns ?? this.entry.columns;
  }

  get notes(): readonly string[] {
    return [...this.said, ...(this.run?.notes ?? [])];
  }

  get faults(): number {
    return this.run?.faults ?? 0;
  }

  async *batches(): AsyncGenerator<readonly Row[], void, undefined> {
    const target = this.target();
    const plugin = await target.plugin(this.entry.name);
    const args: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(this.given)) {
      if (name === 'session' && !this.ownSession) continue;
      const declared = this.entry.args[name];
      const own = plugin.args[name];
      if (!own) throw new PluginError(`${plugin.name} has no argument ${name} in session ${target.id} (${target.name}).`, `${plugin.name}?`);
      // The registry's file holds defaults as texts; the plugin itself has them as values.
      if (declared?.default !== undefined && value === declared.default) args[name] = own.default;
      else args[name] = own.type === 'path' && typeof value === 'string' ? target.path(value) : value;
    }
    for (const [name, own] of Object.entries(plugin.args)) if (own.default !== undefined && !(name in args)) args[name] = own.default;
    if (target !== this.session) {
      const missing = Object.keys(this.entry.columns).filter((name) => !(name in plugin.columns));
      if (missing.length > 0) this.said.push(`In session ${target.id} (${target.name}) ${plugin.name} has no ${missing.join(', ')}.`);
    }
    const { columns, signal, onProgress } = this.options;
    this.run = target.run(plugin, args, { ...(columns ? { columns } : {}), ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) });
    yield* this.run.batches();
  }

  /** The session that was asked for. */
  private target(): Session {
    const id = this.ownSession ? undefined : this.given['session'];
    if (id === undefined || id === null) return this.session;
    return sessionOf(this.session, Number(id));
  }
}

/** A session of the group by its number. Throws PluginError where there is none. */
function sessionOf(session: Session, id: number): Session {
  const target = id === session.id ? session : session.group?.get(id);
  if (target) return target;
  const known = (session.group?.list() ?? [session]).map((one) => one.id);
  throw new PluginError(`There is no session ${id}: ${known.length === 1 ? 'there is only' : 'there are'} ${known.join(', ')}.`, 'slist');
}
