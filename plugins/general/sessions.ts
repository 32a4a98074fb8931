import { arg } from '../../src/plugin/args.js';
import { col, type RowOf } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { didYouMean } from '../../src/plugin/similar.js';
import { checkedParameters } from '../../src/session/flags.js';
import type { SessionGroup } from '../../src/session/group.js';
import { parameterArgs } from '../../src/session/parameter-args.js';
import { type Parameter, parameterNamed, type ParameterName, parameters as all } from '../../src/session/parameters.js';
import type { Session } from '../../src/session/session.js';

const columns = {
  current: col.string('* marks the current one', { title: '' }),
  session_id: col.int('its number'),
  name: col.string('what the prompt shows: session_name, or the name of the image file'),
  filename: col.string('the image'),
  kernel: col.string('the kernel in it; empty while nobody has needed it'),
  context: col.string('the process context'),
} as const;

/** The sessions of the console. Throws PluginError where there is no console. */
function groupOf(context: PluginContext): SessionGroup {
  const { group } = context.session;
  if (!group) throw new PluginError('Several sessions are for the console: here there is one.', 'rekall -f IMAGE');
  return group;
}

function rowOf(session: Session, group: SessionGroup): RowOf<typeof columns> {
  const { context } = session;
  return {
    current: session === group.current ? '*' : '',
    session_id: session.id,
    name: session.name,
    filename: session.parameters.filename ?? null,
    kernel: session.detected?.description ?? null,
    context: context ? `${context.name} (${context.pid})` : null,
  };
}

/** The one session that a number or a name means. Throws PluginError. */
function sessionNamed(group: SessionGroup, text: string, command: string): Session {
  const [found, ...more] = group.named(text);
  if (!found) throw new PluginError(`There is no session ${text}.${didYouMean(text, group.list().map((session) => session.name))}`, 'slist');
  if (more.length > 0) throw new PluginError(`Sessions ${[found, ...more].map((session) => session.id).join(', ')} are all called ${text}.`, `${command} ${found.id}`);
  return found;
}

export const slist = definePlugin({
  name: 'slist',
  needs: 'none',
  topic: 'session',
  summary: 'the sessions of this console',
  args: {},
  columns,
  examples: [{ line: 'slist' }],
  *collect(context) {
    const group = groupOf(context);
    for (const session of group.list()) yield rowOf(session, group);
  },
});

export const snew = definePlugin({
  name: 'snew',
  needs: 'none',
  topic: 'session',
  summary: 'opens another session and makes it the current one',
  notes:
    'The new session has the parameters of the current one but for those given; image, kernel, caches and process context are its own. It is opened and its ' +
    'kernel is found before anything changes: where that fails the current session stays.',
  args: {
    ...parameterArgs('filename'),
    force: arg.bool('also where no kernel is found in the image', { default: false }),
  },
  columns,
  examples: [{ line: 'snew', doc: 'a second session on the same image' }, { line: 'snew session_name=copy timezone=Europe/Berlin' }],
  async *collect(context, { force, ...given }) {
    const group = groupOf(context);
    const values = checkedParameters(given);
    if (values.session_name !== undefined) checkName(group, values.session_name);
    const session = context.session.clone(values, 'snew');
    try {
      if (session.parameters.filename !== undefined) {
        session.physical();
        if (force !== true) await session.kernel();
      }
    } catch (error) {
      session.close();
      throw error;
    }
    group.add(session);
    group.switchTo(session);
    yield rowOf(session, group);
  },
});

export const sswitch = definePlugin({
  name: 'sswitch',
  needs: 'none',
  topic: 'session',
  summary: 'makes another session the current one',
  args: { session_id: arg.string.required('its number or its name', { positional: true, completes: 'session' }) },
  columns,
  examples: [{ line: 'sswitch 1' }],
  *collect(context, args) {
    const group = groupOf(context);
    const session = sessionNamed(group, args.session_id, 'sswitch');
    group.switchTo(session);
    yield rowOf(session, group);
  },
});

export const sdel = definePlugin({
  name: 'sdel',
  needs: 'none',
  topic: 'session',
  summary: 'closes a session and frees what it holds; the current one stays',
  args: { session_id: arg.string.required('its number or its name', { positional: true, completes: 'session' }) },
  columns,
  examples: [{ line: 'sdel 2' }],
  *collect(context, args) {
    const group = groupOf(context);
    const session = sessionNamed(group, args.session_id, 'sdel');
    if (session === group.current) {
      const other = group.list().find((one) => one !== session);
      throw new PluginError(`Session ${session.id} is the current one.`, other ? `sswitch ${other.id}; sdel ${session.id}` : 'quit');
    }
    group.remove(session);
    context.note(`Session ${session.id} (${session.name}) is closed.`);
    for (const one of group.list()) yield rowOf(one, group);
  },
});

export const smod = definePlugin({
  name: 'smod',
  needs: 'none',
  topic: 'session',
  summary: 'the parameters of the session; with arguments it changes them',
  notes:
    'What is given holds for the rest of the session. Where it concerns the image or how its kernel is found (filename, profile, dtb …), that is found anew, and an ' +
    'image that cannot be opened leaves all as it was. reset sets parameters back to their defaults.',
  args: {
    ...parameterArgs(),
    reset: arg.strings('parameters to set back to their defaults'),
  },
  columns: {
    parameter: col.string('its name, as flags and ~/.rekallrc have it'),
    value: col.any('its value'),
    origin: col.string('where the value comes from; empty for a default'),
    default: col.any('its value when nothing is said', { hidden: true }),
    doc: col.string('what it means'),
  },
  examples: [{ line: 'smod' }, { line: 'smod timezone=Europe/Berlin', doc: 'times in that zone, from now on' }],
  async *collect(context, { reset, ...given }) {
    const { session } = context;
    const values: Record<string, unknown> = checkedParameters(given);
    for (const name of reset ?? []) values[resettable(name)] = undefined;
    const { session_name: name } = values;
    if (typeof name === 'string' && session.group) checkName(session.group, name, session);
    if (Object.keys(values).length > 0) await session.change(values, 'smod');
    const shown = Object.keys(values).length > 0 ? new Set(Object.keys(values)) : undefined;
    for (const row of parameterRows(session)) if (shown?.has(row.parameter) ?? true) yield row;
  },
});

/** Each parameter with its value and where that comes from. */
export function* parameterRows(session: Session): Generator<{ parameter: ParameterName; value: unknown; origin: string | null; default: unknown; doc: string }> {
  for (const [name, { doc, default: standard, command }] of Object.entries(all) as [ParameterName, Parameter][]) {
    if (command === true) continue;
    yield { parameter: name, value: session.parameters[name] ?? null, origin: session.origins.get(name) ?? null, default: standard ?? null, doc };
  }
}

function resettable(text: string): ParameterName {
  const name = parameterNamed(text);
  if (name === undefined) throw new PluginError(`There is no parameter ${text}.${didYouMean(text, Object.keys(all))}`, 'smod');
  return name;
}

/** A name is one session's, and no number, which would mean another. */
function checkName(group: SessionGroup, name: string, own?: Session): void {
  if (/^\d+$/.test(name)) throw new PluginError(`A session cannot be called ${name}: that is a session's number.`, 'slist');
  const other = group.named(name).find((session) => session !== own);
  if (other) throw new PluginError(`Session ${other.id} is called ${name} already.`, 'slist');
}
