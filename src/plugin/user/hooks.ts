/**
 * Module hooks for users' plugin files, run by Node in a thread of their own: `'rekall'` means the program that runs, TypeScript is
 * compiled as it is loaded, and what a plugin file imports from beside it is loaded anew with it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { LoadHook, ResolveHook } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, MARK } from './place.js';
import { makeFolders } from '../../memory/folders.js';

/** Raised when compiling changes: older results are then not used. */
const VERSION = 1;

let library = '';

export function initialize(data: { readonly library: string }): void {
  library = data.library;
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const parent = context.parentURL === undefined ? undefined : new URL(context.parentURL).searchParams;
  if (parent?.has(MARK) !== true) return next(specifier, context);
  if (specifier === 'rekall') return { url: library, format: 'module', shortCircuit: true };
  if (!/^\.{0,2}\//.test(specifier)) return next(specifier, context);
  const url = new URL(specifier, context.parentURL);
  // As TypeScript has it, an import of x.js means x.ts where only that is there.
  const typed = url.pathname.replace(/\.(m?)js$/, '.$1ts');
  if (typed !== url.pathname && !existsSync(fileURLToPath(url))) {
    const other = new URL(url);
    other.pathname = typed;
    if (existsSync(fileURLToPath(other))) url.pathname = typed;
  }
  if (!existsSync(fileURLToPath(url))) {
    const importer = fileURLToPath(context.parentURL?.replace(/[?#].*$/, '') ?? '');
    const line = readFileSync(importer, 'utf8').split('\n').findIndex((text) => text.includes(`'${specifier}'`) || text.includes(`"${specifier}"`));
    throw new SyntaxError(`${importer}:${line + 1}: It imports ${specifier}, and there is no such file.`);
  }
  url.search = parent.toString();
  return { url: url.href, shortCircuit: true };
};

export const load: LoadHook = async (url, context, next) => {
  const parameters = url.startsWith('file:') ? new URL(url).searchParams : undefined;
  if (parameters?.has(MARK) !== true) return next(url, context);
  const path = fileURLToPath(url.replace(/[?#].*$/, ''));
  if (/\.m?ts$/.test(path)) return { format: 'module', source: await compiled(path, parameters.get(CACHE)), shortCircuit: true };
  // Without a package.json beside it Node would take .js for CommonJS, which cannot import this program.
  if (/\.m?js$/.test(path)) return { format: 'module', source: readFileSync(path), shortCircuit: true };
  return next(url, context);
};

/** A TypeScript file as JavaScript, with its source map in it; kept by content, since loading the compiler takes a third of a second. */
async function compiled(path: string, cache: string | null): Promise<string> {
  const text = readFileSync(path, 'utf8');
  const key = createHash('sha256').update(`${VERSION} ${path}\n${text}`).digest('hex').slice(0, 40);
  const kept = cache === null ? undefined : join(cache, `${key}.js`);
  if (kept !== undefined && existsSync(kept)) return readFileSync(kept, 'utf8');
  const { default: ts } = await import('typescript');
  const { outputText, diagnostics = [] } = ts.transpileModule(text, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      inlineSourceMap: true,
      inlineSources: true,
      // `import { type X }` and imports of types alone may stay: what is not used is left out.
      verbatimModuleSyntax: false,
    },
  });
  const [first] = diagnostics;
  if (first) {
    const { line } = first.file && first.start !== undefined ? first.file.getLineAndCharacterOfPosition(first.start) : { line: 0 };
    // Errors of this thread arrive without their properties: the message has all.
    throw new SyntaxError(`${path}:${line + 1}: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`);
  }
  if (kept !== undefined) keep(kept, outputText);
  return outputText;
}

/** A folder that cannot be written is no reason to fail. */
function keep(path: string, text: string): void {
  try {
    makeFolders(join(path, '..'));
    writeFileSync(`${path}.${process.pid}.tmp`, text);
    renameSync(`${path}.${process.pid}.tmp`, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
