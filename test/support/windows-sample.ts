import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Session } from '../../src/session/session.js';
import { root } from './root.js';

/** Folder of the forged Windows sample: image, profiles, truth, pieces. */
export const sampleFolder = join(root, 'fixtures/windows-sample');
export const sampleImage = join(sampleFolder, 'image.elf');
export const samplePieces = join(sampleFolder, 'pieces');

/** What the forge says of a process. Addresses are hexadecimal texts. */
export interface TrueProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly eprocess: string;
  readonly dtb: string;
  readonly session: number | null;
  readonly created: string;
  readonly exited: string | null;
  readonly unlinked: boolean;
  readonly sids: readonly string[];
  readonly privileges: { readonly present: readonly number[]; readonly enabled: readonly number[] };
  readonly command_line: string | null;
  readonly environment: Readonly<Record<string, string>> | null;
  readonly dlls: readonly { readonly base: string; readonly size: string; readonly path: string }[];
  readonly threads: readonly { readonly ethread: string; readonly tid: number; readonly start: string; readonly win32_start: string; readonly teb: string }[];
  readonly vads: readonly TrueVad[];
  readonly handle_count: number;
  readonly marks: Readonly<Record<string, unknown>>;
}

export interface TrueVad {
  readonly vad: string;
  readonly tag: string;
  readonly level: number;
  readonly start: string;
  readonly end: string;
  readonly protection: string;
  readonly commit: number;
  readonly private: boolean;
  readonly image: boolean;
  readonly file: string | null;
}

/** The truth file: what the forge meant to put where. */
export interface SampleTruth {
  readonly system: Readonly<Record<string, unknown>>;
  readonly modules: readonly { readonly name: string; readonly path: string; readonly base: string; readonly size: string; readonly ldr_entry: string }[];
  readonly processes: readonly TrueProcess[];
  readonly handles: readonly { readonly pid: number; readonly handle: string; readonly type: string; readonly name: string; readonly object: string; readonly access: string }[];
  readonly objects: readonly { readonly type: string; readonly path: string; readonly object: string }[];
  readonly drivers: readonly { readonly name: string; readonly object: string; readonly module: string; readonly device: string; readonly major: readonly { readonly address: string; readonly module: string | null }[] }[];
  readonly services: readonly { readonly index: number; readonly name: string; readonly address: string; readonly hooked: boolean; readonly module: string | null }[];
  readonly callbacks: readonly { readonly kind: string; readonly index: number; readonly address: string; readonly module: string | null }[];
  readonly unloaded: { readonly name: string; readonly start: string; readonly end: string; readonly time: string };
  readonly timers: readonly { readonly timer: string; readonly routine: string; readonly period: number; readonly module: string | null }[];
  readonly ptov: readonly { readonly physical: string; readonly file: string | null; readonly page: number; readonly prototype: string; readonly valid_in: readonly { readonly pid: number; readonly va: string }[] }[];
}

let truth: SampleTruth | undefined;

export function sampleTruth(): SampleTruth {
  truth ??= JSON.parse(gunzipSync(readFileSync(join(sampleFolder, 'truth.json.gz'))).toString('utf8')) as SampleTruth;
  return truth;
}

/** A session on the sample, which finds its profile beside the image and keeps nothing on disk. */
export function sampleSession(parameters: Record<string, unknown> = {}): Session {
  return new Session({ filename: sampleImage, cache: 'memory', ...parameters });
}
