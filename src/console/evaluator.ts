import type { EventEmitter } from 'node:events';
import type { REPLServer } from 'node:repl';
import { variableExists, variableValue } from './javascript-syntax.js';

/** JavaScript was stopped by the analyst. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('Stopped.');
  }
}

export interface EvaluatorOptions {
  /** what JavaScript finds besides its own globals; getters are kept */
  readonly scope: object;
  /** told of what fails after its statement has ended: a timer, a promise that nobody waits for */
  late(error: unknown): void;
  /** Called with true before code runs that may never give way, and with false after: Ctrl-C must come as a signal meanwhile. */
  signals?(wanted: boolean): void;
}

type Evaluate = (
  this: REPLServer,
  code: string,
  context: object,
  file: string,
  done: (error: Error | null, result?: unknown) => void,
) => void;

/** The file name of statements in stacks. */
export const STATEMENT = 'JavaScript';

/**
 * Runs JavaScript as node's own REPL does: top-level await, variables that stay, an end put to loops by SIGINT. It is that REPL's
 * evaluator, on streams of its own that nobody sees; what is typed and shown is the console's business.
 */
export class Evaluator {
  /** statement that has not ended */
  private pending: ((error: unknown) => void) | undefined;
  private readonly run: Evaluate;
  private readonly unhandled: (error: unknown) => void;

  private constructor(
    private readonly engine: REPLServer,
    private readonly options: EvaluatorOptions,
  ) {
    this.run = engine.eval as Evaluate;
    Object.defineProperties(engine.context, Object.getOwnPropertyDescriptors(options.scope));
    // What a statement throws comes to the REPL's domain, and so does what timers and promises of it throw later.
    const { _domain: domain } = engine as unknown as { _domain: EventEmitter };
    domain.removeAllListeners('error');
    domain.on('error', (error: unknown) => (this.pending ?? this.unhandled)(error));
    this.unhandled = (error) => {
      // A statement that was stopped has said so.
      if (!isInterruption(error)) options.late(error);
    };
    process.on('unhandledRejection', this.unhandled);
  }

  static async start(options: EvaluatorOptions): Promise<Evaluator> {
    const [{ start }, { PassThrough }] = await Promise.all([import('node:repl'), import('node:stream')]);
    const output = new PassThrough();
    output.resume();
    const engine = start({
      prompt: '',
      input: new PassThrough(),
      output,
      terminal: false,
      useGlobal: false,
      useColors: false,
      breakEvalOnSigint: true,
    });
    return new Evaluator(engine, options);
  }

  /**
   * Runs a statement and gives its value, of a promise what it resolves to. Throws what it throws, SyntaxError, and Interrupted when the signal (or SIGINT) comes first.
   */
  evaluate(text: string, signal?: AbortSignal): Promise<unknown> {
    const { engine } = this;
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        this.pending = undefined;
        signal?.removeEventListener('abort', interrupt);
        engine.off('SIGINT', interrupted);
        end();
      };
      const fail = (error: unknown): void => settle(() => reject(isInterruption(error) ? new Interrupted() : error));
      const interrupted = (): void => fail(new Interrupted());
      const interrupt = (): void => void engine.emit('SIGINT');
      this.pending = fail;
      engine.on('SIGINT', interrupted);
      signal?.addEventListener('abort', interrupt, { once: true });
      this.options.signals?.(true);
      // The engine's own handler would be undone with the last of these: it takes them away itself, but after it has set its own.
      const listeners = process.rawListeners('SIGINT') as NodeJS.SignalsListener[];
      process.removeAllListeners('SIGINT');
      try {
        this.run.call(engine, `${text}\n`, engine.context, STATEMENT, (error, value) => {
          if (error) fail(unwrapped(error));
          // A promise is waited for, as if it had been written with await.
          else Promise.resolve(value).then((result) => settle(() => resolve(result)), fail);
        });
      } finally {
        for (const listener of listeners) process.on('SIGINT', listener);
        this.options.signals?.(false);
      }
    });
  }

  /** True where a variable of that name exists, global or declared by a statement. */
  variable(name: string): boolean {
    return variableExists(name, this.engine.context);
  }

  /** The value of a variable that exists; undefined where it has none yet. */
  value(name: string): unknown {
    return variableValue(name, this.engine.context);
  }

  /** What node's REPL would complete the end of a text to: candidates, and the text that they replace. */
  complete(text: string): Promise<[string[], string]> {
    return new Promise((resolve) => {
      this.engine.completer(text, (_error, result) => resolve(result ?? [[], '']));
    });
  }

  close(): void {
    process.off('unhandledRejection', this.unhandled);
    this.engine.close();
  }
}

/** The evaluator wraps the error of a text that is not complete. */
function unwrapped(error: Error): unknown {
  return error.constructor.name === 'Recoverable' && 'err' in error ? error.err : error;
}

function isInterruption(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED'
  );
}
