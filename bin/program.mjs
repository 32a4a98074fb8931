/**
 * The packed program (see `bin/pack.mjs`): one script instead of several hundred modules. Beside it lies what the engine made of it when it ran in the
 * build; without that, or with that of another version of Node, it is compiled anew.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const dist = new URL('../dist/', import.meta.url).href;
const path = fileURLToPath(new URL('program.js', dist));
const text = readFileSync(path, 'latin1');
/** Named by the script's hash, which is its first line: the engine itself compares lengths only. */
const cache = path.replace(/\.js$/, `-${/^\/\/ (\w+)/.exec(text)?.[1]}.cache`);
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
const script = new Script(text, { filename: path, ...(cachedData ? { cachedData } : {}) });
const packed = script.runInThisContext();
const loaded = new Map();
const packages = new Map();

/** A module, a built-in module of Node, or a package that is there. */
function module(name) {
  const known = loaded.get(name);
  if (known) return known;
  const run = packed.modules[name];
  if (!run) return packages.get(name) ?? process.getBuiltinModule(name);
  const exported = {};
  loaded.set(name, exported);
  run(exported, module, load, { url: dist + name, resolve: (specifier) => resolved(name, specifier) });
  return exported;
}

/** Where a module's file is. The library that users' plugins import is that of this program. */
function resolved(from, specifier) {
  const url = new URL(specifier, dist + from).href;
  return url === `${dist}src/index.js` ? `${dist}library.js` : url;
}

/**
 * What `import()` gives.
 * @param name of a module: its path below `dist/`, or its URL; or whatever else can be imported
 */
export async function load(name) {
  const own = name.startsWith(dist) ? name.slice(dist.length) : name;
  if (!packed.modules[own]) return import(name);
  for (const one of packed.packages[own] ?? []) if (!packages.has(one)) packages.set(one, await import(one));
  return module(own);
}

/** Keeps what the engine has made of the script so far. */
export function keep() {
  writeFileSync(`${cache}.tmp`, script.createCachedData());
  renameSync(`${cache}.tmp`, cache);
}

/** Runs the program. With `--debug` the modules themselves run: then stacks name them. */
export async function program(args) {
  const { main } = args.includes('--debug') ? await import('../dist/src/cli.js') : await load('src/cli.js');
  await main(args);
}
