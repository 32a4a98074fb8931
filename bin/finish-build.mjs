/**
 * The last step of a build, run when the compiler was content: collects the declarations of all commands into
 * `dist/plugins/manifest.json`, so that starting up reads one file and loads only the command that is run, checks them, writes
 * their types for TypeScript (`dist/src/api/plugin-types.d.ts`), and packs the program.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pack, replace } from './pack.mjs';
import { root } from './setup.mjs';

const compiled = join(root, 'dist', 'plugins');

/** Compiled modules of a folder whose source is still there: the compiler leaves behind what was made from deleted files. */
function modules(folder) {
  return readdirSync(join(root, 'dist', folder), { recursive: true })
    .filter((name) => name.endsWith('.js') && existsSync(join(root, folder, name.replace(/\.js$/, '.ts'))))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
}

/** The interfaces that the sources state for C structs: name of the struct → module and name. */
function structInterfaces() {
  const found = new Map();
  const folder = join(root, 'src', 'kernel', 'linux');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts')).sort()) {
    for (const [, name] of readFileSync(join(folder, file), 'utf8').matchAll(/^export interface (\w+) extends Struct\b/gm)) {
      const struct = name.replace(/(?!^)([A-Z])/g, '_$1').toLowerCase();
      if (!found.has(struct)) found.set(struct, { module: `../kernel/linux/${file.replace(/\.ts$/, '.js')}`, name });
    }
  }
  return found;
}

const load = (path) => import(pathToFileURL(join(root, 'dist', 'src', path)).href);
const { describeEntry, manifestJson } = await load('plugin/registry.js');
const { declarationFaults, isPlugin } = await load('plugin/check.js');
const { declarePlugins } = await load('api/declare.js');
const entries = [];
const wrong = [];
const seen = new Map();
for (const file of modules('plugins')) {
  for (const [exportName, value] of Object.entries(await import(pathToFileURL(join(compiled, file)).href))) {
    if (!isPlugin(value)) continue;
    wrong.push(...declarationFaults(value).map((sentence) => `plugins/${file.replace(/\.js$/, '.ts')}, ${value.name}: ${sentence}`));
    for (const system of Array.isArray(value.needs) ? value.needs : ['any']) {
      for (const known of [value.name, ...(value.aliases ?? [])]) {
        const key = `${known} for ${system}`;
        if (seen.has(key)) wrong.push(`two commands answer to ${key}: in ${seen.get(key)} and ${file}`);
        seen.set(key, file);
      }
    }
    entries.push(describeEntry(value, file, exportName));
  }
}
if (wrong.length > 0) {
  process.stderr.write(`${wrong.join('\n')}\n`);
  process.exit(1);
}
entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
replace(join(compiled, 'manifest.json'), manifestJson(entries));
replace(join(root, 'dist', 'src', 'api', 'plugin-types.d.ts'), declarePlugins(entries, structInterfaces()));
const all = ['grammar', 'src', 'plugins'].flatMap((folder) => modules(folder).map((name) => `${folder}/${name}`));
pack(all, Object.keys(await load('index.js')));
writeFileSync(join(root, 'dist', '.built'), '');
