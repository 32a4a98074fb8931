import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { KEYWORDS, parseQuery } from '../../grammar/efilter.js';
import { type Expression, type Query, type QueryStatement, QuerySyntaxError, type Source } from '../../grammar/efilter-tree.js';

/**
 * The conformance table: sentence → tree. Trees are written as Lisp writes them (as the old EFILTER did too), so that every grouping
 * can be seen: calls `(f a :b c)`, members `.name`, keys `[k]`, `#list`, `#tuple`.
 */
function show(node: Expression): string {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'string' ? JSON.stringify(node.value) : typeof node.value === 'bigint' ? `${node.value}n` : String(node.value);
    case 'parameter':
      return `{${node.name}}`;
    case 'name':
      return node.name;
    case 'member':
      return `${show(node.object)}.${node.name}`;
    case 'index':
      return `${show(node.object)}[${show(node.key)}]`;
    case 'call': {
      const args = node.args.map(({ name, value, equals }) => `${name === undefined ? '' : `:${name}${equals ? '= ' : ' '}`}${show(value)}`);
      return `(${[node.name, ...(node.distinct ? ['distinct'] : []), ...(node.star ? ['*'] : []), ...args].join(' ')})`;
    }
    case 'unary':
      return `(${node.operator} ${show(node.operand)})`;
    case 'binary':
      return `(${node.operator} ${show(node.left)} ${show(node.right)})`;
    case 'between':
      return `(${node.negated ? 'not-' : ''}between ${show(node.operand)} ${show(node.low)} ${show(node.high)})`;
    case 'is-null':
      return `(is-${node.negated ? 'not-' : ''}null ${show(node.operand)})`;
    case 'case': {
      const branches = node.branches.map(({ when, then }) => `${show(when)} → ${show(then)}`);
      return `(${[node.style, ...(node.operand ? [show(node.operand)] : []), ...branches, ...(node.otherwise ? [`else ${show(node.otherwise)}`] : [])].join(' ')})`;
    }
    case 'list':
      return `(${['#list', ...node.items.map(show)].join(' ')})`;
    case 'tuple':
      return `(${['#tuple', ...node.items.map(show)].join(' ')})`;
    case 'pair':
      return `${show(node.key)}=>${show(node.value)}`;
    case 'let':
      return `(let ${bindings(node.bindings)} ${show(node.body)})`;
    case 'subquery':
      return node.any ? `(any ${query(node.query)})` : query(node.query);
  }
}

function bindings(all: Extract<QueryStatement, { kind: 'define' }>['bindings']): string {
  return all.map(({ name, parameters, value }) => `${name}${parameters ? `(${parameters.join(' ')})` : ''}=${show(value)}`).join(', ');
}

function query(node: Query): string {
  switch (node.kind) {
    case 'with':
      return `(with ${node.tables.map(({ name, columns, query: inner }) => `${name}${columns ? `(${columns.join(' ')})` : ''}=${query(inner)}`).join(', ')} ${query(node.body)})`;
    case 'set':
      return `(${node.operator} ${query(node.left)} ${query(node.right)}${tail(node)})`;
    case 'select': {
      const items = node.items.map((item) => (item.kind === 'star' ? `${item.table === undefined ? '' : `${item.table}.`}*` : `${show(item.value)}${item.as === undefined ? '' : `/${item.as}`}`));
      const parts = [
        `select${node.distinct ? '-distinct' : ''} ${items.join(' ')}`,
        ...(node.from.length > 0 ? [`from ${node.from.map(source).join(' ')}`] : []),
        ...(node.where ? [`where ${show(node.where)}`] : []),
        ...(node.groupBy.length > 0 ? [`by ${node.groupBy.map(show).join(' ')}`] : []),
        ...(node.having ? [`having ${show(node.having)}`] : []),
      ];
      return `(${parts.join(' ')}${tail(node)})`;
    }
  }
}

function source({ value, alias, join }: Source): string {
  const how = join ? `${join.kind}-join ` : '';
  return `${how}${show(value)}${alias === undefined ? '' : `/${alias}`}${join?.on ? ` on ${show(join.on)}` : ''}${join?.using ? ` using ${join.using.join(' ')}` : ''}`;
}

function tail({ orderBy, limit, offset }: Query & { kind: 'select' | 'set' }): string {
  const keys = orderBy.map((key) => ` ${key.descending ? '-' : ''}${show(key.value)}${key.nulls ? ` nulls-${key.nulls}` : ''}`);
  return `${keys.length > 0 ? ` order${keys.join('')}` : ''}${limit ? ` limit ${show(limit)}` : ''}${offset ? ` offset ${show(offset)}` : ''}`;
}

function statement(text: string): string {
  const node = parseQuery(text);
  switch (node.kind) {
    case 'evaluate':
      return show(node.value);
    case 'explain':
      return `explain${node.analyze ? '-analyze' : ''} ${show(node.value)}`;
    case 'create-view':
      return `${node.replace ? 're' : ''}create ${node.name}${node.columns ? `(${node.columns.join(' ')})` : ''} ${query(node.query)}`;
    case 'drop-view':
      return `drop ${node.name}${node.ifExists ? ' if-exists' : ''}`;
    case 'define':
      return `define ${bindings(node.bindings)}`;
  }
}

function table(rows: string): void {
  for (const row of rows.split('\n')) {
    const [text = '', expected] = row.split(' ⇒ ').map((part) => part.trim());
    if (expected !== undefined) assert.equal(statement(text), expected, text);
    else assert.equal(text, '', `no tree for ${text}`);
  }
}

test('literals', () => {
  table(String.raw`
    42                        ⇒  42
    0                         ⇒  0
    0x1F                      ⇒  31
    0XfF                      ⇒  255
    0755                      ⇒  493
    0o17                      ⇒  15
    1.5                       ⇒  1.5
    0.25                      ⇒  0.25
    1e3                       ⇒  1000
    1.5E-2                    ⇒  0.015
    9007199254740991          ⇒  9007199254740991
    9007199254740993          ⇒  9007199254740993n
    0xffff888000000000        ⇒  18446612682070032384n
    -1                        ⇒  (- 1)
    +1                        ⇒  (+ 1)
    true                      ⇒  true
    FALSE                     ⇒  false
    Null                      ⇒  null
    "a"                       ⇒  "a"
    'a'                       ⇒  "a"
    "it's"                    ⇒  "it's"
    'say "x"'                 ⇒  "say \"x\""
    "a\"b"                    ⇒  "a\"b"
    'a\'b'                    ⇒  "a'b"
    "a\nb\tc\rd\be"           ⇒  "a\nb\tc\rd\be"
    "c:\windows\*.exe"        ⇒  "c:\\windows\\*.exe"
    "c:\\windows\\*.exe"      ⇒  "c:\\windows\\*.exe"
    "\d+\.\w"                 ⇒  "\\d+\\.\\w"
    "ends with \\"            ⇒  "ends with \\"
    ""                        ⇒  ""
    "ü 漢 🙂"                  ⇒  "ü 漢 🙂"
    {name}                    ⇒  {name}
    { name }                  ⇒  {name}
    {0}                       ⇒  {0}
    [?, {}, ?, {x}, {7}]      ⇒  (#tuple {0} {1} {2} {x} {7})
    ()                        ⇒  (#list)
    (1)                       ⇒  1
    ((1))                     ⇒  1
    (1, 2)                    ⇒  (#list 1 2)
    []                        ⇒  (#tuple)
    [1]                       ⇒  (#tuple 1)
    [1, "a", (2, 3)]          ⇒  (#tuple 1 "a" (#list 2 3))
    ("a": 1, "b": 2)          ⇒  (#list "a"=>1 "b"=>2)
    [a: 1]                    ⇒  (#tuple a=>1)
  `);
});

test('names, members, keys and calls', () => {
  table(`
    a                         ⇒  a
    _EPROCESS.name            ⇒  _EPROCESS.name
    a.b.c                     ⇒  a.b.c
    a . b                     ⇒  a.b
    a[0]                      ⇒  a[0]
    a["b"].c[1 + 2]           ⇒  a["b"].c[(+ 1 2)]
    (a, b)[0]                 ⇒  (#list a b)[0]
    (a).b                     ⇒  a.b
    f()                       ⇒  (f)
    f (x)                     ⇒  (f x)
    f(a, b)                   ⇒  (f a b)
    f(g(h(1)))                ⇒  (f (g (h 1)))
    f(x).y[0]                 ⇒  (f x).y[0]
    f(a: 1)                   ⇒  (f :a 1)
    f(a = 1)                  ⇒  (f :a= 1)
    f(a == 1)                 ⇒  (f (== a 1))
    f(1, b: 2, c = 3)         ⇒  (f 1 :b 2 :c= 3)
    f(a: b == c)              ⇒  (f :a (== b c))
    f((a = 1))                ⇒  (f (== a 1))
    f(g(a) = 1)               ⇒  (f (== (g a) 1))
    bind("k": 1, x: 2)        ⇒  (bind "k"=>1 :x 2)
    count(*)                  ⇒  (count *)
    count(distinct x)         ⇒  (count distinct x)
    count(distinct x, y)      ⇒  (count distinct x y)
    count(distinct)           ⇒  (count distinct)
    map(pslist(), pid + 1)    ⇒  (map (pslist) (+ pid 1))
    filter(pslist(), pid = 4) ⇒  (filter (pslist) (== pid 4))
    sort(pslist(), pid)       ⇒  (sort (pslist) pid)
    any(pslist(), pid = 4)    ⇒  (any (pslist) (== pid 4))
    any(x)                    ⇒  (any x)
    each((1, 2), x > 0)       ⇒  (each (#list 1 2) (> x 0))
    cast(x, int)              ⇒  (cast x int)
    cast(x as int)            ⇒  (cast x int)
    \`two words\`.\`a\`\`b\`        ⇒  two words.a\`b
    \`select\`                  ⇒  select
    f(\`a b\`: 1)               ⇒  (f :a b 1)
    pslist(proc_regex: "x")   ⇒  (pslist :proc_regex "x")
  `);
});

test('what binds how tightly', () => {
  table(`
    a or b or c               ⇒  (or (or a b) c)
    a or b and c              ⇒  (or a (and b c))
    a and b or c              ⇒  (or (and a b) c)
    (a or b) and c            ⇒  (and (or a b) c)
    not a or b                ⇒  (or (not a) b)
    not a and b               ⇒  (and (not a) b)
    not a == b                ⇒  (not (== a b))
    (not a) == b              ⇒  (== (not a) b)
    not a =~ "x"              ⇒  (not (=~ a "x"))
    not not a                 ⇒  (not (not a))
    not a in (1, 2)           ⇒  (not (in a (#list 1 2)))
    a == not b                ⇒  (== a (not b))
    a == b == c               ⇒  (== (== a b) c)
    a = b                     ⇒  (== a b)
    a <> b                    ⇒  (!= a b)
    a != b                    ⇒  (!= a b)
    a == b < c                ⇒  (== a (< b c))
    a < b == c                ⇒  (== (< a b) c)
    a < b <= c                ⇒  (<= (< a b) c)
    a =~ "x" and b !~ "y"     ⇒  (and (=~ a "x") (!~ b "y"))
    a in (1, 2) and b         ⇒  (and (in a (#list 1 2)) b)
    a NOT IN (1)              ⇒  (not in a 1)
    a in b in c               ⇒  (in (in a b) c)
    a like "x%" or b          ⇒  (or (like a "x%") b)
    a not like "x%"           ⇒  (not like a "x%")
    a between 1 and 2         ⇒  (between a 1 2)
    a between 1 and 2 and b   ⇒  (and (between a 1 2) b)
    a and b between 1 and 2 and c    ⇒  (and (and a (between b 1 2)) c)
    a not between 1 + 2 and 3 * 4    ⇒  (not-between a (+ 1 2) (* 3 4))
    not a between 1 and 2     ⇒  (not (between a 1 2))
    a between b and c between d and e  ⇒  (between (between a b c) d e)
    a between (b and c) and d ⇒  (between a (and b c) d)
    a between b < c and d     ⇒  (between a (< b c) d)
    a is null                 ⇒  (is-null a)
    a is not null             ⇒  (is-not-null a)
    a + b is null             ⇒  (is-null (+ a b))
    not a is null             ⇒  (not (is-null a))
    a is null == b            ⇒  (== (is-null a) b)
    a is null and b is not null      ⇒  (and (is-null a) (is-not-null b))
    a == b is null            ⇒  (is-null (== a b))
    a + b - c                 ⇒  (- (+ a b) c)
    a - (b - c)               ⇒  (- a (- b c))
    a + b * c                 ⇒  (+ a (* b c))
    a * b + c                 ⇒  (+ (* a b) c)
    a / b % c * d             ⇒  (* (% (/ a b) c) d)
    a + b < c * d             ⇒  (< (+ a b) (* c d))
    -a + b                    ⇒  (+ (- a) b)
    -a * b                    ⇒  (* (- a) b)
    a - -b                    ⇒  (- a (- b))
    a * - b                   ⇒  (* a (- b))
    - - a                     ⇒  (- (- a))
    -a.b                      ⇒  (- a.b)
    -f(x)[0]                  ⇒  (- (f x)[0])
    a || b || c               ⇒  (|| (|| a b) c)
    a || b == c               ⇒  (== (|| a b) c)
    a * b || c                ⇒  (* a (|| b c))
    -a || b                   ⇒  (|| (- a) b)
    a AND b OR c              ⇒  (or (and a b) c)
    1 + not a == b            ⇒  (+ 1 (not (== a b)))
  `);
});

test('if, case and let', () => {
  table(`
    if a then b                       ⇒  (if a → b)
    if a then b else c                ⇒  (if a → b else c)
    if a then b else if c then d      ⇒  (if a → b c → d)
    if a then b else if c then d else e    ⇒  (if a → b c → d else e)
    if a then if b then c else d      ⇒  (if a → (if b → c else d))
    if (a) then (b) else (c)          ⇒  (if a → b else c)
    if not a then -1 else c + 1       ⇒  (if (not a) → (- 1) else (+ c 1))
    1 + if a then b else c + 2        ⇒  (+ 1 (if a → b else (+ c 2)))
    IF a = 1 THEN b ELSE c            ⇒  (if (== a 1) → b else c)
    case when a then b end            ⇒  (case a → b)
    case when a then b when c then d else e end    ⇒  (case a → b c → d else e)
    case a when 1 then "x" else "y" end    ⇒  (case a 1 → "x" else "y")
    case end when 1 then end end      ⇒  (case end 1 → end)
    case when a then b end + 1        ⇒  (+ (case a → b) 1)
    let x = 1 x + 1                   ⇒  (let x=1 (+ x 1))
    let x = 1, y = x + 1 y            ⇒  (let x=1, y=(+ x 1) y)
    let (x = 1) x                     ⇒  (let x=1 x)
    let (x = 1, y = 2) x              ⇒  (let x=1, y=2 x)
    let (x = 1), (y = 2) x            ⇒  (let x=1, y=2 x)
    let ((x = 1), y = 2) x            ⇒  (let x=1, y=2 x)
    let f(y) = y * 2 f(3)             ⇒  (let f(y)=(* y 2) (f 3))
    let f() = 1 f()                   ⇒  (let f()=1 (f))
    let f(a, b) = a + b, x = f(1, 2) x    ⇒  (let f(a b)=(+ a b), x=(f 1 2) x)
    let x = 1 select x                ⇒  (let x=1 (select x))
    let x = (select a from b()) x.a   ⇒  (let x=(select a from (b)) x.a)
    let x = 1 let y = 2 x + y         ⇒  (let x=1 (let y=2 (+ x y)))
    let x = 1 (x)                     ⇒  (let x=1 x)
    let limit = 5 select * from a() limit limit    ⇒  (let limit=5 (select * from (a) limit limit))
    let x = 1                         ⇒  define x=1
    let x = 1, f(y) = x * y;          ⇒  define x=1, f(y)=(* x y)
  `);
});

test('select', () => {
  table(`
    select 1                                   ⇒  (select 1)
    select *                                   ⇒  (select *)
    select * from pslist()                     ⇒  (select * from (pslist))
    SELECT * FROM pslist()                     ⇒  (select * from (pslist))
    select * from pslist();                    ⇒  (select * from (pslist))
    select * from pslist() ; ;                 ⇒  (select * from (pslist))
    select a, b.c, d + 1 from x()              ⇒  (select a b.c (+ d 1) from (x))
    select a as b from x()                     ⇒  (select a/b from (x))
    select a b from x()                        ⇒  (select a/b from (x))
    select a as "two words" from x()           ⇒  (select a/two words from (x))
    select a as \`b c\`, d \`e f\` from x()        ⇒  (select a/b c d/e f from (x))
    select p.*, q.a from x() p, y() q          ⇒  (select p.* q.a from (x)/p cross-join (y)/q)
    select distinct a from x()                 ⇒  (select-distinct a from (x))
    select distinct * from x()                 ⇒  (select-distinct * from (x))
    select all a from x()                      ⇒  (select a from (x))
    select a from x() where b                  ⇒  (select a from (x) where b)
    select a from x() where b order by c       ⇒  (select a from (x) where b order c)
    select a from x() order by c desc          ⇒  (select a from (x) order -c)
    select a from x() order by c asc, d desc, e    ⇒  (select a from (x) order c -d e)
    select a from x() order by c asc limit 5   ⇒  (select a from (x) order c limit 5)
    select a from x() order by c nulls last    ⇒  (select a from (x) order c nulls-last)
    select a from x() order by c desc nulls first, d    ⇒  (select a from (x) order -c nulls-first d)
    select a from x() limit 5                  ⇒  (select a from (x) limit 5)
    select a from x() limit 5 offset 2         ⇒  (select a from (x) limit 5 offset 2)
    select a from x() offset 2 limit 5         ⇒  (select a from (x) limit 5 offset 2)
    select a from x() offset 2                 ⇒  (select a from (x) offset 2)
    select a from x() limit {n} offset ?       ⇒  (select a from (x) limit {n} offset {0})
    select a from x() limit 5 order by c       ⇒  (select a from (x) order c limit 5)
    select a from x() where b limit 5 order by c desc    ⇒  (select a from (x) where b order -c limit 5)
    select a, count(*) n from x() group by a   ⇒  (select a (count *)/n from (x) by a)
    select a from x() group by a, b having count(*) > 1 order by a    ⇒  (select a from (x) by a b having (> (count *) 1) order a)
    select a from (select b from x())          ⇒  (select a from (select b from (x)))
    select a from (select b from x()) y        ⇒  (select a from (select b from (x))/y)
    select a from x                            ⇒  (select a from x)
    select a from _                            ⇒  (select a from _)
    select a from x as y where y.a             ⇒  (select a from x/y where y.a)
    select a from (1, 2, 3)                    ⇒  (select a from (#list 1 2 3))
    select a from {rows}                       ⇒  (select a from {rows})
    select a from x().children                 ⇒  (select a from (x).children)
    select a from x(pid: 1, name = "y")        ⇒  (select a from (x :pid 1 :name= "y"))
    select a from x(select b from y())         ⇒  (select a from (x (select b from (y))))
    select a from x(p: (select b from y()).b, q: 1)    ⇒  (select a from (x :p (select b from (y)).b :q 1))
    select a from if b then x() else y()       ⇒  (select a from (if b → (x) else (y)))
    select (select a from x()) as b from y()   ⇒  (select (select a from (x))/b from (y))
    select a from x() where b in (select c from y())    ⇒  (select a from (x) where (in b (select c from (y))))
    select a from x() where b in select c from y()    ⇒  (select a from (x) where (in b (select c from (y))))
    select a from x() where exists (select 1 from y())    ⇒  (select a from (x) where (any (select 1 from (y))))
    select a from x() where not exists (select * from y() where y.b = x.b)    ⇒  (select a from (x) where (not (any (select * from (y) where (== y.b x.b)))))
    (select a from x()).a                      ⇒  (select a from (x)).a
    (select a from x())                        ⇒  (select a from (x))
    (select a from x()) limit 5                ⇒  (select * from (select a from (x)) limit 5)
    (select a from x() limit 5) order by a     ⇒  (select * from (select a from (x) limit 5) order a)
    any select a from x()                      ⇒  (any (select a from (x)))
    any from x()                               ⇒  (any (select * from (x)))
    any from x() where a                       ⇒  (any (select * from (x) where a))
    any x() where a                            ⇒  (any (select * from (x) where a))
    any x()                                    ⇒  (any (select * from (x)))
    select any from x()                        ⇒  (any (select * from (x)))
    select any from x() where a                ⇒  (any (select * from (x) where a))
    not any from x()                           ⇒  (not (any (select * from (x))))
    if any from x() then 1 else 2              ⇒  (if (any (select * from (x))) → 1 else 2)
  `);
});

test('joins', () => {
  table(`
    select * from a(), b()                     ⇒  (select * from (a) cross-join (b))
    select * from a() x, b() y where x.c = y.c ⇒  (select * from (a)/x cross-join (b)/y where (== x.c y.c))
    select * from a() join b() on c = d        ⇒  (select * from (a) inner-join (b) on (== c d))
    select * from a() inner join b() on c = d  ⇒  (select * from (a) inner-join (b) on (== c d))
    select * from a() x left join b() y on x.c == y.c    ⇒  (select * from (a)/x left-join (b)/y on (== x.c y.c))
    select * from a() left outer join b() using (c, d)    ⇒  (select * from (a) left-join (b) using c d)
    select * from a() cross join b()           ⇒  (select * from (a) cross-join (b))
    select * from a() as x join b() as y on x.c = y.c and y.d > 1 left join e() on f where g    ⇒  (select * from (a)/x inner-join (b)/y on (and (== x.c y.c) (> y.d 1)) left-join (e) on f where g)
    select * from (select 1) x join (select 2) y on 1 = 1    ⇒  (select * from (select 1)/x inner-join (select 2)/y on (== 1 1))
    select left, right from a() join b() on left = right    ⇒  (select left right from (a) inner-join (b) on (== left right))
    select * from pslist(session: 2) x left join pslist() y using (pid) where y.pid is null    ⇒  (select * from (pslist :session 2)/x left-join (pslist)/y using pid where (is-null y.pid))
  `);
});

test('set operations, common tables and statements', () => {
  table(`
    select 1 union select 2                    ⇒  (union (select 1) (select 2))
    select 1 union all select 2                ⇒  (union all (select 1) (select 2))
    select 1 except select 2 except select 3   ⇒  (except (except (select 1) (select 2)) (select 3))
    select 1 union select 2 intersect select 3 ⇒  (union (select 1) (intersect (select 2) (select 3)))
    select 1 intersect select 2 union select 3 ⇒  (union (intersect (select 1) (select 2)) (select 3))
    (select 1 union select 2) intersect select 3    ⇒  (intersect (union (select 1) (select 2)) (select 3))
    select 1 union (select 2 union all select 3)    ⇒  (union (select 1) (union all (select 2) (select 3)))
    (select 1) union (select 2)                ⇒  (union (select 1) (select 2))
    ((select 1) union (select 2))              ⇒  (union (select 1) (select 2))
    select a from x() union select b from y() order by a limit 3    ⇒  (union (select a from (x)) (select b from (y)) order a limit 3)
    (select a from x() limit 1) union (select b from y() limit 2) limit 3    ⇒  (union (select a from (x) limit 1) (select b from (y) limit 2) limit 3)
    select a from x() where b in (select 1 union select 2)    ⇒  (select a from (x) where (in b (union (select 1) (select 2))))
    select a from (select 1 union select 2) y  ⇒  (select a from (union (select 1) (select 2))/y)
    select a from ((select 1) union (select 2)) y    ⇒  (select a from (union (select 1) (select 2))/y)
    select a from x() where b in (select c from y()) union select 2    ⇒  (union (select a from (x) where (in b (select c from (y)))) (select 2))
    f((select 1) union select 2)               ⇒  (f (union (select 1) (select 2)))
    with x as (select 1) select * from x       ⇒  (with x=(select 1) (select * from x))
    with x (a, b) as (select 1, 2), y as (select a from x) select * from y order by a    ⇒  (with x(a b)=(select 1 2), y=(select a from x) (select * from y order a))
    with x as (select 1) select * from x union select 2    ⇒  (with x=(select 1) (union (select * from x) (select 2)))
    (with x as (select 1) select * from x) limit 1    ⇒  (select * from (with x=(select 1) (select * from x)) limit 1)
    explain select 1                           ⇒  explain (select 1)
    explain analyze select a from x()          ⇒  explain-analyze (select a from (x))
    explain (select 1)                         ⇒  explain (select 1)
    explain let x = 1 select x                 ⇒  explain (let x=1 (select x))
    explain _                                  ⇒  explain _
    explain                                    ⇒  explain
    explain.analyze                            ⇒  explain.analyze
    create view v as select * from x()         ⇒  create v (select * from (x))
    create view v (a, b) as select 1, 2        ⇒  create v(a b) (select 1 2)
    create or replace view v as (select 1) union select 2    ⇒  recreate v (union (select 1) (select 2))
    create view v as with x as (select 1) select * from x    ⇒  create v (with x=(select 1) (select * from x))
    drop view v                                ⇒  drop v
    drop view if exists v;                     ⇒  drop v if-exists
    select create, drop, view from x()         ⇒  (select create drop view from (x))
  `);
});

test('words that are keywords elsewhere are names where they cannot be keywords', () => {
  table(`
    select limit, offset, type from x()        ⇒  (select limit offset type from (x))
    select start, end, key, value, name, first, last from x()    ⇒  (select start end key value name first last from (x))
    select a from x() where limit = 5 limit 5  ⇒  (select a from (x) where (== limit 5) limit 5)
    select a from x() order by offset desc     ⇒  (select a from (x) order -offset)
    select a.limit, a.select, a.from, a.in, a.not from x() a    ⇒  (select a.limit a.select a.from a.in a.not from (x)/a)
    select hex(VAD.start) as start, VAD.end as end from vad()    ⇒  (select (hex VAD.start)/start VAD.end/end from (vad))
    select a as from, b as order, c as null from x()    ⇒  (select a/from b/order c/null from (x))
    f(limit: 1, from: 2, select = 3, not: 4)   ⇒  (f :limit 1 :from 2 :select= 3 :not 4)
    select group, order from x() group by group order by order    ⇒  (select group order from (x) by group order order)
    select case, if, any, distinct, all, let from x()    ⇒  (select case if any distinct all let from (x))
    select any, exists, with, on, using, is, like from x()    ⇒  (select any exists with on using is like from (x))
    select then, else, when, end from x()      ⇒  (select then else when end from (x))
    select left from x() where left.join > 1   ⇒  (select left from (x) where (> left.join 1))
    select union, view, explain, by, asc, desc, nulls from x()    ⇒  (select union view explain by asc desc nulls from (x))
    select * from left() left left join join() j on 1    ⇒  (select * from (left)/left left-join (join)/j on 1)
    limit + 1                                  ⇒  (+ limit 1)
    first(x)                                   ⇒  (first x)
    left(x) + end(y)                           ⇒  (+ (left x) (end y))
    let x = 1 \`limit\`                          ⇒  (let x=1 limit)
    select as from x()                         ⇒  (select as from (x))
    select null, true, limit.null from x()     ⇒  (select null true limit.null from (x))
    Select A FROM X() Where B ORDER By C Desc  ⇒  (select A from (X) where B order -C)
  `);
});

test('comments and space', () => {
  table(`
    -- only this\u0020
    select 1 -- behind                         ⇒  (select 1)
    select 1 # behind                          ⇒  (select 1)
    select /* in */ 1                          ⇒  (select 1)
    select 1 /* a -- b */ + /**/ 2             ⇒  (select (+ 1 2))
    select "-- no # comment /* here */"        ⇒  (select "-- no # comment /* here */")
    select 4 - -1                              ⇒  (select (- 4 (- 1)))
  `.replace(/^ *-- only this.*\n/m, ''));
  assert.equal(statement('# first\nselect name -- the name\n  , pid\n\tfrom pslist() /* all\n of them */ where pid > 4 # done'), '(select name pid from (pslist) where (> pid 4))');
  assert.equal(statement('select 1\r\n,\r\n2'), '(select 1 2)');
});

test('every query of the documents that Rekall users know', () => {
  const cases: [string, string][] = [
    ['select path.filename from \nglob("c:\\windows\\*.exe")', '(select path.filename from (glob "c:\\\\windows\\\\*.exe"))'],
    [
      'select * from file_yara(\n  paths: (select path.filename from  \n          glob("c:\\windows\\*.exe")).filename,   \n  yara_expression: "rule r1 {strings: $a = \n\\"Microsoft\\" wide condition: any of them}")',
      '(select * from (file_yara :paths (select path.filename from (glob "c:\\\\windows\\\\*.exe")).filename :yara_expression "rule r1 {strings: $a = \\n\\"Microsoft\\" wide condition: any of them}"))',
    ],
    [
      'select * from \nfile_yara(paths: (select \npath.filename from \nglob("c:\\windows\\*.exe")).filename, \nbinary_string: {str})',
      '(select * from (file_yara :paths (select path.filename from (glob "c:\\\\windows\\\\*.exe")).filename :binary_string {str}))',
    ],
    [
      'select offset_v, file_name, module_base, module_size, path from\n          modules() where not (path =~ "(?i)Windows")                 ',
      '(select offset_v file_name module_base module_size path from (modules) where (not (=~ path "(?i)Windows")))',
    ],
    ['SELECT * from Win32_QuickFixEngineering', '(select * from Win32_QuickFixEngineering)'],
    ['select * from pslist() where _EPROCESS.name =~ "svchost"', '(select * from (pslist) where (=~ _EPROCESS.name "svchost"))'],
    ['select _EPROCESS.name, hex(VAD.start) as start from vad(proc_regex: "x")', '(select _EPROCESS.name (hex VAD.start)/start from (vad :proc_regex "x"))'],
    ['select * from lsof() order by fd', '(select * from (lsof) order fd)'],
    ['select proc, timestamp(proc.create_time) from pslist()', '(select proc (timestamp proc.create_time) from (pslist))'],
    ['select * from file_yara(paths: (select path.filename from glob("c:\\\\windows\\\\*.exe")).filename, yara_expression: "x")', '(select * from (file_yara :paths (select path.filename from (glob "c:\\\\windows\\\\*.exe")).filename :yara_expression "x"))'],
    ['search("select * from glob({0}) where path =~ {1}", [a, b])', '(search "select * from glob({0}) where path =~ {1}" (#tuple a b))'],
    ['select Result.Name from wmi("select Name from x")', '(select Result.Name from (wmi "select Name from x"))'],
    ['select x from modules() where not (path =~ "(?i)Windows")', '(select x from (modules) where (not (=~ path "(?i)Windows")))'],
    ['select a, b from c() where d order by e desc limit 3 offset 1', '(select a b from (c) where d order -e limit 3 offset 1)'],
    ['let x = 5, y = 10 * (x - 5) x - y', '(let x=5, y=(* 10 (- x 5)) (- x y))'],
    ['let (x = 5, y = 10) x', '(let x=5, y=10 x)'],
    ['if (Process.pid == 1) then "init" else "other"', '(if (== Process.pid 1) → "init" else "other")'],
    ['proc.pid in (1, 2, 3)', '(in proc.pid (#list 1 2 3))'],
    ['filter(pslist(), proc.pid == 1)', '(filter (pslist) (== proc.pid 1))'],
    ['sort(pslist(), proc.pid)', '(sort (pslist) proc.pid)'],
    ['bind(x: 1, y: 2)', '(bind :x 1 :y 2)'],
    ['select proc.pid, proc["parent"] from x', '(select proc.pid proc["parent"] from x)'],
    ['select any from pslist() where proc.name == "init"', '(any (select * from (pslist) where (== proc.name "init")))'],
    ['any from pslist() where proc.name == "init"', '(any (select * from (pslist) where (== proc.name "init")))'],
    ['any pslist() where proc.name == "init"', '(any (select * from (pslist) where (== proc.name "init")))'],
    [
      'select p.name, p.pid, c.name as parent\n  from pslist() p join pslist() c on c.pid = p.ppid\n  where p.name =~ "svchost" and c.name != "services.exe"',
      '(select p.name p.pid c.name/parent from (pslist)/p inner-join (pslist)/c on (== c.pid p.ppid) where (and (=~ p.name "svchost") (!= c.name "services.exe")))',
    ],
    ['select rule, owner, count() from _ group by rule, owner', '(select rule owner (count) from _ by rule owner)'],
    ['select name, pid from pslist() except select name, pid from pslist(session: 1)', '(except (select name pid from (pslist)) (select name pid from (pslist :session 1)))'],
    ['select name, address from symbols("nt!Ps*")', '(select name address from (symbols "nt!Ps*"))'],
    ['select name, offset, type from members("task_struct")', '(select name offset type from (members "task_struct"))'],
  ];
  for (const [text, expected] of cases) assert.equal(statement(text), expected, text);
});

test('every node knows its place', () => {
  const text = 'select (a + b) * c as d, f(x: 1) from pslist() p where p.pid in (1, 2) -- end';
  const node = parseQuery(text);
  const places: string[] = [];
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return;
    const { kind, start, end } = one as { kind?: string; start?: number; end?: number };
    if (start !== undefined && end !== undefined) places.push(`${kind ?? ''}: ${text.slice(start, end)}`);
    Object.values(one).forEach(visit);
  };
  visit(node);
  for (const expected of ['binary: (a + b) * c', 'binary: a + b', 'column: (a + b) * c as d', 'call: f(x: 1)', ': x: 1', ': pslist() p', 'member: p.pid', 'list: (1, 2)', 'binary: p.pid in (1, 2)', ': in', ': x', ': pid'])
    assert.ok(places.includes(expected), `${expected} is not among ${places.join(' | ')}`);
  assert.equal(places[0], `evaluate: ${text.slice(0, -7)}`);
});

test('soup of tokens is read or refused, never anything else', () => {
  const bits = fc.oneof(
    fc.constantFrom(...KEYWORDS, 'right', 'full', 'natural', 'join', 'pid', 'name', 'x', 'count', 'filter', '`q`'),
    fc.constantFrom('(', ')', '[', ']', ',', '.', ':', ';', '=', '==', '=~', '!=', '!~', '<', '<=', '<>', '||', '+', '-', '*', '/', '%', '?', '{', '}', '{a}', '"', "'", '`', '\\', '#', '--', '/*', '*/', '&', '!', '\n'),
    fc.constantFrom('0', '42', '0x', '08', '1.5', '1e9', '"text"', "'t'", 'ü', '🙂', '\u0000', '\u202e'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), fc.constantFrom(' ', ''), (parts, glue) => {
      const text = parts.join(glue);
      try {
        parseQuery(text);
      } catch (error) {
        assert.ok(error instanceof QuerySyntaxError, `${JSON.stringify(text)}: ${String(error)}`);
        assert.ok(error.place.start >= 0 && error.place.start <= error.place.end && error.place.end <= text.length + 1, JSON.stringify([text, error.place]));
        assert.ok(error.message.length > 10 && error.message.length < 300 && !/undefined|\[object|NaN/.test(error.message), error.message);
      }
    }),
    { numRuns: 10_000 },
  );
});
