import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileProblem } from '../../src/memory/folders.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { ImageFacts, Transcript } from '../../src/session/transcript.js';
import { markdown } from './report-markdown.js';

export const report = definePlugin({
  name: 'report',
  needs: 'none',
  topic: 'session',
  summary: 'saves the whole conversation as a Markdown document',
  notes:
    'Each line with its output as it was shown, without colours; lines that are comments (# text) become prose, ## text a heading. ' +
    'What identifies each image stands before the first line that was typed about it. A file that is there already is replaced only with force, or when this ' +
    'conversation wrote it and nobody changed it since; append adds what it does not hold yet. Without a file it shows where the conversation was saved.',
  args: {
    file: arg.path('the document', { positional: true }),
    force: arg.bool('replace a file that is there already', { default: false }),
    append: arg.bool('add to a file that is there already', { default: false }),
    lines: arg.int('lines of an output at most; 0: all of them', { default: 200, least: 0 }),
    hash: arg.bool('with the SHA-256 of each image file; takes as long as reading it', { default: false }),
  },
  columns: {
    file: col.string('the document'),
    exchanges: col.int('lines of the conversation in it'),
    bytes: col.size('its size'),
    saved: col.string('when it was saved'),
  },
  examples: [{ line: 'report' }, { line: 'report conversation.md', doc: 'also saves what is typed before it in other sessions' }],
  async *collect(context, args) {
    const transcript = context.session.group?.transcript;
    if (!transcript) throw new PluginError('There is no conversation to save: report is for the console and for lines on standard input.');
    if (args.lines < 0) throw new PluginError(`lines is out of range: ${args.lines} is less than 0.`, 'report FILE lines=0');
    if (args.file !== undefined) await save(context, transcript, { ...args, file: args.file });
    if (transcript.saved.size === 0) {
      const count = transcript.exchanges.filter((exchange) => exchange.ms !== undefined).length;
      context.note(`Nothing is saved yet; ${count} ${count === 1 ? 'line' : 'lines'} so far. To save: report ${suggestion(context)}`);
    }
    for (const [file, { exchanges, bytes, at }] of transcript.saved) yield { file, exchanges, bytes, saved: at.toISOString() };
  },
});

interface Request {
  readonly file: string;
  readonly force: boolean;
  readonly append: boolean;
  readonly lines: number;
  readonly hash: boolean;
}

async function save(context: PluginContext, transcript: Transcript, { file, force, append, lines, hash }: Request): Promise<void> {
  const known = transcript.saved.get(file);
  const there = existsSync(file);
  if (there && statSync(file).isDirectory()) throw new PluginError(`${file} is a folder.`, `report ${file}/${suggestion(context)}`);
  const ours = there && known !== undefined && statSync(file).mtimeMs === known.modified;
  if (there && !force && !append && !ours) throw new PluginError(`${file} is there already.`, `report ${file} append=yes   (or force=yes)`);
  // The line that saves is not part of what it saves.
  const all = transcript.exchanges.filter((exchange) => exchange.ms !== undefined);
  const from = append && known !== undefined ? known.exchanges : 0;
  const hashes = hash ? await digests(context, [...transcript.facts.values()]) : new Map<string, string>();
  const before = append && there ? `${readFileSync(file, 'utf8').trimEnd()}\n\n` : '';
  const text = before + markdown(transcript, all.slice(from), {
    ...{ lines, hashes, timezone: context.session.parameters.timezone },
    ...{ earlier: before === '' ? [] : all.slice(0, from), continued: before !== '' },
  });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PluginError(`${file} cannot be written: ${fileProblem(error)}.`);
  }
  const { size, mtimeMs } = statSync(file);
  transcript.saved.set(file, { exchanges: all.length, bytes: size, at: new Date(), modified: mtimeMs });
}

/** SHA-256 of image files, in hex, by path. */
async function digests(context: PluginContext, facts: readonly ImageFacts[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of new Set(facts.map((one) => one.path))) {
    const total = existsSync(path) ? statSync(path).size : 0;
    const hash = createHash('sha256');
    let done = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 }) as AsyncIterable<Buffer>) {
      if (context.signal.aborted) throw new PluginError('Stopped: nothing was saved.');
      hash.update(chunk);
      context.progress(total > 0 ? (done += chunk.length) / total : undefined, `SHA-256 of ${basename(path)}`);
    }
    found.set(path, hash.digest('hex'));
  }
  return found;
}

/** A file name for the conversation: `image-2026-11-25.md`. */
function suggestion(context: PluginContext): string {
  const name = context.session.name.replace(/\.[^.]*$/, '').replace(/[^\w.-]+/g, '-');
  return `${name}-${new Date().toISOString().slice(0, 10)}.md`;
}
