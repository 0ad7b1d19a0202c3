/** Which sessions' tasks may run: those of one that is being replaced wait, and those that read blocks which are behind the rows. */
import type { Session } from './sessionData.ts';

export class SessionGates {
  /** Sessions whose tasks wait. */
  private readonly shut = new WeakSet<Session>();
  /** Sessions whose cubes in blocks are behind their rows, or on their way to them. */
  private readonly blocks = new WeakMap<Session, 'behind' | 'packing'>();
  /** How many tasks of each session (by id) are on workers, and who waits for the last of them. */
  private readonly inside = new Map<number, number>();
  private waiters: (() => void)[] = [];
  /** What a session was replaced by. */
  private readonly successors = new WeakMap<Session, Session>();

  /** @param blocks whether the task may read cubes in blocks */
  admits(session: Session, blocks: boolean): boolean {
    return !this.shut.has(session) && !(blocks && this.blocks.has(session));
  }

  /** Whether somebody has to begin to pack its blocks before a task can read them. */
  lacksBlocks(session: Session): boolean {
    return !this.shut.has(session) && this.blocks.get(session) === 'behind';
  }

  close(...sessions: readonly Session[]): void {
    for (const session of sessions) this.shut.add(session);
  }

  open(session: Session): void {
    this.shut.delete(session);
  }

  /** What its cubes in blocks are, from now on. */
  markBlocks(session: Session, state: 'ready' | 'behind' | 'packing'): void {
    if (state === 'ready') this.blocks.delete(session);
    else this.blocks.set(session, state);
  }

  enter({ id }: Session): void {
    this.inside.set(id, (this.inside.get(id) ?? 0) + 1);
  }

  leave({ id }: Session): void {
    const left = this.inside.get(id)! - 1;
    if (left > 0) this.inside.set(id, left);
    else this.inside.delete(id);
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  /** Resolves when no task of the session is on a worker. */
  async quiet({ id }: Session): Promise<void> {
    while (this.inside.has(id)) {
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  replace(old: Session, by: Session): void {
    if (old !== by) this.successors.set(old, by);
  }

  /** What stands in a session's place by now: whoever read the old one is served on the memory as it is. */
  latest(session: Session): Session {
    let current = session;
    for (;;) {
      const next = this.successors.get(current);
      if (next === undefined) return current;
      current = next;
    }
  }
}
