import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporary } from '../support/folder.js';
import { root } from '../support/root.js';
import { committedSample } from '../support/sample.js';
import { skipWithoutTmux, Tmux } from '../support/tmux.js';

const sample = committedSample();
const skip = skipWithoutTmux() || (sample ? false : 'no committed sample');
const home = skip ? '' : temporary();
const terminals: Tmux[] = [];
after(() => {
  for (const terminal of terminals) terminal.end();
});

const PROMPT = /\[1\] image\.kdump (?:\([^)]*\) )?\d\d:\d\d:\d\d> *$/;

function open(args: readonly string[] = [], columns = 100, rows = 30): Tmux {
  const program = [process.execPath, join(root, 'bin', 'rekall'), '-f', sample?.image ?? '', '--home', home, ...args];
  const terminal = new Tmux(program, { HOME: home, PAGER: 'less -RS', TERM: 'screen' }, columns, rows);
  terminals.push(terminal);
  return terminal;
}

/** Types a line and waits for the prompt behind it. @returns what came between */
async function say(terminal: Tmux, line: string): Promise<string> {
  const before = terminal.screen();
  terminal.type(line);
  terminal.keys('Enter');
  await terminal.until((screen) => screen !== before && screen.length > before.length && PROMPT.test(screen));
  return terminal.screen().slice(before.length);
}

test('a first prompt, commands, completion, JavaScript; Ctrl-D ends it', { skip }, async () => {
  const terminal = open();
  await terminal.until(PROMPT);
  assert.match(terminal.screen(), /image\.kdump .*Linux 6\.1[^]*Try: /);
  terminal.type('hostn');
  terminal.keys('Tab');
  await terminal.until(/> hostname *$/);
  terminal.keys('Enter');
  await terminal.until((screen) => PROMPT.test(screen) && /hostname[^]*hostname/.test(screen));
  // Keys that come faster than the completion stay behind it.
  terminal.type('psli\t 1');
  terminal.keys('Enter');
  await terminal.until((screen) => /> pslist +1\n[^]*init \(1\)/.test(screen) && PROMPT.test(screen));
  assert.match(await say(terminal, 'const p = await plugins.pslist({pids: [1]}).rows(); p[0].name'), /'init'/);
  assert.match(await say(terminal, '1 +* 2'), /SyntaxError[^]*\^/);
  // A quote that is not closed says so, and where when it is given up.
  terminal.type('pslist "abc');
  terminal.keys('Enter');
  await terminal.until(/\(something is not closed yet: an empty line says what, Ctrl-C drops it\)\n +\.\.\.> *$/);
  terminal.keys('Enter');
  await terminal.until((screen) => /This quote is never closed\.\n +pslist "abc\n +\^/.test(screen) && PROMPT.test(screen));
  // Ctrl-C at an empty prompt twice says how to leave.
  terminal.keys('C-c', 'C-c');
  await terminal.until(/To leave: quit, or Ctrl-D/);
  terminal.keys('C-d');
  await terminal.until(/ended with 0/);
});

test('a known image greets soon', { skip }, async () => {
  const first = open();
  await first.until(PROMPT);
  await say(first, 'hostname');
  first.keys('C-d');
  await first.until(/ended with 0/);
  // Milliseconds of the processor, with what is prepared while the analyst reads the greeting.
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const terminal = open();
    await terminal.until(PROMPT);
    times.push(Number(/\n(\d+)\n/.exec(await say(terminal, 'Math.round(process.cpuUsage().user / 1000)'))?.[1]));
    terminal.keys('C-d');
    await terminal.until(/ended with 0/);
  }
  assert.ok(Math.min(...times) < 3000, times.join());
});

test('Ctrl-C stops loops, awaits and commands, and the session lives', { skip }, async () => {
  const terminal = open();
  await terminal.until(PROMPT);
  await say(terminal, 'pslist 1');
  terminal.type('console.log(5 * 7); while (true) {}');
  terminal.keys('Enter');
  await terminal.until(/\n35$/);
  terminal.keys('C-c');
  await terminal.until(/Stopped\./);
  await terminal.until(PROMPT);
  // What is written later comes when the statement waits: Ctrl-C is a key then, and no signal, which node loses while it takes its handler away.
  terminal.type('await new Promise(() => setImmediate(() => console.log(6 * 8)))');
  terminal.keys('Enter');
  await terminal.until(/\n48$/);
  terminal.keys('C-c');
  await terminal.until((screen) => screen.split('Stopped.').length === 3 && PROMPT.test(screen));
  terminal.type('select count(*) from pslist() a, pslist() b, pslist() c, pslist() d, pslist() e');
  terminal.keys('Enter');
  // Its progress is shown.
  await terminal.until(/\n. \d+ s {2}[^\n]*$/);
  terminal.keys('C-c');
  await terminal.until(/Stopped: .*kept in _/);
  await terminal.until(PROMPT);
  assert.match(await say(terminal, '6 * 7'), /\n42\n/);
});

test('cc asks with a list to search; Esc and Ctrl-C leave things as they were', { skip }, async () => {
  const terminal = open();
  await terminal.until(PROMPT);
  terminal.type('cc');
  terminal.keys('Enter');
  await terminal.until(/Process context[^]*kernel[^]*kthreadd/);
  // The question stands however long it is thought about: no progress is drawn over it.
  await sleep(1500);
  assert.match(terminal.screen(), /\? Process context[^\n]*\n[^]*kthreadd/);
  assert.doesNotMatch(terminal.screen(), /\d s {2}cc/);
  terminal.type('init');
  await terminal.until(
    (screen) => /❯ +1 {2}init/.test(screen) && !/kthreadd/.test(screen.slice(screen.indexOf('Process context'))),
  );
  terminal.keys('Escape');
  await terminal.until(/The context stays as it was\.[^]*\[1\] image\.kdump \d/);
  terminal.type('cc');
  terminal.keys('Enter');
  await terminal.until(/Process context[^]*kthreadd/);
  terminal.keys('C-c');
  await terminal.until((screen) => screen.split('The context stays').length === 3 && PROMPT.test(screen));
  terminal.type('cc');
  terminal.keys('Enter');
  await terminal.until(/\? Process context[^]*kthreadd/);
  terminal.type('bash');
  await terminal.until(/❯ +\d+ {2}bash/);
  terminal.keys('Enter');
  await terminal.until(/Process context: bash \(\d+\), DTB 0x[0-9a-f]+\n\[1\] image\.kdump \(bash \d+\) [\d:]+> *$/);
  // The line editor has its keys back.
  assert.match(await say(terminal, '2 + 3'), /\n5\n/);
  assert.match(await say(terminal, 'cc kernel'), /Process context: kernel[^]*\] image\.kdump \d/);
});

test('what is pasted runs in order, statements of several lines too', { skip }, async () => {
  const terminal = open([], 100, 50);
  await terminal.until(PROMPT);
  terminal.paste(
    'const f = (x) => {\n\tconst y = x * 2;\n\n\treturn y;\n}\nf(21)\nselect name\nfrom pslist()\nwhere pid == 1\n"last"\n',
  );
  await terminal.until(/'last'\n\[1\]/);
  assert.match(
    terminal.screen(),
    /f\(21\)\n42\n\[1\][^\n]*> select name\n +\.\.\.> from pslist\(\)\n +\.\.\.> where pid == 1\nname\n-+\ninit\n\[1\][^\n]*> "last"\n'last'\n/,
  );
});

test(
  'a query of several lines is typed, and comes back whole; history survives, Ctrl-R searches it',
  { skip },
  async () => {
    const terminal = open();
    await terminal.until(PROMPT);
    for (const line of ['select name', 'from pslist()']) {
      terminal.type(line);
      terminal.keys('Enter');
      await terminal.until(/\.\.\.> *$/);
    }
    terminal.type('where pid < 3;');
    terminal.keys('Enter');
    await terminal.until(/init\nkthreadd\n\[1\][^\n]*> *$/);
    await say(terminal, '"between"');
    terminal.keys('Up', 'Up');
    await terminal.until(/> select name\n *from pslist\(\)\n *where pid < 3; *$/);
    terminal.keys('Enter');
    await terminal.until((screen) => screen.split('kthreadd').length === 3 && PROMPT.test(screen));
    terminal.type('quit');
    terminal.keys('Enter');
    await terminal.until(/ended with 0/);
    assert.match(readFileSync(join(home, '.rekall_cache', 'history'), 'utf8'), /"between"\n/);

    const again = open();
    await again.until(PROMPT);
    again.keys('C-r');
    again.type('betw');
    await again.until(/bck-i-search: betw/);
    again.keys('Enter');
    await again.until(/'between'/);
  },
);

test('a terminal that is resized, stopped and resumed goes on', { skip }, async () => {
  const terminal = open();
  await terminal.until(PROMPT);
  terminal.type('pslist | head -3 ');
  terminal.resize(60, 20);
  terminal.keys('Enter');
  await terminal.until((screen) => /init \(1\)/.test(screen) && PROMPT.test(screen));
  const wide = await say(terminal, 'pslist 1');
  assert.ok(
    wide.split('\n').every((line) => line.length <= 60),
    wide,
  );
  terminal.keys('C-z');
  await terminal.until(/[$#] *$/);
  terminal.type('fg');
  terminal.keys('Enter');
  await terminal.until((screen) => /[$#] fg\n[^]/.test(screen) && PROMPT.test(screen));
  assert.match(await say(terminal, '20 + 3'), /\n23\n/);
});

test(
  'long output goes to the pager; leaving it early brings the prompt back, and keys typed ahead are not lost',
  { skip },
  async () => {
    const terminal = open();
    await terminal.until(PROMPT);
    terminal.type('dmesg');
    terminal.keys('Enter');
    await terminal.until(/^:|\n:[^\n]*$/);
    terminal.keys('q');
    await terminal.until(PROMPT);
    assert.match(await say(terminal, '30 + 4'), /\n34\n/);
    // Typed while a command runs.
    terminal.type('await new Promise((done) => setTimeout(done, 600))');
    terminal.keys('Enter');
    terminal.type('"ahead" + 1');
    terminal.keys('Enter');
    await terminal.until(/'ahead1'\n\[1\]/);
  },
);

test('two consoles at once keep both histories', { skip }, async () => {
  const [one, two] = [open(), open()];
  await Promise.all([one.until(PROMPT), two.until(PROMPT)]);
  await say(one, '"from one"');
  await say(two, '"from two"');
  await say(one, '"again one"');
  one.keys('C-d');
  two.keys('C-d');
  await Promise.all([one.until(/ended with 0/), two.until(/ended with 0/)]);
  assert.match(readFileSync(join(home, '.rekall_cache', 'history'), 'utf8'), /"from one"\n"from two"\n"again one"\n/);
});
