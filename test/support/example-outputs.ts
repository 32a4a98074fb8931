import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Shell } from '../../src/console/shell.js';
import { fits, type PluginEntry, type Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from './console.js';
import { removedAtEnd } from './folder.js';

/** Cells of the terminal that the outputs are made for: help indents them, and 100 are common. */
const WIDTH = 94;
/** Lines of an output that are kept; a few more are kept rather than counted. */
const KEPT = 12;
const SLACK = 3;

/** Commands whose examples read files of the analyst's own, or that tell of this machine: their help shows the lines alone. */
export const WITHOUT_OUTPUT: ReadonlySet<string> = new Set(['convert_profile', 'dwarfparser', 'parse_pdb', 'fetch_pdb', 'build_local_profile', 'peinfo', 'version', 'null']);

/** Commands whose examples run on a sample: on the Linux one where they can, the others on the Windows one. */
export function ofSample(registry: Registry, system: 'linux' | 'windows' = 'linux'): PluginEntry[] {
  return registry.list().filter((entry) => !WITHOUT_OUTPUT.has(entry.name) && (system === 'linux' ? fits(entry, 'linux') : !fits(entry, 'linux') && fits(entry, 'windows')));
}

/** Lines whose output changes whenever a command or a parameter is added; those of ptov, whose columns are as wide as the rows that it had found when it gave the first. */
export const LISTINGS: ReadonlySet<string> = new Set(['info', 'plugins', 'plugins process', 'smod', 'api', 'session_api', 'config all=yes', 'ptov 0x2c4123', 'ptov 0x2c4000 0x187000']);

/** What is typed before an example: it works on a second session, or on a file. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  sdel: ['snew', 'sswitch 1'],
  drop_query: ['save_query first "select pid, name from pslist() limit 1" "the first process"'],
  queries: ['save_query first "select pid, name from pslist() limit 1" "the first process"'],
  json_render: ['pslist 1 format=data > saved.json'],
};

/** The folder in which examples say they ran; as long as the one they ran in, so that columns stay aligned. */
const FOLDER = '/home/analyst/case';

/** Where examples run: a folder of its own that holds the sample under its own name, so that no path of this machine is in any output. */
export class ExampleRunner {
  private readonly folder = removedAtEnd(realpathSync(mkdtempSync(join(existsSync('/tmp') ? '/tmp' : tmpdir(), 'rekall-'))));
  private readonly before = process.cwd();
  private readonly name: string;

  constructor(
    image: string,
    private readonly registry: Registry,
  ) {
    this.name = basename(image);
    symlinkSync(image, join(this.folder, this.name));
    mkdirSync(join(this.folder, 'home'));
    process.chdir(this.folder);
  }

  /** The examples of a command with what they print, in the form of `fixtures/examples/`: `> line`, then the output, indented. */
  async outputs(entry: PluginEntry): Promise<string> {
    const texts: string[] = [];
    for (const { line } of entry.examples) texts.push(`> ${line}\n${indented(await this.output(line))}`);
    return texts.join('\n');
  }

  close(): void {
    process.chdir(this.before);
    rmSync(this.folder, { recursive: true });
  }

  /** Each line runs in a session of its own, on an image that has been opened before. */
  private async output(line: string): Promise<string> {
    const home = join(this.folder, 'home');
    const session = new Session({ filename: this.name, home, colors: 'no', timezone: 'UTC' }, this.registry);
    const screen = new Screen(true);
    screen.columns = WIDTH;
    try {
      await session.kernel();
      // As wide as any, whatever the machine's speed; then they become marks.
      for (const step of session.trace.steps) Object.assign(step, { at: 10 });
      const unseen = new Screen(false);
      for (const typed of BEFORE[line.split(' ')[0] ?? ''] ?? []) await new Shell(session, { output: unseen, error: unseen }).execute(typed);
      const outcome = await atOnce(() => new Shell(session, { output: screen, error: screen }).execute(line.replace(/dump_dir=\S+/, `dump_dir=${this.folder}`)));
      if (outcome !== 'done') throw new Error(`${line} failed: ${screen.text}`);
    } finally {
      (session.group ?? session).close();
    }
    // Without colours nothing steers the terminal, whatever stands in memory.
    if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(screen.text.replace(/\r?\n/g, ''))) throw new Error(`${line} prints a control character: ${JSON.stringify(screen.text)}`);
    let text = screen.plain.trimEnd().replaceAll(this.folder, FOLDER);
    // Where a cell is cut, only the beginning of the folder's name stands there.
    for (let length = this.folder.length - 1; length > '/tmp/'.length; length--) text = text.replaceAll(`${this.folder.slice(0, length)}…`, `${FOLDER.slice(0, length)}…`);
    return stable(line, text);
  }
}

/** Does something while the clock stands: rows come in slices of time, and tables are as wide as the rows of the first slices. */
async function atOnce<T>(work: () => Promise<T>): Promise<T> {
  const { now } = performance;
  const time = now.call(performance);
  performance.now = () => time;
  try {
    return await work();
  } finally {
    performance.now = now;
  }
}

/** What differs from run to run (how long a step took, what day it is) stands as a mark or as one day. */
function stable(line: string, text: string): string {
  const timed = line.startsWith('why') ? text.replace(/^( *)\d+(?:\.\d+)?(?= {2})/gm, (whole) => '…'.padStart(whole.length)) : text;
  return timed
    .replace(/\b\d+(?:\.\d+)? ms\b/g, '… ms')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '2026-11-24T14:03:11.000Z')
    .replace(/-\d{4}-\d\d-\d\d\.md\b/g, '-2026-11-24.md');
}

function indented(text: string): string {
  const lines = text === '' ? [] : text.split('\n');
  const shown = lines.length > KEPT + SLACK ? [...lines.slice(0, KEPT), `… ${lines.length - KEPT} more lines`] : lines;
  return shown.map((line) => `  ${line}`.trimEnd() + '\n').join('');
}
