import type { Row } from '../plugin/columns.js';
import type { PluginFunction } from './plugins.js';

/**
 * The commands as functions. The build puts a declaration in the place of this one (`dist/src/api/plugin-types.d.ts`), made from the
 * declarations of all commands: what each takes, what its rows hold, what that means. It is made there and not kept among the
 * sources, so that it cannot fall behind a plugin.
 */
export interface Plugins {
  readonly [name: string]: PluginFunction<Readonly<Record<string, unknown>>, unknown, Row>;
}
