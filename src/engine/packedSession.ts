/** A session on its way to workers: written down once, however many of them ask for it. */
import { deserialize, serialize } from 'node:v8';
import type { Session } from './sessionData.ts';

export interface PackedSession {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** All else, in shared memory. */
  readonly bytes: Uint8Array;
}

const known = new WeakMap<Session, PackedSession>();

/** Whole: how ticks made it of another is left out. */
export function packSession(session: Session): PackedSession {
  const found = known.get(session);
  if (found !== undefined) return found;
  const { module, memory, ...rest } = session;
  const written = serialize({ ...rest, step: null });
  const bytes = new Uint8Array(new SharedArrayBuffer(written.length));
  bytes.set(written);
  const packed = { module, memory, bytes };
  known.set(session, packed);
  return packed;
}

/** To how many tasks a session was sent unasked. */
const told = new WeakMap<Session, number>();

/** Whether a session has been sent with fewer tasks than there are workers; counts one more. */
export function isNews(session: Session, workers: number): boolean {
  const tasks = told.get(session) ?? 0;
  if (tasks >= workers) return false;
  told.set(session, tasks + 1);
  return true;
}

export function unpackSession({ module, memory, bytes }: PackedSession): Session {
  // A copy: the arrays that are read from it are views of it, and not everything takes a view of shared memory.
  const rest = deserialize(bytes.slice()) as Omit<Session, 'module' | 'memory'>;
  return { ...rest, module, memory };
}
