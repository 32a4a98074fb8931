import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { earlyParameters, type Invocation, readArguments } from './console/arguments.js';
import { runCommand } from './console/command.js';
import { errorText, exitStatus, noteText, stepText } from './console/report.js';
import { TerminalHost } from './console/terminal-host.js';
import { PluginError, UsageError } from './plugin/error.js';
import { Registry } from './plugin/registry.js';
import { colorsOn, paintFor } from './render/paint.js';
import { terminalWidth } from './render/sink.js';
import { type Config, loadConfig } from './session/config.js';
import type { ParameterName } from './session/parameters.js';
import { Session } from './session/session.js';

/**
 * The program: flags, then one command, or the console where there is none; without a terminal on standard input the commands there.
 * Rows go to standard output, everything else to standard error. Exit status 0: done, 1: a command failed, 2: wrong usage.
 * @param argv words after the program's name
 */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) ends the program without a word.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  // Before the flags are read, nobody has said whether stacks are wanted but the words themselves.
  const failures = { debug: argv.includes('--debug'), colors: (process.env['NO_COLOR'] ?? '') === '' ? 'auto' : 'no' };
  let status: number;
  try {
    status = await run(argv, failures);
  } catch (error) {
    process.stderr.write(`${errorText(error, { debug: failures.debug, paint: paintFor(colorsOn(failures.colors, process.stderr)), width: terminalWidth(process.stderr) })}\n`);
    status = exitStatus(error);
  }
  process.exitCode = status;
}

async function run(argv: readonly string[], failures: { debug: boolean; colors: string }): Promise<number> {
  const registry = Registry.builtIn();
  const early = earlyParameters(argv, existsSync);
  const config = await configOf(argv, early.home ?? homedir());
  // Commands of the analyst's own files are words like any other: they have to be known before the words are read.
  const first = new Session({ ...config.values, ...early }, registry);
  const faults = [...(await first.takeUserPlugins()), ...(await takeSavedQueries(first))];
  const invocation = readArguments(argv, registry);
  if (invocation.version) return print(`rekall ${(await import('./session/version.js')).version()}\n`);
  if (invocation.help) return help(invocation, registry);
  const session = openSession(invocation, config, registry);
  if (!session.parameters.quiet) for (const warning of [...config.warnings, ...faults].flatMap((text) => text.split('\n'))) process.stderr.write(await noteText(warning, process.stderr));
  failures.debug = session.parameters.debug;
  failures.colors = session.parameters.colors;
  const { parameters } = session;
  const pager = process.stdout.isTTY ? (parameters.pager ?? process.env['PAGER'] ?? 'less -RS') : undefined;
  const interactive = invocation.command === undefined && !invocation.query && process.stdin.isTTY;
  const host = new TerminalHost(interactive ? pager : undefined, parameters.quiet);
  if (parameters.verbose) session.trace.listen((step) => process.stderr.write(`${stepText(step)}\n`));
  try {
    if (invocation.command !== undefined || invocation.query) return await one(session, invocation, host);
    if (interactive) return await (await import('./console/interactive.js')).interact(session, host);
    return await (await import('./console/batch.js')).runLines(session, process.stdin, host);
  } finally {
    if (session.group) session.group.close();
    else session.close();
  }
}

/** Saved queries are commands too. @returns what is wrong with the file that holds them */
async function takeSavedQueries(session: Session): Promise<string[]> {
  const { bringSaved, savedPath } = await import('./query/session/saved.js');
  try {
    bringSaved(session.registry, savedPath(session));
    return [];
  } catch (error) {
    if (error instanceof PluginError) return [error.message];
    throw error;
  }
}

/** Runs one command or query; Ctrl-C stops it and leaves the rows so far. */
async function one(session: Session, { command = '', words, query }: Invocation, host: TerminalHost): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => {
    // Who asks twice does not want to wait for the end of a slice.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  session.patience = () => stop.signal;
  try {
    if (query) await runText(session, query, words.line, stop.signal, host);
    else {
      // Scripts are run by a shell, which the session's group knows once it is there.
      if (command === 'run') new (await import('./console/shell.js')).Shell(session, host);
      await runCommand(session, { name: command, words, signal: stop.signal }, host);
    }
    return stop.signal.aborted ? 1 : 0;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** A query of the command line, or of a file (`-q FILE`), whose mistakes are shown in its own text. */
async function runText(session: Session, query: NonNullable<Invocation['query']>, line: string, signal: AbortSignal, host: TerminalHost): Promise<void> {
  const { runQuery } = await import('./console/query.js');
  if ('text' in query) {
    await runQuery(session, { kind: 'query', text: query.text, ...query.at }, line, signal, host);
    return;
  }
  const path = session.path(query.file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`The query cannot be read: ${(error as Error).message}.`);
  }
  const { queryEnd } = await import('../grammar/line-kind.js');
  // Statements one after the other: views and definitions for the query that ends the file.
  for (let start = 0; start < text.length && !signal.aborted; ) {
    const end = queryEnd(text, start);
    const statement = text.slice(start, end);
    if (!isBlank(statement)) await runQuery(session, { kind: 'query', text: statement, start, end }, text, signal, host);
    start = end + 1;
  }
}

/** Nothing but space and comments. */
function isBlank(text: string): boolean {
  return text.replace(/--[^\n]*|#[^\n]*|\/\*[^]*?\*\//g, '').trim() === '';
}

/** The configuration. Help and version are there also where it cannot be read. */
async function configOf(argv: readonly string[], home: string): Promise<Config> {
  try {
    return await loadConfig(home);
  } catch (error) {
    if (!(error instanceof UsageError) || !argv.some((word) => ['-h', '--help', '--version', 'help'].includes(word))) throw error;
    return { path: undefined, values: {}, origins: {}, environment: {}, warnings: [error.message] };
  }
}

/** Defaults, then the configuration, then the command line. */
function openSession({ parameters }: Invocation, config: Config, registry: Registry): Session {
  for (const [name, value] of Object.entries(config.environment)) process.env[name] ??= value;
  const values = { ...config.values, ...parameters };
  if ((values.colors ?? 'auto') === 'auto' && (process.env['NO_COLOR'] ?? '') !== '') values.colors = 'no';
  const session = new Session(values, registry);
  for (const [name, origin] of Object.entries(config.origins)) session.origins.set(name as ParameterName, origin);
  for (const name of Object.keys(parameters)) session.origins.set(name as ParameterName, 'command line');
  if (values.colors !== undefined && parameters.colors === undefined && config.values.colors === undefined) session.origins.set('colors', 'NO_COLOR');
  return session;
}

async function help({ command, parameters }: Invocation, registry: Registry): Promise<number> {
  const [{ commandHelp, programHelp }, { exampleOutputs }] = await Promise.all([import('./console/help.js'), import('./console/help-examples.js')]);
  const width = terminalWidth(process.stdout);
  const paint = paintFor(colorsOn(parameters.colors ?? ((process.env['NO_COLOR'] ?? '') === '' ? 'auto' : 'no'), process.stdout));
  if (command === undefined) return print(programHelp(registry.list(), { width, paint }));
  const page = registry.named(command).length === 0 ? (await import('./console/help-pages.js')).pages().find(({ name }) => name === command) : undefined;
  if (page) return print((await import('./console/help-pages.js')).pageText(page, { width, paint }));
  return print(registry.named(command).map((entry) => commandHelp(entry, 2, { width, paint }, { outputs: exampleOutputs(entry) })).join('\n'));
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
