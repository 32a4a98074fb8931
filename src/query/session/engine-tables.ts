/** Tables of the engine itself: columns and arguments of commands, sessions, views, functions. */
import type { Session } from '../../session/session.js';
import { arg } from '../../plugin/args.js';
import { col } from '../../plugin/columns.js';
import { PluginError } from '../../plugin/error.js';
import { fits, type PluginEntry } from '../../plugin/registry.js';
import { didYouMean } from '../../plugin/similar.js';
import { formatExpression, formatQuery } from '../../../grammar/efilter-format.js';
import type { CatalogTable } from '../catalog.js';
import type { Definitions } from '../engine.js';
import { library } from '../functions/index.js';
import { fixedTable } from './fixed-table.js';

const plugin = arg.string('the command; all that fit the image if absent', { positional: true, completes: 'plugin' });

export function engineTables(session: Session, definitions: Definitions): CatalogTable[] {
  return [
    fixedTable({
      name: 'columns',
      summary: 'columns of commands',
      args: { plugin },
      columns: {
        plugin: col.string('the command'),
        name: col.string('the column'),
        type: col.string('what its cells hold'),
        struct: col.string('for struct: which'),
        unit: col.string('where the type does not say it'),
        doc: col.string('what it means'),
      },
      *rows({ plugin: name }) {
        for (const entry of entriesOf(session, name)) {
          for (const [column, { type, struct, unit, doc }] of Object.entries(entry.columns)) {
            yield { plugin: entry.name, name: column, type, struct: struct ?? null, unit: unit ?? null, doc: doc.replace(/\s{2,}/g, '; ') };
          }
        }
      },
    }),
    fixedTable({
      name: 'arguments',
      summary: 'arguments of commands',
      args: { plugin },
      columns: {
        plugin: col.string('the command'),
        name: col.string('the argument'),
        type: col.string('what it takes'),
        required: col.bool('whether the command needs it'),
        positional: col.bool('whether it may be given without its name'),
        default: col.any('its value where it is not given'),
        doc: col.string('what it means'),
      },
      *rows({ plugin: name }) {
        for (const entry of entriesOf(session, name)) {
          for (const [argument, declared] of Object.entries(entry.args)) {
            const { type, required, positional, doc } = declared;
            yield { plugin: entry.name, name: argument, type, required, positional: positional === true, default: (declared.default as unknown) ?? null, doc };
          }
        }
      },
    }),
    fixedTable({
      // `sessions` is a command of Windows.
      name: 'open_sessions',
      summary: 'the sessions of this console',
      args: {},
      columns: {
        id: col.int('its number, for session: N'),
        name: col.string('what the prompt shows'),
        filename: col.string('the image'),
        current: col.bool('whether commands work on it'),
        os: col.string('the system of its kernel, once that was looked for'),
      },
      *rows() {
        for (const one of session.group?.list() ?? [session]) {
          yield { id: one.id, name: one.name, filename: one.parameters.filename ?? null, current: one === (session.group?.current ?? session), os: one.detected?.os ?? null };
        }
      },
    }),
    fixedTable({
      name: 'views',
      summary: 'views of this session',
      args: {},
      columns: { name: col.string('its name'), columns: col.list('names of its columns, where they were given'), query: col.string('what it stands for') },
      *rows(_args, note) {
        for (const [name, { columns, query }] of definitions.views) yield { name, columns: columns ?? null, query: formatQuery(query) };
        if (definitions.views.size === 0) note('There are no views: create view NAME as select …');
      },
    }),
    fixedTable({
      name: 'functions',
      summary: 'functions and aggregates of queries, and those of this session',
      args: {},
      columns: {
        name: col.string('as it is called'),
        kind: col.string('scalar, aggregate, or user: defined in this session'),
        topic: col.string('what it is about'),
        signature: col.string('what it takes and gives'),
        doc: col.string('what it does'),
        example: col.string('a query that shows it'),
        aliases: col.list('other names of it'),
      },
      *rows() {
        for (const [name, { bindings }] of definitions.variables) {
          const binding = bindings[0];
          if (!binding?.parameters) continue;
          const signature = `${name}(${binding.parameters.join(', ')})`;
          yield { name, kind: 'user', topic: 'session', signature, doc: formatExpression(binding.value), example: null, aliases: [] };
        }
        yield* library.rows();
      },
    }),
  ];
}

function entriesOf(session: Session, name: string | undefined): readonly PluginEntry[] {
  const os = session.detected?.os;
  if (name === undefined) return session.registry.list().filter((entry) => os === undefined || fits(entry, os));
  const entry = session.registry.find(name, os) ?? session.registry.named(name)[0];
  if (entry) return [entry];
  throw new PluginError(`There is no command ${name}.${didYouMean(name, session.registry.list().map((one) => one.name))}`, 'plugins');
}
