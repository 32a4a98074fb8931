import type { Command, Statement } from '../../grammar/command-tree.js';
import { LineError } from '../../grammar/command-tree.js';
import type { Known } from '../../grammar/line-kind.js';
import { UsageError } from '../plugin/error.js';
import type { PluginEntry } from '../plugin/registry.js';
import { fits } from '../plugin/registry.js';
import type { OperatingSystem } from '../plugin/plugin.js';
import { colorsOn, type Paint, paintFor } from '../render/paint.js';
import { terminalWidth } from '../render/sink.js';
import { SessionGroup } from '../session/group.js';
import type { ScriptOptions, ScriptRunner, ScriptStep } from '../session/script.js';
import type { Session } from '../session/session.js';
import { runCommand, showText } from './command.js';
import type { Evaluator } from './evaluator.js';
import type { Host } from './host.js';
import { isGlobalVariable, javascriptState } from './javascript-syntax.js';
import { queryIncomplete, runQuery } from './query.js';
import { recordingHost } from './recording-host.js';
import { type ErrorStyle, errorText } from './report.js';
import { Statements } from './statements.js';
import { noCommand } from './unknown.js';

/** How a line ended. */
export type Outcome = 'done' | 'failed' | 'quit';

/** Commands of the console itself. */
export const builtins: Readonly<Record<string, string>> = {
  help: 'help of a command, a topic or a function; or what has to do with some words: help kaslr',
  quit: 'ends the console (also exit, Ctrl-D)',
  exit: 'ends the console',
  clear: 'clears the screen (also cls, Ctrl-L)',
  cls: 'clears the screen',
};

export interface ShellOptions {
  /** Called with true before JavaScript runs that may never give way, and with false after: Ctrl-C must come as a signal meanwhile. */
  readonly signals?: (wanted: boolean) => void;
}

/** What of a text is missing. */
export interface Completeness {
  /** more lines are needed to make it right */
  readonly incomplete: boolean;
  /** what the text ends in */
  readonly kind: Statement['kind'] | undefined;
}

/**
 * Reads lines and does what they say, on the current session of a group. Errors are reported, never thrown: a bad command ends its
 * line alone.
 */
export class Shell implements ScriptRunner {
  readonly host: Host;
  readonly group: SessionGroup;
  private evaluator: Promise<Evaluator> | undefined;
  private running: Evaluator | undefined;

  constructor(
    session: Session,
    host: Host,
    private readonly options: ShellOptions = {},
  ) {
    this.group = SessionGroup.of(session);
    this.host = recordingHost(host, this.group.transcript);
    this.group.runner = this;
  }

  /** The current session. */
  get session(): Session {
    return this.group.current;
  }

  /** Runs a text of one line or several and records it; statements after one that failed are not run. */
  async execute(text: string, signal?: AbortSignal): Promise<Outcome> {
    const { transcript, last } = this.group;
    transcript.begin(text, this.session);
    let outcome: Outcome = 'failed';
    // A script runs inside of the statement that started it.
    const outer = this.group.patience;
    this.group.patience = signal ?? outer;
    try {
      outcome = await this.statements(text, signal);
      return outcome;
    } finally {
      this.group.patience = outer;
      const result = this.group.last;
      transcript.end(
        this.session,
        outcome === 'failed',
        result === last || result === undefined ? undefined : result.count,
      );
    }
  }

  private async statements(text: string, signal?: AbortSignal): Promise<Outcome> {
    if (/^\s*(#.*)?$/.test(text)) return 'done';
    try {
      for (const statement of await this.parse(text)) {
        if (signal?.aborted === true) return 'failed';
        const outcome = await this.run(statement, text, signal);
        if (outcome !== 'done') return outcome;
      }
      return signal?.aborted === true ? 'failed' : 'done';
    } catch (error) {
      this.host.error.write(`${errorText(error, this.errorStyle)}\n`);
      return 'failed';
    }
  }

  /** Runs the statements of a script, or a program in JavaScript, as long as steps are asked for. */
  async *script(text: string, { signal, javascript = false }: ScriptOptions = {}): AsyncGenerator<ScriptStep> {
    if (javascript) {
      yield { line: 1, statement: text, outcome: await this.evaluate(text, signal) };
      return;
    }
    const statements = new Statements((part) => this.completeness(part));
    const lines = text.split(/\r?\n/);
    let start = 0;
    for (const [index, line] of lines.entries()) {
      if (!statements.open) start = index;
      const next = lines[index + 1];
      const statement =
        (await statements.add(line, { next: () => next })) ?? (next === undefined ? statements.take() : undefined);
      if (statement === undefined || (await this.completeness(statement)).kind === undefined) continue;
      if (signal?.aborted === true) return;
      yield { line: start + 1, statement, outcome: await this.statements(statement, signal) };
    }
  }

  /** Says whether a text needs more lines. */
  async completeness(text: string): Promise<Completeness> {
    let statements: Statement[];
    try {
      statements = await this.parse(text);
    } catch (error) {
      // A mistake is told when the text is run.
      return { incomplete: error instanceof OpenLine, kind: 'command' };
    }
    const last = statements.at(-1);
    if (last?.kind === 'javascript')
      return { incomplete: javascriptState(last.text) === 'incomplete', kind: last.kind };
    if (last?.kind === 'query') return { incomplete: await queryIncomplete(last.text), kind: last.kind };
    return { incomplete: false, kind: last?.kind };
  }

  /** The engine of JavaScript, started when first needed. */
  engine(): Promise<Evaluator> {
    return (this.evaluator ??= this.startEngine());
  }

  /** Ends what the shell started. */
  close(): void {
    this.running?.close();
  }

  /** The system of the kernel, where one has been detected already; completion and help must not wait for it. */
  get system(): OperatingSystem | undefined {
    return this.session.detected?.os;
  }

  /** Colours of what is said besides the rows. */
  get paint(): Paint {
    return paintFor(colorsOn(this.session.parameters.colors, this.host.error));
  }

  /** How errors are written here. */
  get errorStyle(): ErrorStyle {
    return { debug: this.session.parameters.debug, paint: this.paint, width: terminalWidth(this.host.error) };
  }

  /** Commands that fit the image, or all while nothing is known of it. */
  commands(): PluginEntry[] {
    const { system } = this;
    return this.session.registry.list().filter((entry) => system === undefined || fits(entry, system));
  }

  private async run(statement: Statement, line: string, signal: AbortSignal | undefined): Promise<Outcome> {
    switch (statement.kind) {
      case 'help':
        await this.help(statement.name === undefined ? [] : [statement.name], statement.level, {
          line,
          start: statement.start,
          end: statement.end,
        });
        return 'done';
      case 'query':
        await runQuery(this.session, statement, line, signal, this.host);
        return 'done';
      case 'javascript':
        await this.refuseForeign(statement.text, { line, start: statement.start, end: statement.end });
        return this.evaluate(statement.text, signal);
      case 'command':
        return this.command(statement, line, signal);
    }
  }

  private async command(command: Command, line: string, signal: AbortSignal | undefined): Promise<Outcome> {
    const { name, args, redirect, filter } = command;
    const known = this.session.registry.named(name).length > 0;
    if (!known && (name === 'quit' || name === 'exit')) return 'quit';
    if (!known && (name === 'clear' || name === 'cls')) {
      // Home, then what the screen shows; what went off its upper edge stays. A file gets no such thing.
      if (this.host.output.isTTY === true) this.host.output.write('\x1b[H\x1b[2J');
      return 'done';
    }
    if (!known && name === 'help') {
      const about = args.map((argument) =>
        argument.kind === 'word' ? argument.value.text : line.slice(argument.start, argument.end),
      );
      const start = args[0]?.start ?? command.start;
      await this.help(about, 1, { line, start, end: Math.max(start + 1, args.at(-1)?.end ?? 0) });
      return 'done';
    }
    if (!known) throw await noCommand(this.session, name, { line, ...command.at }, Object.keys(builtins));
    await runCommand(
      this.session,
      {
        name,
        words: { line, args },
        remember: true,
        ...(signal ? { signal } : {}),
        ...(redirect ? { redirect: { path: redirect.path.text, append: redirect.append } } : {}),
        ...(filter === undefined ? {} : { filter }),
      },
      this.host,
    );
    return 'done';
  }

  private async help(
    words: readonly string[],
    level: 1 | 2,
    place: { readonly line: string; readonly start: number; readonly end: number },
  ): Promise<void> {
    const { answer } = await import('./help-request.js');
    await showText(this.session, this.host, await answer(this, { words, level, place }));
  }

  /** `windows.pslist` reads as JavaScript; where no variable makes it that, it is a command of another tool. */
  private async refuseForeign(text: string, place: { readonly line: string; readonly start: number; readonly end: number }): Promise<void> {
    const name = /^(?:windows|linux|mac)(?:\.\w+)+/.exec(text)?.[0];
    if (name === undefined || this.known.variable(name.split('.')[0] ?? '')) return;
    const { isKnownElsewhere } = await import('../plugin/elsewhere.js');
    if (isKnownElsewhere(name)) throw await noCommand(this.session, name, { ...place, end: place.start + name.length });
  }

  private async evaluate(text: string, signal: AbortSignal | undefined): Promise<Outcome> {
    const [{ runJavaScript, javascriptError }, engine] = await Promise.all([import('./javascript.js'), this.engine()]);
    try {
      await runJavaScript(this.group, engine, text, signal, this.host);
      return 'done';
    } catch (error) {
      this.host.error.write(`${javascriptError(error, text, this.errorStyle)}\n`);
      return 'failed';
    }
  }

  private async startEngine(): Promise<Evaluator> {
    const [{ Evaluator }, { javascriptScope, javascriptError }] = await Promise.all([
      import('./evaluator.js'),
      import('./javascript.js'),
    ]);
    this.running = await Evaluator.start({
      scope: javascriptScope(this.group, this.host),
      late: (error) =>
        this.host.error.write(`Meanwhile: ${javascriptError(error, '', { ...this.errorStyle, paint: paintFor(false) })}\n`),
      ...(this.options.signals ? { signals: this.options.signals } : {}),
    });
    return this.running;
  }

  /** The grammar is loaded with the first line: importing its library costs more than running most commands. */
  private async parse(line: string): Promise<Statement[]> {
    const { parseLine } = await import('../../grammar/command.js');
    try {
      return parseLine(line, this.known);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      const { start, end } = error.place;
      throw new (error.incomplete ? OpenLine : UsageError)(error.message, { line, start, end });
    }
  }

  /** What names mean here. */
  readonly known: Known = {
    command: (name) => builtins[name] !== undefined || this.session.registry.named(name).length > 0,
    variable: (name) => this.running?.variable(name) ?? isGlobalVariable(name),
    javascript: javascriptState,
  };
}

/** A line that more lines may complete. */
class OpenLine extends UsageError {}
