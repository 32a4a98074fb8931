import type { Prompter } from './prompter.js';
import type { Result } from './result.js';
import type { ScriptRunner } from './script.js';
import type { Session } from './session.js';
import { Transcript } from './transcript.js';

/** The sessions of one console: several images, one of them current. Ids count from 1 and are not used again. */
export class SessionGroup {
  /** what was typed and shown, for `report` */
  readonly transcript = new Transcript();
  /** the result of the last command, query or JavaScript: `_` */
  last: Result | undefined;
  /** What stops whatever is started now: the console sets it while JavaScript runs, whose tables know no signal of their own. */
  interrupt: AbortSignal | undefined;
  /** What stops the looking for a kernel, which a command's own signal does not reach: the console sets it while a statement runs. */
  patience: AbortSignal | undefined;
  /** whoever can ask the analyst; undefined where nobody sits at a terminal */
  prompter: Prompter | undefined;
  /** whoever runs statements as if they were typed */
  runner: ScriptRunner | undefined;
  private readonly byId = new Map<number, Session>();
  private next = 1;
  private active: Session | undefined;
  private readonly listeners = new Set<(session: Session) => void>();

  /** Adds a session, which is given its id; the first becomes the current one. */
  add(session: Session): Session {
    session.id = this.next++;
    session.group = this;
    this.byId.set(session.id, session);
    this.active ??= session;
    return session;
  }

  /** The group of a session; one that lives alone is given a group of its own. */
  static of(session: Session): SessionGroup {
    if (!session.group) new SessionGroup().add(session);
    return session.group as unknown as SessionGroup;
  }

  get current(): Session {
    if (!this.active) throw new Error('a group has no current session before one is added');
    return this.active;
  }

  list(): readonly Session[] {
    return [...this.byId.values()];
  }

  get(id: number): Session | undefined {
    return this.byId.get(id);
  }

  /** The sessions that a number or a name (whole, case ignored) means: one, none, or several of one name. */
  named(text: string): readonly Session[] {
    const byNumber = /^\d+$/.test(text) ? this.byId.get(Number(text)) : undefined;
    if (byNumber) return [byNumber];
    return this.list().filter((session) => session.name.toLowerCase() === text.toLowerCase());
  }

  /** Makes a session the current one and tells whoever listens (the console, for its prompt). */
  switchTo(session: Session): void {
    this.active = session;
    for (const listener of this.listeners) listener(session);
  }

  /** Closes a session and forgets it. The current one cannot go: its console would be left with nothing. */
  remove(session: Session): void {
    if (session === this.active) throw new Error('the current session stays');
    this.byId.delete(session.id);
    session.close();
  }

  onSwitch(listener: (session: Session) => void): void {
    this.listeners.add(listener);
  }

  close(): void {
    for (const session of this.byId.values()) session.close();
    this.transcript.close();
  }
}
