/**
 * Packs the compiled modules into one script, `dist/program.js`, that `bin/program.mjs` runs: at the start of a command most of the time
 * went to finding, reading and linking some two hundred files. The modules themselves stay as they are, for tests and as a library.
 *
 * A module becomes a function of the same lines: its imports ask for other modules, and what it exports goes into an object. Functions are exported
 * before the module runs, all else after it, so modules that import each other may import functions only.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { root } from './setup.mjs';

const dist = join(root, 'dist');
/** What a packed module is given: they must not be names of its own. */
const GIVEN = ['$exports', '$module', '$load', '$meta'];

/** Writes a file in one step: other processes may be starting. */
export function replace(path, text) {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

/**
 * A compiled module as the body of a function of {@link GIVEN}. Throws where it has a form that the compiler gives no module of ours.
 * @param name path below `dist/`
 * @returns its code, the modules that it imports with the names that it takes of each, the packages that it imports, and the functions that it exports
 */
export function packed(name, text) {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.ESNext);
  const edits = [];
  const functions = [];
  const others = [];
  const imports = new Map();
  const packages = new Set();
  const unknown = (node) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    return new Error(`dist/${name}:${line + 1}: bin/pack.mjs has no form for ${JSON.stringify(node.getText(file).slice(0, 60))}`);
  };
  const put = (start, end, text) => edits.push({ start, end, text });
  const source = ({ moduleSpecifier: { text: specifier } }, names) => {
    const target = located(name, specifier);
    if (specifier.startsWith('.')) imports.set(target, [...(imports.get(target) ?? []), ...names]);
    else if (!specifier.startsWith('node:')) packages.add(specifier);
    return `$module(${JSON.stringify(target)})`;
  };
  for (const node of file.statements) {
    const start = node.getStart(file);
    const exported = node.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (ts.isImportDeclaration(node)) {
      const { name: whole, namedBindings: names } = node.importClause ?? {};
      const elements = names?.elements ?? [];
      // A built-in module's default is the module.
      if (whole && node.moduleSpecifier.text.startsWith('node:')) throw unknown(node);
      const parts = [...(whole ? [`default: ${whole.text}`] : []), ...elements.map((one) => (one.propertyName ? `${one.propertyName.text}: ` : '') + one.name.text)];
      const from = source(node, names && ts.isNamespaceImport(names) ? ['*'] : elements.map((one) => (one.propertyName ?? one.name).text));
      put(start, node.end, `const ${names && ts.isNamespaceImport(names) ? names.name.text : `{ ${parts.join(', ')} }`} = ${from};`);
    } else if (ts.isExportDeclaration(node)) {
      const elements = (node.exportClause?.elements ?? []).map((one) => [one.name.text, (one.propertyName ?? one.name).text]);
      if (!node.moduleSpecifier) {
        others.push(...elements.map(([as, own]) => `${as}: ${own}`));
        put(start, node.end, '');
      } else if (!node.exportClause) put(start, node.end, `Object.assign($exports, ${source(node, ['*'])});`);
      else {
        const from = source(node, elements.map(([, own]) => own));
        put(start, node.end, `{ const from = ${from}; ${elements.map(([as, own]) => `$exports.${as} = from.${own};`).join(' ')} }`);
      }
    } else if (exported) {
      put(start, exported.end, '');
      if (node.modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) throw unknown(node);
      else if (ts.isFunctionDeclaration(node)) functions.push(node.name.text);
      else if (ts.isClassDeclaration(node)) others.push(node.name.text);
      else if (ts.isVariableStatement(node) && node.declarationList.flags & ts.NodeFlags.Const) {
        for (const { name: own } of node.declarationList.declarations) {
          if (!ts.isIdentifier(own)) throw unknown(node);
          others.push(own.text);
        }
      } else throw unknown(node);
    } else if (ts.isExportAssignment(node)) throw unknown(node);
  }
  const visit = (node) => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [what] = node.arguments;
      put(node.expression.getStart(file), node.expression.end, '$load');
      if (ts.isStringLiteral(what)) put(what.getStart(file), what.end, JSON.stringify(located(name, what.text)));
    } else if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) put(node.getStart(file), node.end, '$meta');
    ts.forEachChild(node, visit);
  };
  if (/\bimport\s*[(.]/.test(text)) visit(file);
  const given = GIVEN.find((word) => text.includes(word));
  if (given !== undefined) throw new Error(`dist/${name}: ${given} is a name that packed modules are given`);
  let code = functions.length > 0 ? `Object.assign($exports, { ${functions.join(', ')} }); ` : '';
  let at = 0;
  for (const { start, end, text: new_ } of edits.sort((a, b) => a.start - b.start)) {
    code += text.slice(at, start) + new_;
    at = end;
  }
  code += text.slice(at).replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
  if (others.length > 0) code += `Object.assign($exports, { ${others.join(', ')} });\n`;
  return { code, imports, packages, functions };
}

function located(from, specifier) {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier;
}

/** Everything below a module: itself, what it imports, what that imports … */
function closure(modules, name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const next of modules.get(name).imports.keys()) closure(modules, next, found);
  return found;
}

/** Modules as one expression: an object of functions, and the packages that must be there before a module runs. */
export function script(modules) {
  const packages = {};
  for (const [name, { imports }] of modules) {
    const below = closure(modules, name);
    const needed = new Set([...below].flatMap((one) => [...modules.get(one).packages]));
    if (needed.size > 0) packages[name] = [...needed];
    for (const [target, names] of imports) {
      if (names.length === 0 || !closure(modules, target).has(name)) continue;
      const wrong = names.find((one) => !modules.get(target).functions.includes(one));
      if (wrong !== undefined) throw new Error(`dist/${name} and dist/${target} import each other, and ${wrong} is no function: move it to a module of its own`);
    }
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
