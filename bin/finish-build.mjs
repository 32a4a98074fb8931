/**
 * The last step of a build, run when the compiler was content: collects the declarations of all commands into
 * `dist/plugins/manifest.json`, so that starting up reads one file and loads only the command that is run, and checks them.
 */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup.mjs';

const compiled = join(root, 'dist', 'plugins');

/** Compiled plugin modules whose source is still there: the compiler leaves behind what was made from deleted files. */
function modules() {
  if (!existsSync(compiled)) return [];
  return readdirSync(compiled, { recursive: true })
    .filter((name) => name.endsWith('.js') && existsSync(join(root, 'plugins', name.replace(/\.js$/, '.ts'))))
    .sort();
}

function isPlugin(value) {
  return typeof value === 'object' && value !== null && typeof value.name === 'string' && 'needs' in value && typeof value.collect === 'function';
}

/** What is wrong with a declaration: sentences. */
function faults(plugin, where) {
  const wrong = [];
  if (!/^[a-z][a-z0-9_]*$/.test(plugin.name)) wrong.push('its name is not made of lower-case letters, digits and _');
  for (const field of ['summary', 'topic']) if (!plugin[field]) wrong.push(`it has no ${field}`);
  for (const [kind, entries] of [['argument', plugin.args], ['column', plugin.columns]]) {
    for (const [name, one] of Object.entries(entries)) if (!one.doc) wrong.push(`${kind} ${name} has no sentence`);
  }
  if (!plugin.examples?.length) wrong.push('it has no example');
  for (const example of plugin.examples ?? []) {
    const first = example.line.split(/\s/)[0];
    if (first !== plugin.name && !plugin.aliases?.includes(first)) wrong.push(`its example '${example.line}' runs another command`);
  }
  return wrong.map((sentence) => `${where}, ${plugin.name}: ${sentence}`);
}

/** Values that JSON has no form for, as they would be typed. */
function plain(_key, value) {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return value instanceof RegExp ? value.source : value;
}

const { describeEntry } = await import(pathToFileURL(join(root, 'dist', 'src', 'plugin', 'registry.js')).href);
const entries = [];
const wrong = [];
const seen = new Map();
for (const name of modules()) {
  const file = relative(compiled, join(compiled, name)).replaceAll('\\', '/');
  for (const [exportName, value] of Object.entries(await import(pathToFileURL(join(compiled, name)).href))) {
    if (!isPlugin(value)) continue;
    wrong.push(...faults(value, `plugins/${file.replace(/\.js$/, '.ts')}`));
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
const manifest = join(compiled, 'manifest.json');
writeFileSync(`${manifest}.tmp`, JSON.stringify(entries, plain));
renameSync(`${manifest}.tmp`, manifest);
writeFileSync(join(root, 'dist', '.built'), '');
