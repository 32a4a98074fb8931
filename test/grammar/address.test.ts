import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { parseAddress, parseType } from '../../grammar/address.js';
import type { AddressExpression, TypeExpression } from '../../grammar/address-tree.js';
import { LineError } from '../../grammar/command-tree.js';

/** An expression with all its brackets. */
function brackets(node: AddressExpression): string {
  switch (node.kind) {
    case 'number':
      return `0x${node.value.toString(16)}`;
    case 'name':
      return node.module === undefined ? node.symbol : `${node.module}!${node.symbol}`;
    case 'member':
      return `${brackets(node.object)}.${node.name}`;
    case 'index':
      return `${brackets(node.object)}[${brackets(node.index)}]`;
    case 'unary':
      return `(${node.operator}${brackets(node.operand)})`;
    case 'binary':
      return `(${brackets(node.left)} ${node.operator} ${brackets(node.right)})`;
    case 'cast':
      return `<${type(node.type)}>${brackets(node.operand)}`;
  }
}

function type({ module, name, path, pointers, dimensions }: TypeExpression): string {
  const steps = path.map((step) => (step.kind === 'member' ? `.${step.name}` : `[${step.index}]`)).join('');
  return `${module === undefined ? '' : `${module}!`}${name}${steps}${'*'.repeat(pointers)}${path.length > 0 ? '' : dimensions.map((count) => `[${count}]`).join('')}`;
}

test('addresses', () => {
  const known = new Set(['ld-linux-x86-64', 'snd-hda', '_end']);
  const cases: [string, string][] = [
    ['0x10', '0x10'],
    [' 16 ', '0x10'],
    ['linux!init_task', 'linux!init_task'],
    ['init_task-0x10', '(init_task - 0x10)'],
    ['linux!init_task+0x10-4', '((linux!init_task + 0x10) - 0x4)'],
    ['*linux!modules+8', '((*linux!modules) + 0x8)'],
    ['**a', '(*(*a))'],
    ['*(a+8)', '(*(a + 0x8))'],
    ['linux!init_task + 0x10 * 3', '(linux!init_task + (0x10 * 0x3))'],
    ['a * *b', '(a * (*b))'],
    ['&linux!init_task.comm', '(&linux!init_task.comm)'],
    ['(a).b->c[3].d', 'a.b.c[0x3].d'],
    ['a[b+1]', 'a[(b + 0x1)]'],
    ['(task_struct)linux!init_task.comm', '<task_struct>linux!init_task.comm'],
    ['(struct task_struct *)*x.mm', '<task_struct*>(*x.mm)'],
    ['(task_struct)0x10+8', '(<task_struct>0x10 + 0x8)'],
    ['(linux!a)(b)', '<linux!a>b'],
    ['(a)+(b)', '(a + b)'],
    ['(a)-b', '(a - b)'],
    ['(a)*b', '(a * b)'],
    ['-1', '(-0x1)'],
    // A dash belongs to a name where somebody knows that name.
    ['ld-linux-x86-64!_dl_open+4', '(ld-linux-x86-64!_dl_open + 0x4)'],
    ['ld-linux-x86-64+0x10', '(ld-linux-x86-64 + 0x10)'],
    ['snd-hda-4', '(snd-hda - 0x4)'],
    ['_end-_text', '(_end - _text)'],
    ['_end-ext4!x', '(_end - ext4!x)'],
    ['foo-bar!x', 'foo-bar!x'],
    ['16-linux!x', '(0x10 - linux!x)'],
    ['8021q!vlan', '8021q!vlan'],
    ['C:\\Windows\\System32\\ntoskrnl.exe!Foo', 'C:\\Windows\\System32\\ntoskrnl.exe!Foo'],
    ['/lib64/libc.so.6!printf', '/lib64/libc.so.6!printf'],
    ["go!'main.(*T).run'+1", '(go!main.(*T).run + 0x1)'],
  ];
  for (const [text, expected] of cases) assert.equal(brackets(parseAddress(text, (word) => known.has(word))), expected, text);
});

test('types', () => {
  const cases: [string, string][] = [
    ['task_struct', 'task_struct'],
    ['struct task_struct *', 'task_struct*'],
    ['linux!task_struct[4]', 'linux!task_struct[4]'],
    ['ext4!ext4_inode_info', 'ext4!ext4_inode_info'],
    ['nt!_EPROCESS', 'nt!_EPROCESS'],
    ['unsigned long', 'unsigned long'],
    ['long  unsigned int**', 'long unsigned int**'],
    ['task_struct*[3][4]', 'task_struct*[3][4]'],
    ['task_struct.mm', 'task_struct.mm'],
    ['task_struct.mm->pgd', 'task_struct.mm.pgd'],
    ['task_struct.comm[3]', 'task_struct.comm[3]'],
    ['enum pid_type', 'pid_type'],
  ];
  for (const [text, expected] of cases) assert.equal(type(parseType(text)), expected, text);
});

test('mistakes have a place', () => {
  const cases: [string, number, number, RegExp][] = [
    ['', 0, 1, /missing/],
    ['1+', 2, 3, /missing/],
    ['a b', 2, 3, /not expected/],
    ['((a)', 4, 5, /missing/],
    [')', 0, 1, /not expected/],
    ['a+%', 2, 3, /means nothing/],
    ["go!'x", 3, 4, /never closed/],
    ['linux!', 6, 7, /missing/],
    [`${'('.repeat(100)}a`, 64, 65, /too many/],
    [`${'*'.repeat(100)}a`, 64, 65, /too many/],
  ];
  for (const [text, start, end, message] of cases) {
    assert.throws(
      () => parseAddress(text),
      (error: unknown) => {
        assert.ok(error instanceof LineError, text);
        assert.match(error.message, message);
        assert.deepEqual(error.place, { start, end }, text);
        return true;
      },
    );
  }
});

test('places are those of the text', () => {
  const text = ' linux!init_task + *(a.b) ';
  const tree = parseAddress(text);
  assert.ok(tree.kind === 'binary' && tree.left.kind === 'name' && tree.right.kind === 'unary');
  assert.equal(text.slice(tree.left.start, tree.left.end), 'linux!init_task');
  assert.equal(text.slice(tree.left.at.start, tree.left.at.end), 'init_task');
  assert.equal(text.slice(tree.right.operand.start, tree.right.operand.end), 'a.b');
  const named = parseType('linux!task_struct.mm');
  assert.deepEqual(named.path, [{ kind: 'member', name: 'mm', start: 18, end: 20 }]);
});

test('any text gives a tree or a mistake inside of the text', () => {
  const pieces = fc.constantFrom('a', 'linux!', 'x-y', '+', '-', '*', '&', '(', ')', '[', ']', '.b', '->c', '0x1f', '9', ' ', "'", '"q"', '!', '\\', 'é', '\0', '$');
  const texts = fc.oneof(fc.string(), fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')));
  fc.assert(
    fc.property(texts, fc.boolean(), (text, all) => {
      for (const parse of [() => parseAddress(text, () => all), () => parseType(text)]) {
        try {
          const { start, end } = parse();
          assert.ok(start >= 0 && start < end && end <= text.length);
        } catch (error) {
          assert.ok(error instanceof LineError, String(error));
          assert.ok(error.place.start >= 0 && error.place.start <= text.length);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
