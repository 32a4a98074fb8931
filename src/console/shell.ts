import type { Command, Help, Statement } from '../../grammar/command-tree.js';
import { LineError } from '../../grammar/command-tree.js';
import { UsageError } from '../plugin/error.js';
import type { PluginEntry } from '../plugin/registry.js';
import { fits } from '../plugin/registry.js';
import { didYouMean } from '../plugin/similar.js';
import type { OperatingSystem } from '../plugin/plugin.js';
import { terminalWidth } from '../render/sink.js';
import { SessionGroup } from '../session/group.js';
import type { Session } from '../session/session.js';
import { runCommand, showText } from './command.js';
import type { Host } from './host.js';
import { recordingHost } from './recording-host.js';
import { errorText } from './report.js';
import { noCommand } from './unknown.js';

/** How a line ended. */
export type Outcome = 'done' | 'failed' | 'quit';

/** Commands of the console itself. */
export const builtins: Readonly<Record<string, string>> = {
  help: 'commands by topic, or the help of one: help pslist',
  quit: 'ends the console (also exit, Ctrl-D)',
  exit: 'ends the console',
};

/** Reads lines and does what they say, on one session. Errors are reported, never thrown: a bad command ends its line alone. */
export class Shell {
  readonly host: Host;
  private readonly group: SessionGroup;

  constructor(
    readonly session: Session,
    host: Host,
  ) {
    if (!session.group) new SessionGroup().add(session);
    this.group = session.group as SessionGroup;
    this.host = recordingHost(host, this.group.transcript);
  }

  /** Runs a line and records it; commands after one that failed are not run. */
  async execute(line: string, signal?: AbortSignal): Promise<Outcome> {
    const { transcript } = this.group;
    transcript.begin(line, this.session);
    let outcome: Outcome = 'failed';
    try {
      outcome = await this.line(line, signal);
      return outcome;
    } finally {
      transcript.end(this.session, outcome === 'failed');
    }
  }

  private async line(line: string, signal?: AbortSignal): Promise<Outcome> {
    if (/^\s*(#.*)?$/.test(line)) return 'done';
    try {
      for (const statement of await parse(line)) {
        if (signal?.aborted === true) return 'failed';
        if ((await this.run(statement, line, signal)) === 'quit') return 'quit';
      }
      return signal?.aborted === true ? 'failed' : 'done';
    } catch (error) {
      this.host.error.write(`${errorText(error, this.session.parameters.debug)}\n`);
      return 'failed';
    }
  }

  /** The system of the kernel, where one has been detected already; completion and help must not wait for it. */
  get system(): OperatingSystem | undefined {
    return this.session.detected?.os;
  }

  /** Commands that fit the image, or all while nothing is known of it. */
  commands(): PluginEntry[] {
    const { system } = this;
    return this.session.registry.list().filter((entry) => system === undefined || fits(entry, system));
  }

  private async run(statement: Statement, line: string, signal: AbortSignal | undefined): Promise<Outcome> {
    switch (statement.kind) {
      case 'help':
        await this.help(statement, line);
        return 'done';
      case 'query':
        throw new UsageError('Queries are not part of this release. Commands take filters (pslist proc_regex=bash), and --format json feeds other programs.', {
          line,
          ...statement,
        });
      case 'command':
        return this.command(statement, line, signal);
    }
  }

  private async command(command: Command, line: string, signal: AbortSignal | undefined): Promise<Outcome> {
    const { name, args, redirect, filter } = command;
    const known = this.session.registry.named(name).length > 0;
    if (!known && (name === 'quit' || name === 'exit')) return 'quit';
    if (!known && name === 'help') {
      const about = args[0]?.value;
      await this.help({ kind: 'help', level: 1, start: command.start, end: command.end, ...(about ? { name: about.text } : {}) }, line);
      return 'done';
    }
    if (!known) throw await noCommand(this.session, name, { line, ...command.at }, Object.keys(builtins));
    await runCommand(
      this.session,
      {
        name,
        words: { line, args },
        ...(signal ? { signal } : {}),
        ...(redirect ? { redirect: { path: redirect.path.text, append: redirect.append } } : {}),
        ...(filter === undefined ? {} : { filter }),
      },
      this.host,
    );
    return 'done';
  }

  private async help({ name, level }: Help, line: string): Promise<void> {
    const { commandHelp, overview } = await import('./help.js');
    const width = terminalWidth(this.host.output);
    const show = (text: string): Promise<void> => showText(this.session, this.host, text);
    if (name === undefined) {
      return show(`${overview(this.commands(), width)}\nhelp COMMAND or COMMAND? says more of one; COMMAND?? how it works.\n`);
    }
    const all = this.session.registry.named(name);
    if (all.length === 0) {
      const own = builtins[name];
      if (own !== undefined) return show(`${name} — ${own}\n`);
      const topic = this.commands().filter((entry) => entry.topic === name);
      if (topic.length === 0) {
        const start = Math.max(0, line.indexOf(name));
        const known = [...this.session.registry.list().map((entry) => entry.name), ...Object.keys(builtins)];
        throw new UsageError(`No command ${name}.${didYouMean(name, known)}`, { line, start, end: start + name.length });
      }
      return show(overview(topic, width));
    }
    const fitting = all.filter((entry) => this.system === undefined || fits(entry, this.system));
    return show((fitting.length > 0 ? fitting : all).map((entry) => commandHelp(entry, level, width)).join('\n'));
  }
}

/** The grammar is loaded with the first line: importing its library costs more than running most commands. */
async function parse(line: string): Promise<Statement[]> {
  const { parseLine } = await import('../../grammar/command.js');
  try {
    return parseLine(line);
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    throw new UsageError(error.message, { line, start: error.place.start, end: error.place.end });
  }
}
