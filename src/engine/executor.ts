/**
 * Runs tasks on the pool: at most one a worker, urgent ones first, each in a scratch slot of its own; tries a shard again whose worker
 * died (shards are pure); cancels without killing; closes only when all that was accepted is done.
 */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { Answer, TaskBody, TaskValue } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Session } from './sessionData.ts';

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Before all that is not urgent: someone waits for this one answer. */
  readonly urgent?: boolean;
  /** A worker that takes longer is killed and the task fails: for decoders that damaged input can hang. */
  readonly deadlineMs?: number;
}

interface Job {
  readonly body: TaskBody;
  readonly session: Session;
  readonly cancel: Int32Array;
  readonly deadlineMs: number | undefined;
  readonly resolve: (value: TaskValue) => void;
  readonly reject: (error: PlimsollError) => void;
  tries: number;
}

/** A killed worker may still write for a moment: its slot rests this long. */
const SLOT_REST_MS = 1_000;
const SPARE_SLOTS = 2;

/** The compiled worker beside the compiled engine; from sources (in tests) the build's. */
function workerFile(): string {
  const here = import.meta.url;
  const built = here.endsWith('.ts') ? '../../dist/workers/shard.js' : '../../workers/shard.js';
  return new URL(built, here).href;
}

export class Executor {
  readonly workers: number;
  readonly slots: number;
  /** Workers that died under a task. */
  deaths = 0;
  private readonly pool: Piscina;
  private readonly freeSlots: number[];
  private readonly urgent: Job[] = [];
  private readonly normal: Job[] = [];
  private readonly idleWaiters: (() => void)[] = [];
  private readonly freeListeners: (() => void)[] = [];
  /** Accepted and unfinished tasks by session, and who waits for the last of them. */
  private readonly unfinished = new Map<number, number>();
  private readonly sessionWaiters = new Map<number, (() => void)[]>();
  /** Until when (ms, monotonic) a killed worker may still write. */
  private restingUntil = 0;
  private running = 0;
  private closing = false;

  constructor(workers: number = availableParallelism()) {
    if (!Number.isInteger(workers) || workers < 1 || workers > LIMITS.workersMax) {
      const message = `workers must be a whole number from 1 to ${LIMITS.workersMax}, got ${workers}`;
      throw new PlimsollError('INVALID_FIELD', message, { path: 'workers' });
    }
    this.workers = workers;
    this.slots = workers + SPARE_SLOTS;
    this.freeSlots = Array.from({ length: this.slots }, (_, i) => i);
    this.pool = new Piscina({
      filename: workerFile(),
      // Piscina's own default is 1.5 threads a core, wrong for computation.
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      // Accounts come and go by the thousand: a small nursery keeps a worker's memory flat, at the same speed.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
      // Piscina tries require() first; a thread that is ended while require() links an ES module takes the whole process down with it
      // (seen on Node 20.20). Without require(esm) it falls back on import(), which can be interrupted.
      execArgv: [...process.execArgv, '--no-experimental-require-module'],
      // Our own queue decides the order; the pool never holds more than one task a worker.
      maxQueue: this.slots * 2,
    });
  }

  get free(): number {
    return Math.max(0, this.workers - this.running);
  }

  get queued(): number {
    return this.urgent.length + this.normal.length;
  }

  /** The threads, for whoever tests what happens when one dies. */
  get threads(): Piscina['threads'] {
    return this.pool.threads;
  }

  /** Resolves when no task on the session is queued or under way. */
  whenIdle(sessionId: number): Promise<void> {
    const rest = (): Promise<void> => {
      const left = this.restingUntil - performance.now();
      return left > 0
        ? new Promise((resolve) => setTimeout(resolve, left).unref())
        : Promise.resolve();
    };
    if (!this.unfinished.has(sessionId)) return rest();
    const idle = new Promise<void>((resolve) => {
      const waiters = this.sessionWaiters.get(sessionId) ?? [];
      this.sessionWaiters.set(sessionId, [...waiters, resolve]);
    });
    return idle.then(rest);
  }

  private finish(sessionId: number): void {
    const left = this.unfinished.get(sessionId)! - 1;
    if (left > 0) {
      this.unfinished.set(sessionId, left);
      return;
    }
    this.unfinished.delete(sessionId);
    for (const resolve of this.sessionWaiters.get(sessionId) ?? []) resolve();
    this.sessionWaiters.delete(sessionId);
  }

  /** Called whenever a worker becomes free. */
  onFree(listener: () => void): void {
    this.freeListeners.push(listener);
  }

  run(body: TaskBody, session: Session, options: RunOptions = {}): Promise<TaskValue> {
    const { signal, urgent = false, deadlineMs } = options;
    return new Promise((resolve, reject) => {
      if (this.closing) return reject(new PlimsollError('CLOSED', 'the engine is closing'));
      if (signal?.aborted) return reject(cancelled());
      const cancel = new Int32Array(new SharedArrayBuffer(4));
      const queue = urgent ? this.urgent : this.normal;
      const onAbort = (): void => {
        Atomics.store(cancel, 0, 1);
        const at = queue.indexOf(job);
        if (at === -1) return;
        queue.splice(at, 1);
        job.reject(cancelled());
      };
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort);
          this.finish(session.id);
          then(value);
        };
      const job: Job = {
        body,
        session,
        cancel,
        deadlineMs,
        tries: 0,
        resolve: settle(resolve),
        reject: settle(reject),
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.unfinished.set(session.id, (this.unfinished.get(session.id) ?? 0) + 1);
      queue.push(job);
      this.pump();
    });
  }

  /** Waits for all accepted work, then ends the threads. Piscina's own close() kills tasks in flight where threads are many. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.running + this.queued > 0) {
      await new Promise<void>((resolve) => {
        this.idleWaiters.push(resolve);
      });
    }
    await this.pool.destroy();
  }

  private pump(): void {
    while (this.running < this.workers && this.freeSlots.length > 0) {
      const job = this.urgent.shift() ?? this.normal.shift();
      if (job === undefined) break;
      this.running += 1;
      void this.start(job, this.freeSlots.pop()!);
    }
    if (this.running === 0 && this.queued === 0) {
      for (const resolve of this.idleWaiters.splice(0)) resolve();
    }
  }

  private async start(job: Job, slot: number): Promise<void> {
    let restMs = 0;
    try {
      const answer = await this.attempt(job, slot);
      if (answer.ok) job.resolve(answer.value);
      else if (!answer.needsSession) {
        job.reject(
          new PlimsollError(answer.error.code, answer.error.message, { path: answer.error.path }),
        );
      }
    } catch (error) {
      if ((error as Error).name === 'DataCloneError') {
        // The task never left: nothing died, and trying again would change nothing.
        job.reject(new PlimsollError('INVALID_FIELD', (error as Error).message));
      } else {
        restMs = SLOT_REST_MS;
        this.restingUntil = performance.now() + SLOT_REST_MS;
        this.deaths += 1;
        this.retry(job, error as Error);
      }
    }
    this.running -= 1;
    if (restMs === 0) this.freeSlots.push(slot);
    else setTimeout(() => this.returnSlot(slot), restMs);
    this.pump();
    if (this.free > 0) for (const listener of this.freeListeners) listener();
  }

  private returnSlot(slot: number): void {
    this.freeSlots.push(slot);
    this.pump();
  }

  /** Sends the task; a worker that does not know the session yet asks for it once. */
  private async attempt(job: Job, slot: number): Promise<Answer> {
    const { body, session, cancel, deadlineMs } = job;
    const task = { body, sessionId: session.id, slot, cancel };
    const options = deadlineMs === undefined ? {} : { signal: AbortSignal.timeout(deadlineMs) };
    const first = (await this.pool.run(task, options)) as Answer;
    if (first.ok || !first.needsSession) return first;
    return (await this.pool.run({ ...task, session }, options)) as Answer;
  }

  private retry(job: Job, error: Error): void {
    job.tries += 1;
    if (Atomics.load(job.cancel, 0) !== 0) job.reject(cancelled());
    else if (error.name === 'AbortError' || job.tries >= LIMITS.shardTriesMax) {
      const message = `a shard (${job.body.kind}) failed on ${job.tries} tries: ${error.message}`;
      job.reject(new PlimsollError('SHARD_FAILED', message));
    } else this.urgent.unshift(job);
  }
}

function cancelled(): PlimsollError {
  return new PlimsollError('CANCELLED', 'the caller cancelled the work');
}
