/**
 * Packs the compiled modules into one script, `dist/program.js`, that `bin/program.mjs` runs: at the start of a command most of the time
 * went to finding, reading and linking some two hundred files. The modules themselves stay as they are, for tests and as a library.
 *
 * The compiler writes each module anew as a CommonJS one, the body of a function that is given its imports and takes its exports: a name that is imported
 * is looked up when it is used, so modules may import each other as before.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { root } from './setup.mjs';

const dist = join(root, 'dist');
/** What a packed module is given; the last two stand for `import()` and `import.meta`, and must not be names of its own. */
const GIVEN = ['exports', 'require', '$load', '$meta'];

/** Writes a file in one step: other processes may be starting. */
export function replace(path, text) {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

/**
 * A compiled module as the body of a function of {@link GIVEN}.
 * @param name path below `dist/`
 * @returns its code, the modules that it imports, and the packages that it imports
 */
export function packed(name, text) {
  const given = GIVEN.find((word) => word.startsWith('$') && text.includes(word));
  if (given !== undefined) throw new Error(`dist/${name}: ${given} is a name that packed modules are given`);
  const imports = new Set();
  const packages = new Set();
  const { factory } = ts;
  const renamed = (specifier) => factory.createStringLiteral(located(name, specifier.text));
  const take = (specifier) => {
    if (specifier.text.startsWith('.')) imports.add(located(name, specifier.text));
    else if (!specifier.text.startsWith('node:')) packages.add(specifier.text);
    return renamed(specifier);
  };
  const rewrite = (context) => (file) => {
    const visit = (node) => {
      if (ts.isImportDeclaration(node)) return factory.updateImportDeclaration(node, node.modifiers, node.importClause, take(node.moduleSpecifier), node.attributes);
      if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
        return factory.updateExportDeclaration(node, node.modifiers, node.isTypeOnly, node.exportClause, take(node.moduleSpecifier), node.attributes);
      }
      if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
        const [what] = node.arguments;
        return factory.createCallExpression(factory.createIdentifier('$load'), undefined, [ts.isStringLiteral(what) ? renamed(what) : ts.visitNode(what, visit)]);
      }
      if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return factory.createIdentifier('$meta');
      return ts.visitEachChild(node, visit, context);
    };
    return ts.visitNode(file, visit);
  };
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, removeComments: true };
  const { outputText } = ts.transpileModule(text, { fileName: name, transformers: { before: [rewrite] }, compilerOptions });
  return { code: outputText, imports, packages };
}

function located(from, specifier) {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier;
}

/** Everything below a module: itself, what it imports, what that imports … */
function closure(modules, name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const next of modules.get(name).imports) closure(modules, next, found);
  return found;
}

/** Modules as one expression: an object of functions, and the packages that must be there before a module runs. */
export function script(modules) {
  const packages = {};
  for (const name of modules.keys()) {
    const below = closure(modules, name);
    const needed = new Set([...below].flatMap((one) => [...modules.get(one).packages]));
    if (needed.size > 0) packages[name] = [...needed];
  }
  const functions = [...modules].map(([name, { code }]) => `${JSON.stringify(name)}(${GIVEN.join(', ')}) {\n${code}},\n`);
  return ascii(`(() => { 'use strict'; return { packages: ${JSON.stringify(packages)}, modules: {\n${functions.join('')}} }; })()\n`);
}

/** The same program in ASCII, which the engine keeps in a byte a character. */
function ascii(text) {
  // Comments may stand as they are.
  const raw = /^(?!\s*(?:\*|\/\/)).*(?:\\|String\.raw`[^`]*)[^\0-\x7f]/m.exec(text);
  if (raw) throw new Error(`a character beyond ASCII that cannot be written as an escape: ${raw[0].trim()}`);
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Writes `dist/program.js`, what the engine made of it when it ran, and `dist/library.js`: the library of that program, for users' plugins. */
export function pack(names, libraryNames) {
  const modules = new Map(names.map((name) => [name, packed(name, readFileSync(join(dist, name), 'utf8'))]));
  const text = script(modules);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  replace(join(dist, 'program.js'), `// ${hash}\n${text}`);
  const exported = libraryNames.map((name) => `export const ${name} = library.${name};\n`).join('');
  replace(join(dist, 'library.js'), `import { load } from '../bin/program.mjs';\nconst library = await load('src/index.js');\n${exported}`);
  for (const old of readdirSync(dist).filter((name) => /^program-.*\.cache$/.test(name))) rmSync(join(dist, old));
  const warm = spawnSync(process.execPath, [join(root, 'bin', 'warm.mjs')], { stdio: ['ignore', 'ignore', 2] });
  if (warm.status !== 0) throw new Error('the packed program does not run');
}
