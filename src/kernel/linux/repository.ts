import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian's and Red Hat's debug packages put a kernel with its DWARF. */
const installed = (release: string): string[] => [
  `/usr/lib/debug/boot/vmlinux-${release}`,
  `/usr/lib/debug/lib/modules/${release}/vmlinux`,
  `/lib/modules/${release}/build/vmlinux`,
];

const DEEPEST = 4;
const MOST_FILES = 20_000;

/**
 * Files that may hold the types of a kernel, likeliest first: those below the repository folders whose name contains
 * its release (`linux-6.1.0-50-686-pae.json.xz`, `Debian/3.2.0-4-amd64.gz`), then an installed debug package's.
 * Only names are looked at here; the banner decides.
 */
export function profileCandidates(folders: readonly string[], release: string): string[] {
  const found: string[] = [];
  let seen = 0;
  const visit = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      if (++seen > MOST_FILES) return;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < DEEPEST) visit(path, depth + 1);
      } else if (entry.name.includes(release) && !entry.name.startsWith('System.map')) found.push(path);
    }
  };
  for (const folder of folders) visit(folder, 0);
  return [...found, ...installed(release)];
}

/** What is in a folder; nothing where it cannot be read. */
function entriesOf(folder: string): { name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}
