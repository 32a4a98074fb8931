/** `node write-header.js 4|8 FOLDER…`: prints the C header of the facts in the folders. */
import { Header, readFacts } from './facts.js';

const [pointer, ...folders] = process.argv.slice(2);
process.stdout.write(new Header(readFacts(folders), pointer === '4' ? 4 : 8).text());
