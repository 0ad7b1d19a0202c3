/** Which sessions' tasks may run: those of one that is being replaced wait, and those that need more of it than is ready. */
import type { Session } from './sessionData.ts';

export class SessionGates {
  /** Sessions whose tasks wait. */
  private readonly shut = new Set<number>();
  /** Sessions that are ready, but for their cubes in blocks; true while these are brought up to date. */
  private readonly ajar = new Map<number, boolean>();
  /** How many tasks of each are on workers, and who waits for the last of them. */
  private readonly inside = new Map<number, number>();
  private waiters: (() => void)[] = [];
  /** What a session was replaced by. */
  private readonly successors = new WeakMap<Session, Session>();

  /** Whether every task may run. */
  get open(): boolean {
    return this.shut.size + this.ajar.size === 0;
  }

  /** @param blocks whether the task may read cubes in blocks */
  admits(sessionId: number, blocks: boolean): boolean {
    return !this.shut.has(sessionId) && !(blocks && this.ajar.has(sessionId));
  }

  /** Whether somebody has to bring its blocks up to date before a task can read them. */
  lacksBlocks({ id }: Session): boolean {
    return !this.shut.has(id) && this.ajar.get(id) === false;
  }

  shutFor(...sessions: readonly Session[]): void {
    for (const { id } of sessions) this.shut.add(id);
  }

  openFor({ id }: Session): void {
    this.shut.delete(id);
    this.ajar.delete(id);
  }

  /** For tasks that read rows alone. @param underWay whether the blocks are being brought up to date */
  openRows({ id }: Session, underWay: boolean): void {
    this.shut.delete(id);
    this.ajar.set(id, underWay);
  }

  enter(sessionId: number): void {
    this.inside.set(sessionId, (this.inside.get(sessionId) ?? 0) + 1);
  }

  leave(sessionId: number): void {
    const left = this.inside.get(sessionId)! - 1;
    if (left > 0) this.inside.set(sessionId, left);
    else this.inside.delete(sessionId);
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
