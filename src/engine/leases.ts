/**
 * Who still uses a session, and what becomes of its memory. Shared memories of hundreds of megabytes are not left to the garbage
 * collector, which does not see their weight: when the last user of a session has let go and no task on it is under way, its memory is
 * kept for the next one.
 */
import { createMemory } from '../../workers/kernels.ts';
import { ensure } from '../errors.ts';
import type { Executor } from './executor.ts';
import type { Session } from './sessionData.ts';

/** Memories that wait for a next session. */
const SPARE_MAX = 2;

export class Leases {
  private readonly executor: Executor;
  /** By memory: sessions that replaced each other on one memory share it. */
  private readonly users = new Map<WebAssembly.Memory, number>();
  private spare: WebAssembly.Memory[] = [];

  constructor(executor: Executor) {
    this.executor = executor;
  }

  /** A memory of at least so many bytes: the smallest that waits and is not absurdly large, or a fresh one. What it holds is undefined. */
  memory(bytes: number): WebAssembly.Memory {
    const fitting = this.spare
      .filter(
        (memory) =>
          memory.buffer.byteLength >= bytes &&
          memory.buffer.byteLength <= 4 * bytes + (1 << 26) &&
          // Somebody without a lease may have come just before it was given back.
          !this.executor.uses(memory),
      )
      .sort((a, b) => a.buffer.byteLength - b.buffer.byteLength);
    const [found] = fitting;
    if (found === undefined) return createMemory(bytes);
    this.spare = this.spare.filter((memory) => memory !== found);
    return found;
  }

  /** Whether nobody but its one holder uses the session's memory. */
  exclusive(session: Session): boolean {
    return this.users.get(session.memory) === 1;
  }

  hold(session: Session): void {
    this.users.set(session.memory, (this.users.get(session.memory) ?? 0) + 1);
  }

  /** Each hold is released once; the last release gives the memory back when all tasks of the session are done. */
  release(session: Session): void {
    const { memory } = session;
    const users = this.users.get(memory);
    ensure(users !== undefined, 'a session is released that nobody holds');
    if (users > 1) {
      this.users.set(memory, users - 1);
      return;
    }
    this.users.delete(memory);
    void this.executor.whenIdle(memory).then(() => {
      // Somebody may have come back to it meanwhile.
      if (this.users.has(memory)) return;
      this.spare.push(memory);
      if (this.spare.length > SPARE_MAX) this.spare.shift();
    });
  }
}
