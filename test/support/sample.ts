import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Plugin } from '../../src/plugin/plugin.js';
import type { Row } from '../../src/plugin/columns.js';
import { Registry } from '../../src/plugin/registry.js';
import type { Run } from '../../src/plugin/run.js';
import { Session } from '../../src/session/session.js';
import { lab, root } from './root.js';

export { lab };

/** An image with what its guest said of itself. */
export interface Sample {
  readonly name: string;
  readonly image: string;
  /** the guest's files: `proc/1/maps`, `dmesg`, `sys/module/loop/sections.txt` */
  truth(path: string): string;
  hasTruth(path: string): boolean;
  /** names in a folder of the truth; empty when there is none */
  list(path: string): string[];
  /** a session that keeps nothing on disk */
  session(): Session;
}

interface Truth {
  readonly read: (path: string) => string | undefined;
  readonly list: (path: string) => string[];
}

function sampleOf(name: string, image: string, truth: Truth, profile?: string): Sample {
  return {
    name,
    image,
    truth: (path) => {
      const text = truth.read(path);
      if (text === undefined) throw new Error(`${name}: the guest said nothing of ${path}`);
      return text;
    },
    hasTruth: (path) => truth.read(path) !== undefined,
    list: truth.list,
    session: () => new Session({ filename: image, cache: 'memory', ...(profile === undefined ? {} : { profile }) }, new Registry([], '')),
  };
}

function readText(path: string): string | undefined {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  return existsSync(`${path}.gz`) ? gunzipSync(readFileSync(`${path}.gz`)).toString('utf8') : undefined;
}

/** Truth as a folder: the lab's form. */
function folderTruth(folder: string): Truth {
  const at = (path: string): string => join(folder, path);
  return {
    read: (path) => (existsSync(at(path)) && statSync(at(path)).isDirectory() ? undefined : readText(at(path))),
    list: (path) => (existsSync(at(path)) ? readdirSync(at(path)) : []),
  };
}

/** Truth of the committed sample: one compressed JSON of path → text, and a few files beside it. */
function packedTruth(folder: string): Truth {
  const packed = JSON.parse(readText(join(folder, 'truth.json')) ?? '{}') as Record<string, string>;
  const beside: Readonly<Record<string, string>> = { 'proc/kallsyms': 'kallsyms', dmesg: 'dmesg.txt', 'lab/kmsg': 'kmsg.txt' };
  return {
    read: (path) => packed[path] ?? readText(join(folder, beside[path] ?? path)),
    list: (path) => [...new Set(Object.keys(packed).filter((key) => key.startsWith(`${path}/`)).map((key) => key.slice(path.length + 1).split('/')[0] as string))],
  };
}

/** The committed sample: a Debian 6.1 cloud kernel with 80 MiB. */
export function committedSample(): Sample | undefined {
  const folder = join(root, 'fixtures/linux-6.1-tiny');
  const image = join(folder, 'image.kdump');
  return existsSync(image) ? sampleOf('linux-6.1-tiny', image, packedTruth(folder)) : undefined;
}

/** The variants that need no symbol file. */
export const everyAmd64: readonly string[] = ['tiny', 'la57', 'generic', 'cloud612', 'cloud510', 'big'];

/** The lab's images that are there, of the variants named (all by default). */
export function labSamples(variants: readonly string[] = everyAmd64): Sample[] {
  return variants.flatMap((name) => {
    const truth = join(lab, 'truth', name);
    const image = ['raw', 'elf', 'kdump-zlib'].map((extension) => join(lab, 'images', `${name}.${extension}`)).find((path) => existsSync(path));
    if (image === undefined || !existsSync(truth)) return [];
    if (name !== 'pae') return [sampleOf(name, image, folderTruth(truth))];
    // Debian's 32-bit kernels carry no types: they come from a symbol file of the debug package.
    const symbols = join(lab, 'symbols/pae-6.1');
    const profile = existsSync(symbols) ? readdirSync(symbols).find((file) => file.endsWith('.json.xz')) : undefined;
    return profile === undefined ? [] : [sampleOf(name, image, folderTruth(truth), join(symbols, profile))];
  });
}

/** The committed sample and those of the lab: what a row-by-row comparison runs on. */
export function samples(variants?: readonly string[]): Sample[] {
  const committed = committedSample();
  return [...(committed ? [committed] : []), ...labSamples(variants)];
}

/** Why there is nothing to compare with, for `skip`; false where there is. */
export function skipWithout(found: readonly Sample[]): string | false {
  return found.length > 0 ? false : 'no sample image: make the lab images (fixtures/lab/README.md) and set REKALL_LAB';
}

/** Runs a plugin on a session and gives its rows and what it noted. */
export async function rowsOf(session: Session, plugin: Plugin, args: Readonly<Record<string, unknown>> = {}): Promise<{ rows: Row[]; run: Run }> {
  const withDefaults: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(plugin.args)) if (one.default !== undefined) withDefaults[name] = one.default;
  const run = session.run(plugin, { ...withDefaults, ...args });
  return { rows: await run.rows(), run };
}
