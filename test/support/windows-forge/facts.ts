import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Layouts of structures as they are written down in `fixtures/windows-sample/facts/`, and C made of them. A file has structures, each a
 * line `NAME SIZE` and below it, indented, its members `OFFSET NAME TYPE;`, numbers in hexadecimal. Types: `u8` to `i64`, `void*`,
 * `NAME`, `NAME*`, `enum NAME`, `TYPE[3]`, `u32:BITS@FIRST` (decimal), `{SIZE| members}` for one without a name. `enum NAME` has values and names.
 */
export interface Facts {
  readonly structs: ReadonlyMap<string, Layout>;
  readonly enums: ReadonlyMap<string, readonly (readonly [value: string, name: string])[]>;
}

interface Layout {
  readonly size: number;
  readonly members: readonly Member[];
}

interface Member {
  readonly offset: number;
  readonly name: string;
  readonly type: string;
  readonly inner: Layout | undefined;
}

/** Reads folders of facts; what a later one states takes the place of an earlier one's. */
export function readFacts(folders: readonly string[]): Facts {
  const structs = new Map<string, Layout>();
  const enums = new Map<string, (readonly [string, string])[]>();
  const files = new Map(folders.flatMap((folder) => readdirSync(folder).map((name) => [name, join(folder, name)] as const)));
  for (const path of files.values()) {
    for (const [head, body] of paragraphs(readFileSync(path, 'utf8'))) {
      const [first = '', second = ''] = head.split(' ');
      const items = body.split(';').map((item) => item.trim()).filter((item) => item !== '');
      if (first === 'enum') enums.set(second, items.map((item) => item.split(' ') as [string, string]));
      else structs.set(first, { size: parseInt(second, 16), members: membersOf(body) });
    }
  }
  return { structs, enums };
}

function* paragraphs(text: string): Generator<[head: string, body: string]> {
  let head: string | undefined;
  let body = '';
  for (const line of text.split('\n')) {
    if (line.startsWith(' ')) body += line;
    else if (!line.startsWith('#')) {
      if (head !== undefined && head !== '') yield [head, body];
      [head, body] = [line, ''];
    }
  }
  if (head !== undefined && head !== '') yield [head, body];
}

function membersOf(text: string): Member[] {
  const members: Member[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const [, offset = '', name = '', type = ''] = /^(\w+) (\w+) ([^{;]*)/.exec(rest) ?? [];
    if (name === '') throw new Error(`no member: ${rest.slice(0, 60)}`);
    rest = rest.slice(offset.length + name.length + 2 + type.length);
    let inner: Layout | undefined;
    if (rest.startsWith('{')) {
      const end = closing(rest);
      const [size = '', members] = [rest.slice(1, rest.indexOf('|')), rest.slice(rest.indexOf('|') + 1, end)];
      inner = { size: parseInt(size, 16), members: membersOf(members) };
      rest = rest.slice(end + 1);
    }
    const array = inner ? (/^\[[^;]*/.exec(rest)?.[0] ?? '') : '';
    members.push({ offset: parseInt(offset, 16), name, type: inner ? array : type.trim(), inner });
    rest = rest.slice(array.length).replace(/^;/, '').trim();
  }
  return members;
}

function closing(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return at;
  }
  throw new Error(`no end: ${text.slice(0, 60)}`);
}

const INTEGERS: Readonly<Record<string, readonly [c: string, size: number]>> = {
  u8: ['unsigned char', 1],
  i8: ['signed char', 1],
  u16: ['unsigned short', 2],
  i16: ['short', 2],
  u32: ['unsigned long', 4],
  i32: ['long', 4],
  u64: ['unsigned long long', 8],
  i64: ['long long', 8],
  f32: ['float', 4],
  f64: ['double', 8],
};

/** A run of bytes that one declaration, or the bit fields of one integer, take. */
interface Item {
  readonly start: number;
  readonly end: number;
  readonly align: number;
  readonly lines: readonly string[];
}

/**
 * The facts as a C header. Every offset and size is asserted, so that a compiler which lays out in another way refuses it.
 * @param pointer bytes of a pointer
 */
export class Header {
  private readonly done = new Set<string>();
  private readonly parts: string[] = [];
  private gaps = 0;

  constructor(
    private readonly facts: Facts,
    private readonly pointer: 4 | 8,
  ) {}

  text(): string {
    this.parts.push('#pragma once', '#define offsetof(t, m) __builtin_offsetof(t, m)');
    for (const [name, values] of this.facts.enums) this.parts.push(`enum ${name} { ${values.map(([value, label]) => `${label} = ${value}`).join(', ')} };`);
    for (const name of this.facts.structs.keys()) this.define(name);
    // A global that leads to each of them keeps them in the debug information.
    const all = [...this.facts.structs.keys()].map((name) => `  struct ${name} *p${name};`);
    this.parts.push(`struct _ALL_TYPES {\n${all.join('\n')}\n};`);
    return `${this.parts.join('\n')}\n`;
  }

  private define(name: string): void {
    if (this.done.has(name)) return;
    this.done.add(name);
    const layout = this.facts.structs.get(name);
    if (!layout) throw new Error(`${name} is not in the facts`);
    for (const needed of embedded(layout)) this.define(needed);
    const body = this.body(layout, name);
    this.parts.push(`struct ${this.align(layout) === 1 ? '__attribute__((packed)) ' : ''}${name} {\n${body.map((line) => `  ${line}`).join('\n')}\n};`);
    this.parts.push(`_Static_assert(sizeof(struct ${name}) == 0x${layout.size.toString(16)}, "size");`);
    for (const member of layout.members) {
      if (member.type.includes('@')) continue;
      this.parts.push(`_Static_assert(offsetof(struct ${name}, ${member.name}) == 0x${member.offset.toString(16)}, "${name}.${member.name}");`);
    }
  }

  /** Declarations of the members, with gaps where the facts name nothing. */
  private body(layout: Layout, owner: string): string[] {
    const lines: string[] = [];
    let at = 0;
    const packed = this.align(layout) === 1;
    for (const cluster of clusters(this.items(layout, owner))) {
      const start = Math.min(...cluster.map((item) => item.start));
      const end = Math.max(...cluster.map((item) => item.end));
      const align = packed ? 1 : Math.max(...cluster.map((item) => item.align));
      if (roundUp(at, align) !== start) lines.push(...this.gap(start - at));
      lines.push(...(cluster.length === 1 ? (cluster[0] as Item).lines : this.overlapping(cluster, start)));
      at = end;
    }
    if (roundUp(at, this.align(layout)) !== layout.size) lines.push(...this.gap(layout.size - at));
    return lines;
  }

  private overlapping(items: readonly Item[], start: number): string[] {
    const ways: Item[][] = [];
    for (const item of items) {
      const way = ways.find((one) => (one.at(-1) as Item).end <= item.start);
      if (way) way.push(item);
      else ways.push([item]);
    }
    return ['union {', ...ways.flatMap((way) => this.way(way, start)).map((line) => `  ${line}`), '};'];
  }

  private way(items: readonly Item[], start: number): string[] {
    if (items.length === 1 && items[0]?.start === start) return items[0].lines.length === 1 ? [...items[0].lines] : ['struct {', ...items[0].lines, '};'];
    const lines: string[] = [];
    let at = start;
    for (const item of items) {
      if (item.start !== at) lines.push(...this.gap(item.start - at));
      lines.push(...item.lines);
      at = item.end;
    }
    return ['struct __attribute__((packed)) {', ...lines, '};'];
  }

  /** Bytes that no fact names: nameless while they are few. */
  private gap(bytes: number): string[] {
    if (bytes < 0) throw new Error('members overlap');
    return bytes <= 16 ? Array.from({ length: bytes }, () => 'unsigned char : 8;') : [`unsigned char NotStated${this.gaps++}[0x${bytes.toString(16)}];`];
  }

  /** @param owner whose members they are: what has no name is called after it; undefined where only the places matter */
  private items(layout: Layout, owner?: string): Item[] {
    const items: Item[] = [];
    const runs = new Map<string, { offset: number; base: string; next: number; lines: string[] }[]>();
    for (const member of layout.members) {
      const bits = /^(\w+):(\d+)@(\d+)$/.exec(member.type);
      if (!bits) {
        items.push({ start: member.offset, ...this.declaration(member, owner) });
        continue;
      }
      const [, base = '', count = '', first = ''] = bits;
      const [c] = INTEGERS[base] as readonly [string, number];
      const key = `${member.offset} ${base}`;
      const same = runs.get(key) ?? [];
      runs.set(key, same);
      let run = same.find((one) => one.next <= Number(first));
      if (!run) same.push((run = { offset: member.offset, base, next: 0, lines: [] }));
      if (run.next < Number(first)) run.lines.push(`${c} : ${Number(first) - run.next};`);
      run.lines.push(`${c} ${member.name} : ${count};`);
      run.next = Number(first) + Number(count);
    }
    for (const run of [...runs.values()].flat()) {
      const [c, size] = INTEGERS[run.base] as readonly [string, number];
      if (run.next < size * 8) run.lines.push(`${c} : ${size * 8 - run.next};`);
      items.push({ start: run.offset, end: run.offset + size, align: Math.min(size, 8), lines: run.lines });
    }
    return items.sort((one, other) => one.start - other.start || other.end - one.end);
  }

  private declaration({ offset, name, type, inner }: Member, owner: string | undefined): Omit<Item, 'start'> {
    const array = /(\[.*)$/.exec(type)?.[1] ?? '';
    const count = [...array.matchAll(/\[(\d+)\]/g)].reduce((product, [, number = '1']) => product * Number(number), 1);
    if (inner) {
      const end = offset + inner.size * count;
      const union = inner.members.length > 1 && inner.members.every((member) => member.offset === 0 && !member.type.includes('@')) ? 'union' : 'struct';
      const own = `__unnamed${owner ?? ''}_${name}`;
      if (owner !== undefined) {
        // Declared outside: a type inside another is a nested one in the PDB, which Volatility's converter does not read.
        const lines = union === 'union' ? inner.members.flatMap((member) => this.declaration(member, `${owner}_${name}`).lines) : this.body(inner, `${owner}_${name}`);
        this.parts.push(`${union} ${own} {\n${lines.map((line) => `  ${line}`).join('\n')}\n};`);
      }
      return { end, align: this.align(inner), lines: [`${union} ${own} ${name}${array};`] };
    }
    const plain = type.slice(0, type.length - array.length);
    const { c, size, align } = this.simple(plain);
    return { end: offset + size * count, align, lines: [`${c} ${name}${array};`] };
  }

  private simple(type: string): { c: string; size: number; align: number } {
    if (type.endsWith('*')) {
      const target = type.replace(/\*+$/, '');
      const base = target === 'void' ? 'void' : (INTEGERS[target]?.[0] ?? `struct ${target}`);
      return { c: `${base} ${type.slice(target.length)}`, size: this.pointer, align: this.pointer };
    }
    if (type.startsWith('enum ')) return { c: type, size: 4, align: 4 };
    const integer = INTEGERS[type];
    if (integer) return { c: integer[0], size: integer[1], align: integer[1] };
    const layout = this.facts.structs.get(type);
    if (!layout) throw new Error(`no type ${type}`);
    return { c: `struct ${type}`, size: layout.size, align: this.align(layout) };
  }

  /** Of its widest member; 1 where size or offsets speak against that: then it was declared packed. */
  private align(layout: Layout): number {
    const items = this.items(layout);
    const widest = Math.max(1, ...items.map((item) => item.align));
    return layout.size % widest === 0 && items.every((item) => item.start % item.align === 0) ? widest : 1;
  }
}

function roundUp(at: number, align: number): number {
  return Math.ceil(at / align) * align;
}

/** Names of the structures that stand inside. */
function* embedded(layout: Layout): Generator<string> {
  for (const { type, inner } of layout.members) {
    if (inner) yield* embedded(inner);
    else if (/^_?[A-Z]/.test(type) && !type.includes('*')) yield type.replace(/\[.*$/, '');
  }
}

function* clusters(items: readonly Item[]): Generator<Item[]> {
  let cluster: Item[] = [];
  let end = 0;
  for (const item of items) {
    if (cluster.length > 0 && item.start >= end) {
      yield cluster;
      cluster = [];
    }
    cluster.push(item);
    end = Math.max(end, item.end);
    // A union is as long as its widest alignment says: what stands in its tail belongs to it.
    const first = cluster[0] as Item;
    if (cluster.length > 1) end = first.start + roundUp(end - first.start, Math.max(...cluster.map((one) => one.align)));
  }
  if (cluster.length > 0) yield cluster;
}
