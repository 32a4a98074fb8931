/**
 * `node plain-types.js FILE.ll…`: takes the types without a name out of the members of those that hold them. Clang lists them as nested
 * types, which C does not have, Microsoft's compiler does not write, and Volatility's converter of PDBs refuses.
 */
import { readFileSync, writeFileSync } from 'node:fs';

for (const path of process.argv.slice(2)) {
  const text = readFileSync(path, 'utf8');
  const unnamed = new Set([...text.matchAll(/^(![0-9]+) = (?:distinct )?!DICompositeType\(tag: DW_TAG_(?:union|structure)_type, scope: (?!.*\bname: )/gm)].map(([, id]) => id));
  const plain = text.replace(/^(![0-9]+ = !\{)(.*)\}$/gm, (_whole, head: string, list: string) => `${head}${list.split(', ').filter((id) => !unnamed.has(id)).join(', ')}}`);
  writeFileSync(path, plain);
}
