import type { Struct } from '../../src/object/struct.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { spaceNamed } from '../../src/session/spaces.js';

export const addressResolver = definePlugin({
  name: 'address_resolver',
  needs: 'kernel',
  topic: 'profile',
  summary: 'names to addresses and addresses to names',
  notes: 'A number gives the symbol at or below it; a name with * or ? gives all that match; module!name+offset and *name (the pointer there) work everywhere an address is asked for.',
  args: { symbol: arg.strings('names, patterns, addresses', { positional: true, completes: 'symbol' }) },
  columns: { Symbol: col.string('module!name, with the distance to it'), Offset: col.address('the address'), kind: col.string('letter of nm: T text, D data, B bss, R read-only …') },
  examples: [{ line: 'address_resolver linux!init_task' }, { line: 'address_resolver "linux!*_task_struct"' }],
  async *collect(context, args) {
    const resolver = await context.session.resolver();
    if (!args.symbol) throw new PluginError('Which symbol or address?', 'address_resolver "linux!init_*"');
    for (const text of args.symbol) {
      if (/[*?]/.test(text.replace(/^\*/, ''))) {
        let count = 0;
        for (const symbol of resolver.search(text)) {
          count++;
          yield { Symbol: `${symbol.module}!${symbol.name}`, Offset: symbol.address, kind: symbol.kind };
        }
        if (count === 0) context.note(`No symbol matches ${text}.`);
        continue;
      }
      const address = resolver.address(text);
      const found = resolver.nearest(address);
      const distance = found && found.distance > 0n ? `+0x${found.distance.toString(16)}` : '';
      yield { Symbol: found ? `${found.module}!${found.symbol.name}${distance}` : text, Offset: address, kind: found?.symbol.kind ?? null };
    }
  },
});

export const lookup = definePlugin({
  name: 'lookup',
  needs: 'kernel',
  topic: 'profile',
  summary: "a global variable's value, read as a type",
  notes: 'The type is the one given, or the one that the profile states (DWARF, ISF); without either the pointer-sized number there.',
  args: {
    constant: arg.string.required('symbol, or module!symbol', { positional: true, completes: 'symbol' }),
    target: arg.string('type to read it as: a struct, String, Pointer, unsigned int', { positional: true, completes: 'struct' }),
    address_space: arg.string('K (kernel), P (physical), pid@N', { completes: 'space' }),
  },
  columns: { field: col.any('the value'), address: col.address('where it is'), type: col.string('what it was read as') },
  examples: [{ line: 'lookup linux_banner String' }, { line: 'lookup init_task task_struct' }],
  async *collect(context, args) {
    const { profile } = context.kernel;
    const space = await spaceNamed(context.session, args.address_space);
    const resolver = await context.session.resolver();
    const address = resolver.address(args.constant);
    const stated = args.target === undefined ? profile.symbolType(args.constant.split('!').at(-1) ?? '') : undefined;
    const target = args.target ?? (stated ? profile.compiler.describe(stated) : 'unsigned long');
    const read = (): unknown => {
      if (stated) return profile.compiler.value(stated).readAt(space, address);
      if (profile.has(target)) return profile.struct<Struct>(target).at(space, address);
      if (target === 'String') return space.readCString(address, 1024).toString('utf8');
      const integer = /^(unsigned |u)?(char|short|int|long|long long|s?(?:8|16|32|64)|int(?:8|16|32|64)(?:_t)?)$/i.exec(target.trim());
      if (/^pointer$/i.test(target)) return space.readPointer(address);
      if (!integer) throw new PluginError(`No type ${target}: expected a struct of the profile, String, Pointer or an integer.`, `dt ${target}`);
      const bytes = integerBytes(integer[2] ?? '', space.bits / 8);
      const raw = space.read(address, bytes);
      const value = bytes === 8 ? raw.readBigUInt64LE(0) : BigInt(raw.readUIntLE(0, bytes));
      return integer[1] === undefined && !/^u/i.test(target) ? BigInt.asIntN(bytes * 8, value) : value;
    };
    yield { field: read, address, type: target };
  },
});

function integerBytes(name: string, word: number): number {
  const digits = /(8|16|32|64)/.exec(name)?.[1];
  if (digits !== undefined) return Number(digits) / 8;
  return { char: 1, short: 2, int: 4, long: word, 'long long': 8 }[name.toLowerCase()] ?? word;
}
