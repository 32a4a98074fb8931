import { arg, type Arg } from '../plugin/args.js';
import { type Parameter, type ParameterName, parameters } from './parameters.js';

/** The parameters of a session as arguments of a command that sets them (`snew`, `smod`): none has a default, all may be left out. */
export function parameterArgs(positional?: ParameterName): Record<ParameterName, Arg> {
  const args = Object.entries(parameters).filter(([, parameter]: [string, Parameter]) => parameter.command !== true).map(([name, parameter]: [string, Parameter]) => [name, argOf(parameter, name === positional)] as const);
  return Object.fromEntries(args) as Record<ParameterName, Arg>;
}

function argOf(parameter: Parameter, positional: boolean): Arg {
  const { doc, type, short, choices, path } = parameter;
  const options = { ...(short === undefined ? {} : { short }), ...(positional ? { positional } : {}) };
  switch (type) {
    case 'string':
      return path === true ? arg.path(doc, options) : arg.string(doc, options);
    case 'list':
      return arg.strings(doc, path === true ? { ...options, completes: 'path' } : options);
    case 'choice':
      return arg.choice(doc, { ...options, choices: choices ?? [] });
    case 'int':
      return arg.int(doc, options);
    case 'bool':
      return arg.bool(doc, options);
  }
}
