import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import type { TypeSource } from '../../../src/symbols/types.js';
import { readDwarfText } from '../../../src/symbols/volatility2/dwarfdump.js';
import { pythonDictionaries } from '../../../src/symbols/volatility2/python.js';
import { readZipProfile } from '../../../src/symbols/volatility2/read.js';
import { root } from '../../support/root.js';
import { zipOf } from '../../support/zip.js';

const folder = join(root, 'test', 'data', 'dwarf');
const file = (name: string): Buffer => readFileSync(join(folder, name));

const MAP64 = 'ffffffff81000000 T _text\nffffffff82000040 R linux_banner\nffffffff82a00000 d static_list\nffffffffc0000000 t other\t[ext4]\n';
const MAP32 = 'c1000000 T _text\nc1a00000 D global_outer\n';

/** All that a source says of the structs in the tests' objects. */
function all(types: TypeSource): unknown {
  return Object.fromEntries([...types.structNames()].sort().map((name) => [name, types.struct(name)]));
}

for (const [text, object, addressSize] of [
  ['amd64-dwarf5.libdwarf.txt', 'amd64-dwarf5.o', 8],
  ['amd64-dwarf5.llvm.txt', 'amd64-dwarf5.o', 8],
  ['i386-dwarf2.libdwarf.txt', 'i386-dwarf2.o', 4],
] as const) {
  test(`${text}: the same types as the object it was printed of`, async () => {
    const fromText = await readDwarfText(file(text).toString(), addressSize);
    const { types } = await openProfileFile(join(folder, object));
    assert.deepEqual(all(fromText), all(types));
    for (const name of types.enumNames()) assert.deepEqual(fromText.enum(name), types.enum(name));
    assert.deepEqual(fromText.variables.get('global_outer')?.type, { kind: 'struct', name: 'outer' });
  });
}

test('the forms of older programs: decimal ids, locations as expressions, no DW_', async () => {
  const types = await readDwarfText(
    [
      '.debug_info',
      '<0><0+11><DW_TAG_compile_unit> DW_AT_name<"x.c">',
      '<1><45><DW_TAG_base_type> DW_AT_byte_size<4> DW_AT_encoding<DW_ATE_unsigned> DW_AT_name<"unsigned int">',
      '<1><52><DW_TAG_structure_type> DW_AT_name<"s"> DW_AT_byte_size<200> DW_AT_sibling<<90>>',
      '<2><60><DW_TAG_member> DW_AT_name<"a"> DW_AT_type<<45>> DW_AT_data_member_location<DW_OP_plus_uconst 196>',
      '<2><70><DW_TAG_member> DW_AT_name<"b"> DW_AT_type<<45>> DW_AT_byte_size<4> DW_AT_bit_size<3> DW_AT_bit_offset<5> DW_AT_data_member_location<DW_OP_plus_uconst 8>',
      '<1><90><DW_TAG_array_type> DW_AT_type<<45>>',
      '<2><95><DW_TAG_subrange_type> DW_AT_upper_bound<9>',
      '<0><0x1000+0xb><TAG_compile_unit> AT_name<"y.c">',
      '<1><0x2d><TAG_base_type> AT_byte_size<0x00000001> AT_encoding<ATE_signed_char> AT_name<"char">',
      '<1><0x34><TAG_structure_type> AT_name<"t"> AT_byte_size<0x00000100>',
      '<2><0x3c><TAG_member> AT_name<"c"> AT_type<<0x0000002d>> AT_data_member_location<-56>',
    ].join('\n'),
    8,
  );
  assert.deepEqual([...(types.struct('s')?.members ?? [])].map(([name, { offset, type }]) => [name, offset, type.kind === 'bitfield' ? [type.startBit, type.bits] : type.kind]), [
    ['a', 196, 'int'],
    ['b', 8, [24, 3]],
  ]);
  // 200 in a byte without a sign, printed as if it had one.
  assert.deepEqual(types.struct('t')?.members.get('c'), { offset: 200, type: { kind: 'int', size: 1, signed: true, encoding: 'char', name: 'char' } });
});

test("macOS' dwarfdump", async () => {
  const types = await readDwarfText(
    [
      ' File: mach_kernel (x86_64)',
      '.debug_info contents:',
      '',
      '0x00000000: Compile Unit: length = 0x00001000  version = 0x0002  abbr_offset = 0x00000000  addr_size = 0x08  (next CU at 0x00001004)',
      '',
      '0x0000000b: TAG_compile_unit [1] *',
      '             AT_name( "x.c" )',
      '',
      '0x0000002a:     TAG_base_type [2]  ',
      '                 AT_byte_size( 0x04 )',
      '                 AT_encoding( DW_ATE_signed )',
      '                 AT_name( "int" )',
      '',
      '0x00000031:     TAG_structure_type [3] *',
      '                 AT_name( "proc" )',
      '                 AT_byte_size( 0x10 )',
      '',
      '0x0000003a:         TAG_member [4]  ',
      '                     AT_name( "p_pid" )',
      '                     AT_type( {0x0000002a} ( int ) )',
      '                     AT_data_member_location( +8 )',
      '',
      '0x00000045:         TAG_member [4]  ',
      '                     AT_name( "p_list" )',
      '                     AT_type( {0x00000060} ( proc* ) )',
      '                     AT_data_member_location( +0 )',
      '',
      '0x00000050:         NULL',
      '',
      '0x00000060:     TAG_pointer_type [5]  ',
      '                 AT_type( {0x00000031} ( proc ) )',
      '                 AT_byte_size( 0x08 )',
    ].join('\n'),
    8,
  );
  assert.deepEqual([...(types.struct('proc')?.members ?? [])], [
    ['p_pid', { offset: 8, type: { kind: 'int', size: 4, signed: true, name: 'int' } }],
    ['p_list', { offset: 0, type: { kind: 'pointer', target: { kind: 'struct', name: 'proc' } } }],
  ]);
});

test('Linux zip files: System.map with module.dwarf, or with a module, and its config', async () => {
  const dwarf = await readZipProfile(zipOf({ 'volatility/tools/linux/module.dwarf': file('amd64-dwarf5.libdwarf.txt'), 'boot/System.map-6.1.0': MAP64 }), 'x.zip');
  const module = await readZipProfile(zipOf({ 'module_dwarf.ko': file('amd64-dwarf5-zlib.o'), 'System.map-6.1.0': MAP64, 'config-6.1.0': '# x\nCONFIG_SMP=y\nCONFIG_HOST="(none)"\n' }), 'x.zip');
  for (const source of [dwarf, module]) {
    assert.equal(source.types.struct('outer')?.size, 208);
    assert.equal(source.constants.get('linux_banner'), 0xffffffff82000040n);
    assert.equal(source.constants.kind('_text'), 'function');
    assert.equal(source.constants.size, 3);
    assert.deepEqual(source.constants.type('static_list'), { kind: 'struct', name: 'list' });
    assert.deepEqual([source.metadata.os, source.metadata.arch], ['linux', 'AMD64']);
  }
  assert.deepEqual(module.metadata.config, { CONFIG_SMP: 'y', CONFIG_HOST: '(none)' });
  const narrow = await readZipProfile(zipOf({ 'module.dwarf': file('i386-dwarf2.libdwarf.txt'), 'System.map': MAP32 }), 'x.zip');
  assert.equal(narrow.metadata.arch, 'I386');
  assert.equal(narrow.types.struct('outer')?.size, 160);
});

const DSYMUTIL = [
  '----------------------------------------------------------------------',
  "Symbol table for: '/tmp/mach_kernel.dSYM/Contents/Resources/DWARF/mach_kernel' (x86_64)",
  '----------------------------------------------------------------------',
  'Index    n_strx   n_type             n_sect n_desc n_value',
  '======== -------- ------------------ ------ ------ ----------------',
  "[     0] 00000004 64 (N_SO         ) 00     0000   0000000000000000 '/SourceCache/xnu/'",
  "[     1] 00000020 24 (N_FUN        ) 01     0000   ffffff80002d3b70 '_schedule'",
  "[     2] 00000001 24 (N_FUN        ) 00     0000   0000000000000123",
  "[     3] 00000040 20 (N_GSYM       ) 00     0000   0000000000000000 '_version'",
  "[     4] 00000040 0f (     SECT EXT) 04     0000   ffffff8000900010 '_version'",
].join('\n');

test('macOS zip files: symbols of dsymutil with vtypes', async () => {
  const vtypes = `mac_types = {
  'proc': [ 0x4a8, {
    'p_comm': [0x2d4, ['array', 17, ['char']]],
    'p_flag': [0x10, ['BitField', {'end_bit': 3, 'start_bit': 1}]],
    'p_state': [0x14, ['Enumeration', {'target': 'int', 'choices': {1: 'SIDL', 2: 'SRUN'}}]],
    'p_fd': [0x8, ['pointer', ['filedesc']]],
}],
}

mac_gvars = {
  '_x': [0x0000000010, ['int']],
}
`;
  const source = await readZipProfile(zipOf({ '10.9.5.symbol.dsymutil': DSYMUTIL, '10.9.5.vtypes': vtypes }), 'x.zip');
  assert.deepEqual([source.metadata.os, source.metadata.arch], ['darwin', 'AMD64']);
  assert.equal(source.constants.get('_version'), 0xffffff8000900010n);
  assert.equal(source.constants.get('_schedule'), 0xffffff80002d3b70n);
  assert.equal(source.constants.kind('_schedule'), 'function');
  assert.equal(source.constants.size, 2);
  const proc = source.types.struct('proc');
  assert.equal(proc?.size, 0x4a8);
  assert.deepEqual([...(proc?.members ?? [])].map(([name, { offset, type }]) => [name, offset, type.kind]), [
    ['p_fd', 8, 'pointer'],
    ['p_flag', 16, 'bitfield'],
    ['p_state', 20, 'enum'],
    ['p_comm', 724, 'array'],
  ]);
});

test('vtypes are read, never run', () => {
  assert.throws(() => pythonDictionaries("mac_types = {'a': __import__('os').system('id')}", 'x'), ProfileError);
  assert.throws(() => pythonDictionaries("mac_types = {'a': [1, {", 'x'), ProfileError);
  assert.deepEqual(pythonDictionaries("# c\nt = {'a\\'b': (None, True, 0xffffffff81000000L, -5,),}", 'x').get('t'), { "a'b": [null, true, '18446744071578845184', -5] });
});

test('zip files that are no profile say what is missing', async () => {
  const cases: Record<string, Buffer> = {
    empty: zipOf({}),
    other: zipOf({ 'readme.txt': 'x' }),
    'no types': zipOf({ 'System.map': MAP64 }),
    'no symbols': zipOf({ 'System.map': '', 'module.dwarf': file('amd64-dwarf5.libdwarf.txt') }),
    'not dwarfdump': zipOf({ 'System.map': MAP64, 'module.dwarf': 'hello' }),
    'no debug information': zipOf({ 'System.map': MAP64, 'module.ko': 'hello' }),
    'cut off': zipOf({ 'System.map': MAP64 }).subarray(0, -30),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    await assert.rejects(readZipProfile(bytes, 'x.zip'), (error) => error instanceof ProfileError && error.next.length > 10, what);
  }
});

test('any damage gives a profile or a ProfileError', async () => {
  const whole = zipOf({ 'System.map': MAP64, 'module.dwarf': file('amd64-dwarf5.libdwarf.txt').subarray(0, 4000) });
  const text = file('amd64-dwarf5.libdwarf.txt');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }), async (changes) => {
      for (const original of [whole, text]) {
        const bytes = Buffer.from(original);
        for (const [part, byte] of changes) bytes[Math.floor(part * (bytes.length - 1))] = byte;
        try {
          const types = original === whole ? (await readZipProfile(bytes, 'x')).types : await readDwarfText(bytes.toString('latin1'), 8);
          for (const name of types.structNames()) types.struct(name);
        } catch (error) {
          assert.ok(error instanceof ProfileError, String(error));
        }
      }
    }),
    { numRuns: 150 },
  );
});
