import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { version as release } from '../../src/session/version.js';

export const version = definePlugin({
  name: 'version',
  needs: 'none',
  topic: 'session',
  summary: 'versions of Rekall and of what it runs on',
  args: {},
  columns: { component: col.string('what'), version: col.string('its version') },
  examples: [{ line: 'version' }],
  *collect(context) {
    yield { component: 'rekall', version: release() };
    yield { component: 'node', version: process.versions.node };
    yield { component: 'platform', version: `${process.platform} ${process.arch}` };
    yield { component: 'commands', version: String(context.session.registry.list().length) };
  },
});

export const nothing = definePlugin({
  name: 'null',
  needs: 'none',
  topic: 'session',
  summary: 'does nothing: what is left is the time that starting takes',
  args: {},
  columns: { result: col.string('never there') },
  examples: [{ line: 'null' }],
  *collect(context) {
    context.note('Nothing was done.');
    yield* [];
  },
});
