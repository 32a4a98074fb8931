/** `node write-profile.js PDB REPOSITORY KIND`: writes the profile of a PDB as `v1.0/KIND/GUID/KEY.gz`, as parse_pdb makes it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { profileParts } from '../../../src/symbols/convert.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import { writeProfile } from '../../../src/symbols/rekall/file.js';

const [path = '', repository = '', kind = ''] = process.argv.slice(2);
const pdb = readPdb(readFileSync(path), basename(path));
const parts = profileParts(pdb);
const folder = join(repository, 'v1.0', kind, 'GUID');
mkdirSync(folder, { recursive: true });
const metadata = { ...parts.metadata, PDBFile: basename(path), ProfileClass: kind === 'nt' ? 'Nt' : kind, major: 6, minor: 1 };
await writeProfile(join(folder, `${String(pdb.metadata['GUID_AGE'])}.gz`), { ...parts, metadata });
