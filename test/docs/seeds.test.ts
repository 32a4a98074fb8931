import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { ImageError } from '../../src/memory/image.js';
import { openImage } from '../../src/memory/image/open.js';
import { isKnownElsewhere } from '../../src/plugin/elsewhere.js';
import { fits, Registry } from '../../src/plugin/registry.js';
import { readPdb } from '../../src/symbols/pdb/read.js';
import { cabinetOf } from '../support/cabinet.js';
import { temporary } from '../support/folder.js';
import { localServer } from '../support/http-server.js';
import { root } from '../support/root.js';
import { blog, commandsNamed, headings, seedsSkip, type ShellLine, shellLines, slides } from '../support/seeds.js';
import { sharedData } from '../support/shared.js';
import { replicaPath, replicaSkip } from '../support/windows.js';

/** Every command line of the seed documents is found in them and run as it stands, on an image of the name that it says. */
const skip = seedsSkip || replicaSkip;
const home = temporary();
const registry = Registry.builtIn();
const KEY = 'F8E2A8B5C9B74BF4A6E4A48F180099942';

interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

/** Runs a line as a shell does, where `rekall` is our program and the home folder has the images. */
async function shell(line: string, extra = ''): Promise<Outcome> {
  const env = { ...process.env, HOME: home, NO_COLOR: '1', PAGER: 'cat', COLUMNS: '200', PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}` };
  const child = spawn('sh', ['-c', `${line} ${extra}`], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, error] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (error += piece.toString()));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, output, error };
}

before(async () => {
  if (skip) return;
  for (const folder of ['bin', 'images', 'profiles/Volatility']) mkdirSync(join(home, folder), { recursive: true });
  const image = await replicaPath();
  symlinkSync(join(root, 'bin/rekall'), join(home, 'bin/rekall'));
  symlinkSync(image, join(home, 'images/win7.elf'));
  symlinkSync(image, join(home, 'win7.elf'));
  // The documents' own configuration: its key in the slides, two places in the blog's order.
  const key = /^(profile_path:)$/m.exec(slides)?.[1];
  assert.ok(key !== undefined && /^ {2}- \/home\/\S+\/rekall\.profiles$/m.test(blog));
  const own = join(home, 'own');
  mkdirSync(join(own, 'v1.0'), { recursive: true });
  // The link that the blog shows, with the target of the machine that its lines were typed for.
  writeFileSync(join(own, 'v1.0/Win7SP1x64'), JSON.stringify({ $METADATA: { Type: 'Symlink', Target: `ntoskrnl.exe/AMD64/6.1.7600.16385/${KEY}` } }));
  // Nothing is learnt from one line for the next: each finds the kernel, and says how.
  writeFileSync(join(home, '.rekallrc'), `${key}\n  - ${own}\n  - ${sharedData('profiles').path}\ncache: memory\n`);
});

/** Headings of Rekall's tables, and the columns that have them here. */
const COLUMNS: Readonly<Record<string, string>> = {
  'Offset (V)': '_EPROCESS',
  Name: '_EPROCESS',
  PID: '_EPROCESS',
  PPID: 'ppid',
  Thds: 'thread_count',
  Hnds: 'handle_count',
  Sess: 'session_id',
  Wow64: 'wow64',
  Start: 'process_create_time',
  Exit: 'process_exit_time',
  Rel: 'rel',
  Address: 'address',
  'Op Codes': 'opcode',
  Instruction: 'instruction',
  Comment: 'comment',
};

/** The columns that the document shows are those of the output, in their order. */
function sameColumns({ printed, line }: ShellLine, { output }: Outcome): void {
  const title = output.split('\n')[0] ?? '';
  let at = 0;
  for (const heading of headings(printed)) {
    const column = COLUMNS[heading] ?? heading;
    const found = title.indexOf(column, at);
    assert.ok(found >= 0, `${line}: ${heading} (${column}) is not in: ${title}`);
    at = found;
  }
}

type Check = (shown: ShellLine, context: TestContext) => Promise<void> | void;

async function runs(shown: ShellLine): Promise<Outcome> {
  const outcome = await shell(shown.line);
  assert.equal(outcome.status, 0, outcome.error);
  sameColumns(shown, outcome);
  assert.ok(outcome.output.trim().split('\n').length > 3, outcome.output);
  return outcome;
}

/** What the document's log says of a detection is said here, too: GUID, page tables, base. */
const detects: Check = async (shown) => {
  const { error } = await runs(shown);
  const log = shown.printed.join('\n');
  for (const [, guid = ''] of log.matchAll(/GUID\/([0-9A-F]{33})/g)) assert.ok(error.includes(guid), `${guid} is not in:\n${error}`);
  for (const [, dtb = ''] of log.matchAll(/\(DTB: (0x[0-9a-f]+)\)/g)) assert.ok(error.includes(dtb), dtb);
  // The original printed addresses without their upper 16 bits.
  for (const [, base = ''] of log.matchAll(/kernel base at 0x([0-9A-F]+)/g)) assert.ok(error.includes(`0xffff${base.toLowerCase()}`), base);
};

const versionScan: Check = async (shown) => {
  const outcome = await shell(shown.line);
  assert.equal(outcome.status, 0, outcome.error);
  sameColumns(shown, outcome);
  const row = shown.printed.find((line) => /^0x[0-9a-f]+ [0-9A-F]{33} /.test(line)) ?? '';
  const [, guid = '', pdb = ''] = row.split(/\s+/);
  assert.equal(guid, KEY);
  assert.match(outcome.output, new RegExp(`0x[0-9a-f]+ +${guid} +${pdb}`));
};

/** Without a profile: what is missing, where was looked, what to do. */
const missing: Check = async ({ line, printed }) => {
  assert.ok(printed.some((text) => text.startsWith('ValueError: Unable to load profile')));
  const { status, error } = await shell(line, `--repository_path ${join(home, 'own')}`);
  assert.equal(status, 1);
  for (const said of [/F8E2A8B5C9B74BF4A6E4A48F18009994 age 2/, /ntkrnlmp\.pdb/, /own has no/, /--repository_path/, /--profile FILE/, /build_local_profile ntkrnlmp F8E2/]) assert.match(error, said);
  assert.doesNotMatch(error, /\n\s+at /);
};

/** The listing itself is compared in listing.test.ts. */
const lists: Check = async (shown) => {
  const { output } = await runs(shown);
  assert.match(output, /^------ nt!PsSetLoadImageNotifyRoutine ------$/m);
};

/** A PDB of the GUID that the document fetches: that of the project's own fixture is put in its place. */
function pdbOfKernel(): Buffer {
  const bytes = Buffer.from(readFileSync(join(root, 'test/data/pdb/types-amd64.pdb')));
  const packed = (guid: string): Buffer => {
    const hex = Buffer.from(guid, 'hex');
    return Buffer.concat([hex.subarray(0, 4).reverse(), hex.subarray(4, 6).reverse(), hex.subarray(6, 8).reverse(), hex.subarray(8, 16)]);
  };
  const at = bytes.indexOf(packed(readPdb(bytes, 'own').identity.guid ?? ''));
  packed(KEY).copy(bytes, at);
  return bytes;
}

const fetches: Check = async ({ line, printed }) => {
  assert.ok(printed.includes('Extracting cabinet: ntkrnlmp.pd_'));
  const server = await localServer({ [`/ntkrnlmp.pdb/${KEY}/ntkrnlmp.pd_`]: cabinetOf({ 'ntkrnlmp.pdb': pdbOfKernel() }) });
  try {
    const { status, output, error } = await shell(line, `--symbol_server ${server.url}`);
    assert.equal(status, 0, error);
    assert.match(output, /ntkrnlmp\.pdb/);
    assert.deepEqual(readFileSync(join(home, 'ntkrnlmp.pdb')), pdbOfKernel());
  } finally {
    await server.close();
  }
};

const parses: Check = async ({ line }, context) => {
  if (!existsSync(join(home, 'ntkrnlmp.pdb'))) return context.skip('nothing was fetched');
  const { status, error } = await shell(line);
  assert.equal(status, 0, error);
  const json = JSON.parse(readFileSync(join(home, `${KEY}.json`), 'utf8')) as Record<string, Record<string, unknown>>;
  const pdb = readPdb(pdbOfKernel(), 'own');
  assert.equal(json['$METADATA']?.['GUID_AGE'], KEY.replace(/.$/, String(pdb.identity.age ?? '')));
  for (const [name, offset] of pdb.constants.entries()) assert.equal(json[pdb.constants.kind(name) === 'function' ? '$FUNCTIONS' : '$CONSTANTS']?.[name], Number(offset), name);
  assert.deepEqual(Object.keys(json['$STRUCTS'] ?? {}).sort(), [...pdb.types.structNames()].sort());
};

/** A line that cannot run yet: why, and whether that is still so. */
interface Later {
  readonly reason: string;
  readonly still: () => boolean | Promise<boolean>;
}
const MACOS: Later = { reason: 'images of macOS', still: () => !registry.list().some((entry) => Array.isArray(entry.needs) && fits(entry, 'darwin')) };
const E01: Later = { reason: 'images in EWF files', still: () => !opens(sharedData('ewf', 'ext2.E01').path) };
const LIVE: Later = { reason: 'a running system', still: async () => (await shell('rekall --live')).status !== 0 };

/** Whether an image is read as more than its bytes. */
function opens(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const image = openImage(path);
    image.close();
    return image.format !== 'raw';
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return false;
  }
}

const LINES: Readonly<Record<string, Check | Later>> = {
  'rekall --verbose -f ~/images/win7.elf pslist': detects,
  "rekall -f ~/images/win7.elf dis 'ntoskrnl.exe!PsSetLoadImageNotifyRoutine'": lists,
  'rekall -f OSX_image.dd --profile ./OSX_10.6.6_AMD.json.gz': MACOS,
  'rekall -f OSX_image.dd --profile ./OSX_10.6.6_AMD.json': MACOS,
  'rekall convert_profile ./profiles/Volatility/ ./OSX_10.6.6_AMD.json': { reason: 'the name of the zip file is lost in the document', still: async () => (await shell('rekall convert_profile ./profiles/Volatility/ ./OSX_10.6.6_AMD.json')).status !== 0 },
  'rekall -f memory_vm_10_7.dd.E01 --profile OSX/10.7.4_AMD -v pslist': E01,
  'rekall -f memory_vm_10_7.dd.E01 --profile_path full_path_to_rekall.profiles --profile OSX/10.7.4_AMD -v pslist': E01,
  'rekall -f win7.elf version_scan --name_regex krnl': versionScan,
  'rekall -f ~/images/win7.elf -v --profile Win7SP1x64 pslist': detects,
  'rekall -f ~/images/win7.elf -v --profile GUID/F8E2A8B5C9B74BF4A6E4A48F180099942 pslist': detects,
  // The second time the document has no profile for it.
  'rekall -f ~/images/win7.elf -v pslist': (shown, context) => (shown.printed.some((line) => line.includes('Could not find profile')) ? missing : detects)(shown, context),
  'rekall fetch_pdb -D. --guid F8E2A8B5C9B74BF4A6E4A48F180099942 --filename ntkrnlmp.pdb': fetches,
  'rekall parse_pdb -f ntkrnlmp.pdb --output F8E2A8B5C9B74BF4A6E4A48F180099942.json --win 6.1': parses,
  'rekall --help': async ({ line }) => assert.match((await shell(line)).output, /profile_path|repository_path/),
  'rekall -v --live API': LIVE,
  'rekall -v --live Memory': LIVE,
  'rekall --live': LIVE,
  'rekall --live API': LIVE,
  'rekall ---live': LIVE,
  'rekall ---live API': LIVE,
};
/** Programs that the documents show beside ours; `-f` alone is Volatility's line without its program. */
const OTHERS = /^(?:git|cd|sudo|virtualenv|source|pip|python|-f) /;

const typed = [blog, slides].flatMap((document) => [...shellLines(document)]);
let number = 0;
for (const shown of typed.filter(({ line }) => !OTHERS.test(line))) {
  const line = shown.line.replace(/\s+/g, ' ');
  const check = LINES[line];
  test(`the documents' line ${++number}: ${line}${check && 'reason' in check ? ` (later: ${check.reason})` : ''}`, { skip }, async (context) => {
    assert.ok(check, 'a line that nobody has mapped');
    if (typeof check === 'function') return check(shown, context);
    assert.ok(await check.still(), `${check.reason}: that is there by now, so the line must run`);
    // Until then it says what is wrong, without a stack.
    // The console reads its commands from where there is no input: one is given.
    const { error } = await shell(shown.line, check === MACOS ? 'pslist' : '');
    assert.ok(error.trim() !== '' && !/\n\s+at /.test(error), error);
  });
}

test('the documents have lines, and each that is mapped is in them', { skip }, () => {
  const lines = new Set(typed.map(({ line }) => line.replace(/\s+/g, ' ')));
  assert.deepEqual(Object.keys(LINES).filter((line) => !lines.has(line)), []);
});

/** Commands that come with live analysis and acquisition, and programs of that name. */
const LATER = new Set(['glob', 'file_yara', 'wmi']);

test('every command that the documents name is there, or says why it is not', { skip }, async (context) => {
  const named = [blog, slides].flatMap(commandsNamed).filter((name) => registry.named(name).length > 0 || isKnownElsewhere(name));
  for (const name of ['cc', 'rammap', 'vtop', 'ptov', 'vad', 'callbacks', 'search', 'modules', 'convert_profile', 'version_scan', 'glob', 'wmi']) assert.ok(named.includes(name), name);
  for (const name of new Set(named)) {
    const isThere = registry.named(name).length > 0;
    if (LATER.has(name)) {
      assert.ok(!isThere, `${name} is there by now`);
      assert.match((await shell(`rekall -f win7.elf ${name} x`)).error, /Rekall|running system/, name);
    } else if (!isThere) context.diagnostic(`no command ${name} yet`);
  }
});
