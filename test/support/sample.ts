import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Plugin } from '../../src/plugin/plugin.js';
import type { Row } from '../../src/plugin/columns.js';
import { Registry } from '../../src/plugin/registry.js';
import type { Run } from '../../src/plugin/run.js';
import { Session } from '../../src/session/session.js';
import { root } from './root.js';

/** Where the lab's images and their truth are (fixtures/lab/README.md). */
export const lab = process.env['REKALL_LAB'] ?? join(homedir(), 'lab');

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

function sampleAt(name: string, image: string, truth: string): Sample {
  const path = (part: string): string => join(truth, part.replace(/^\//, ''));
  return {
    name,
    image,
    truth: (part) => (existsSync(path(part)) ? readFileSync(path(part), 'utf8') : gunzipSync(readFileSync(`${path(part)}.gz`)).toString('utf8')),
    hasTruth: (part) => existsSync(path(part)) || existsSync(`${path(part)}.gz`),
    list: (part) => (existsSync(path(part)) ? readdirSync(path(part)) : []),
    session: () => new Session({ filename: image, cache: 'memory' }, new Registry([], '')),
  };
}

/** The committed sample: a Debian 6.1 cloud kernel with 80 MiB. */
export function committedSample(): Sample | undefined {
  const folder = join(root, 'fixtures/linux-6.1-tiny');
  const image = join(folder, 'image.kdump');
  return existsSync(image) ? sampleAt('linux-6.1-tiny', image, join(folder, 'truth')) : undefined;
}

/** The lab's images that are there, of the variants named (all by default). */
export function labSamples(variants: readonly string[] = ['tiny', 'la57', 'generic', 'cloud612', 'cloud510', 'big']): Sample[] {
  return variants.flatMap((name) => {
    const truth = join(lab, 'truth', name);
    const image = ['raw', 'elf', 'kdump-zlib'].map((extension) => join(lab, 'images', `${name}.${extension}`)).find((path) => existsSync(path));
    return image !== undefined && existsSync(truth) ? [sampleAt(name, image, truth)] : [];
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
