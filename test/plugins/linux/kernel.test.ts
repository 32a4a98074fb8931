import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner, findDtb, findKaslr } from '../../../plugins/linux/kernel.js';
import { addressResolver, lookup } from '../../../plugins/general/resolve.js';
import { rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples();
test('what the kernel is and where', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const kallsyms = new Map(
      sample
        .truth('proc/kallsyms')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((words) => words.length === 3)
        .map((words) => [words[2] as string, BigInt(`0x${words[0]}`)]),
    );
    const session = sample.session();

    await context.test(`${sample.name}: banner is /proc/version`, async () => {
      const { rows } = await rowsOf(session, banner);
      assert.equal(rows[0]?.['banner'], sample.truth('proc/version').trim());
    });

    await context.test(`${sample.name}: the page tables are where the CPU's CR3 said, or map the kernel as they do`, async () => {
      const { rows } = await rowsOf(session, findDtb);
      const valid = rows.filter((row) => row['valid'] === true);
      assert.equal(valid[0]?.['method'], 'symbol init_top_pgt');
      assert.ok(valid.length >= 2, 'a second method finds valid page tables');
    });

    await context.test(`${sample.name}: the slides follow from the guest's own kallsyms and iomem`, async () => {
      const { rows } = await rowsOf(session, findKaslr);
      const text = kallsyms.get('_text') as bigint;
      const code = /([0-9a-f]+)-[0-9a-f]+ : Kernel code/.exec(sample.truth('proc/iomem'))?.[1];
      for (const row of rows) {
        assert.equal(row['Valid'], true);
        assert.equal(row['virtual_shift'], text - 0xffffffff81000000n);
        assert.equal(row['physical_shift'], Number(`0x${code}`) - 0x1000000);
      }
      assert.ok(rows.length >= 2);
    });

    await context.test(`${sample.name}: every symbol of the guest's kallsyms, none wrong, modules' too`, async () => {
      const { profile } = await session.kernel();
      const truth = new Map<string, Set<bigint>>();
      let modules = 0;
      const resolver = await session.resolver();
      for (const line of sample.truth('proc/kallsyms').split('\n')) {
        const [address, kind, name, module] = line.trim().split(/\s+/);
        if (name === undefined || kind === undefined) continue;
        const value = BigInt(`0x${address}`);
        if (module === undefined) {
          truth.set(name, (truth.get(name) ?? new Set()).add(value));
          continue;
        }
        if (module === '[bpf]' || name.startsWith('bpf_prog_')) continue;
        // Of several symbols of one name and module, the resolver gives one.
        const nearest = resolver.nearest(value);
        assert.equal(nearest?.module, module.slice(1, -1), `${name} ${module}`);
        assert.equal(nearest.distance, 0n, name);
        modules++;
      }
      let symbols = 0;
      const names = new Set<string>();
      for (const symbol of profile.symbols.symbols()) {
        symbols++;
        names.add(symbol.name);
        assert.ok(truth.get(symbol.name)?.has(symbol.address), `${symbol.name} at ${symbol.address.toString(16)}`);
      }
      assert.ok(symbols > 80_000);
      assert.deepEqual([...truth.keys()].filter((name) => !names.has(name)), []);
      assert.ok(modules > 50, `${modules} symbols of modules`);
    });

    await context.test(`${sample.name}: names to addresses and back`, async () => {
      const { rows } = await rowsOf(session, addressResolver, { symbol: ['linux!init_task+0x10', 'schedule'] });
      assert.deepEqual(rows.map((row) => row['Offset']), [(kallsyms.get('init_task') as bigint) + 16n, kallsyms.get('schedule')]);
      assert.match(String(rows[0]?.['Symbol']), /^linux!init_task\.[\w.+]+$/);
      const version = await rowsOf(session, lookup, { constant: 'linux_banner', target: 'String' });
      assert.equal(String(version.rows[0]?.['field']).trim(), sample.truth('proc/version').trim());
      await assert.rejects(rowsOf(session, addressResolver, { symbol: ['init_tusk'] }), /not known/);
    });
    session.close();
  }
});
