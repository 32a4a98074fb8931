import type { DetectionOptions } from '../../detect.js';
import { DetectionError } from '../../error.js';
import type { KernelGuess } from './methods/method.js';

/** Names of one place that are told; the others are counted. */
const SOME_NAMES = 2;
const SOME_PLACES = 8;
/** Kernels that are named. */
const SOME_KERNELS = 4;

/** A kernel that was looked for. */
export interface Attempt {
  readonly method: string;
  readonly guess: KernelGuess;
  /** where its profile was found, or undefined */
  readonly profile: string | undefined;
}

/** Where profiles were looked up and what came of it, each place once however many names it was asked for. */
export class Places {
  private readonly lacking = new Map<string, Set<string>>();
  private readonly failed = new Map<string, string>();

  /** Takes what a repository tells (see its Tried). */
  add(place: string, outcome: string): void {
    if (outcome === 'found' || outcome.startsWith('a link to ')) return;
    const lacks = /^has no (.*)/s.exec(outcome)?.[1];
    if (lacks === undefined) {
      // What is wrong with a server is the same for all names: the first is told.
      if (!this.failed.has(place)) this.failed.set(place, outcome);
    } else this.lacking.set(place, (this.lacking.get(place) ?? new Set()).add(lacks));
  }

  /** True where a profile was found that cannot be used. */
  get damaged(): boolean {
    return [...this.failed.values()].some((outcome) => outcome.startsWith('cannot be used'));
  }

  get size(): number {
    return new Set([...this.lacking.keys(), ...this.failed.keys()]).size;
  }

  sentence(): string {
    const parts = [...this.failed].map(([place, outcome]) => spoken(place, outcome));
    for (const [place, names] of this.lacking) {
      if (this.failed.has(place)) continue;
      const some = [...names].slice(0, SOME_NAMES).join(' and no ');
      parts.push(`${place} has no ${some}${names.size > SOME_NAMES ? ` (nor under ${names.size - SOME_NAMES} other ${names.size - SOME_NAMES === 1 ? 'name' : 'names'})` : ''}`);
    }
    const more = parts.length > SOME_PLACES ? `; and ${parts.length - SOME_PLACES} more` : '';
    return `${parts.slice(0, SOME_PLACES).join('; ')}${more}`;
  }
}

/** `PATH is a gzip file that is cut off`, where that is what is said of it, without its path twice. */
function spoken(place: string, outcome: string): string {
  const inner = /^cannot be \w+ \((.*)\)$/s.exec(outcome)?.[1];
  return inner?.startsWith(place) === true ? inner : `${place} ${outcome}`;
}

/** Why an image that holds a Windows kernel cannot be read, and what would help. */
export function failure(attempts: readonly Attempt[], places: Places, options: DetectionOptions): DetectionError {
  const named = attempts.filter(({ guess }) => guess.presumed !== true);
  const kernels = new Map((named.length > 0 ? named : attempts).map(({ guess }) => [guess.guid, guess]));
  const all = [...kernels.values()].map(({ guid, pdb }) => `${pdb} GUID ${guid.slice(0, 32)} age ${parseInt(guid.slice(32), 16)}`);
  const list = `${all.slice(0, SOME_KERNELS).join('; ')}${all.length > SOME_KERNELS ? `; and ${all.length - SOME_KERNELS} more` : ''}`;
  const used = [...new Set(attempts.flatMap(({ profile }) => profile ?? []))];
  if (used.length > 0) {
    const stated = options.profile ?? options.profileName;
    const [one = '', ...others] = used;
    const what = stated === undefined ? `The profile ${one}${others.length > 0 ? `, and ${others.length} more,` : ''} was used` : `The profile ${stated} was used (--profile)`;
    if (options.dtb !== undefined) {
      return new DetectionError(
        `This is Windows (${list}), and the page tables at 0x${options.dtb.toString(16)} (--dtb) do not lead to that kernel. ${what}. Without --dtb they are looked for.`,
        'rekall -f IMAGE',
        options.trace.steps,
      );
    }
    const lacking = attempts.some(({ profile }) => profile === undefined) && places.size > 0 ? ` Others were not found: ${places.sentence()}.` : '';
    return new DetectionError(
      `This is Windows (${list}), but no running kernel was found in it. ${what}, and no page tables lead to such a kernel: the profile is of another one, or the image is damaged.${lacking}`,
      stated === undefined ? 'rekall -v -f IMAGE why' : 'rekall -f IMAGE --repository_path FOLDER',
      options.trace.steps,
    );
  }
  const [first] = kernels.values();
  const key = first?.guid ?? '';
  const looked = places.size === 0 ? 'No profile repository is named.' : `Looked in: ${places.sentence()}.`;
  return new DetectionError(
    `This is Windows (${list}), and there is no profile for it${places.damaged ? ' that can be read' : ''}. ${looked}\nThe profile is to be had in three ways: --repository_path of a folder, zip file or URL with nt/GUID/${key}.gz; ` +
      `--profile FILE (Rekall JSON, Volatility 3 symbol file, or the PDB itself); rekall build_local_profile ${first?.pdb.replace(/\.pdb$/i, '') ?? 'nt'} ${key}, which fetches the PDB from a symbol server ` +
      `(fetch_pdb fetches it on a machine with a network, parse_pdb makes the profile).${places.size === 0 ? '' : ' If the GUID was forged: --autodetect eprocess_index goes by processes instead.'}`,
    `rekall -f IMAGE --repository_path FOLDER`,
    options.trace.steps,
  );
}

/** Page tables of Windows are there, and nothing says of which build they are. */
export function unknownBuild(options: DetectionOptions): DetectionError {
  return new DetectionError(
    'This is Windows, but nothing in the image says which build: no debug record of a kernel is in memory, and no index of a repository (nt/index, nt/eprocess_index) leads to a profile that fits. ' +
      'State the profile: --profile FILE, or its name in a repository (Win7SP1x64, nt/GUID/…).',
    'rekall -f IMAGE --profile FILE',
    options.trace.steps,
  );
}
