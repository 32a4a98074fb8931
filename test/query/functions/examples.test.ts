import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { pslist } from '../../../plugins/linux/pslist.js';
import { pslist as windowsPslist } from '../../../plugins/windows/pslist.js';
import type { Row } from '../../../src/plugin/columns.js';
import { jsonValue } from '../../../src/render/json-value.js';
import { library } from '../../../src/query/functions/index.js';
import type { Timestamp } from '../../../src/object/time.js';
import { prepareQuery } from '../../../src/query/prepare.js';
import { TestCatalog } from '../../support/query-tables.js';
import { committedSample, rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';

const sample = committedSample();
const skip = sample ? false : 'no sample image';

describe('functions: what their help shows is true', { skip }, () => {
  let catalog: TestCatalog;
  before(async () => {
    assert.ok(sample);
    const { rows } = await rowsOf(sample.session(), pslist);
    catalog = new TestCatalog({ pslist: { columns: pslist.columns, rows } });
  });

  /** The value of an expression, the rows of a query. */
  async function run(query: string): Promise<unknown> {
    const select = query.startsWith('select');
    const rows: Row[] = await (await prepareQuery(select ? query : `select ${query} as value`, catalog)).rows();
    return select ? rows : rows[0]?.['value'];
  }

  for (const declared of library.functions) {
    for (const { query, value } of declared.examples) {
      it(query, async () => {
        assert.equal(jsonValue(await run(query)), jsonValue(value));
      });
    }
  }

  it('objects answer the names that Rekall gave them, as the guest has them', async () => {
    assert.ok(sample);
    const truth = (path: string): string => sample.truth(path);
    const rows = (await run(
      'select proc.pid as pid, proc.name as name, proc.ppid as ppid, proc.uid as uid, proc.cmdline as cmdline, proc.argv as argv, proc.exe as exe, proc.environ as environ, proc.create_time as at, proc.address == proc as here, proc.obj_type as type from pslist() where not proc.kernel_thread and state != "Z"',
    )) as Row[];
    assert.ok(rows.length > 3);
    for (const row of rows) {
      const folder = `proc/${String(row['pid'])}`;
      const status: string = truth(`${folder}/status`);
      assert.equal(row['name'], /^Name:\t(.*)$/m.exec(status)?.[1]);
      assert.equal(row['ppid'], Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]));
      assert.equal(row['uid'], Number(/^Uid:\t(\d+)/m.exec(status)?.[1]));
      const cmdline: string[] = truth(`${folder}/cmdline`).replace(/\n$/, '').split('\n');
      assert.deepEqual(row['argv'], cmdline);
      assert.equal(row['cmdline'], cmdline.join(' '));
      const environ: string = truth(`${folder}/environ`);
      for (const [variable, content] of Object.entries(row['environ'] as object))
        assert.ok(environ.includes(`${variable}=${String(content)}`));
      assert.ok(truth(`${folder}.links`).includes(String(row['exe'])));
      assert.equal(row['here'], true);
      assert.equal(row['type'], 'task_struct');
    }
  });
});

describe('objects of Windows', { skip: replicaSkip }, () => {
  it('answer the names that Rekall gave them', async () => {
    const session = await replicaSession();
    const { rows } = await rowsOf(session, windowsPslist);
    const catalog = new TestCatalog({ pslist: { columns: windowsPslist.columns, rows } });
    const query =
      'select _EPROCESS.name as name, _EPROCESS.pid as pid, _EPROCESS.ppid as ppid, _EPROCESS.create_time as at from pslist()';
    const found = await (await prepareQuery(query, catalog)).rows();
    const truth =
      replicaTruth<
        readonly {
          pid: number;
          ppid: number;
          name: string;
          create_time: number;
          idle: boolean;
          in_active_list: boolean;
        }[]
      >('pslist');
    for (const { pid, ppid, name, create_time } of truth.filter((one) => !one.idle && one.in_active_list)) {
      const row = found.find((one) => one['pid'] === pid);
      assert.deepEqual([row?.['name'], row?.['ppid']], [name, ppid]);
      assert.equal(Number((row?.['at'] as Timestamp).ns / 1_000_000_000n), create_time, name);
    }
    session.close();
  });
});
