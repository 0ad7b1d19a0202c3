/**
 * Runs tasks on the pool: at most one a worker, urgent ones first, each in a scratch slot of its own; tries a shard again whose worker
 * died (shards are pure); cancels without killing; closes only when all that was accepted is done.
 */
import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import type { Answer, TaskBody, TaskValue } from '../../workers/protocol.ts';
import { asPlimsollError, PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { isNews, packSession } from './packedSession.ts';
import { openPool } from './pool.ts';
import type { Session } from './sessionData.ts';
import { SessionGates } from './sessionGates.ts';

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Before all that is not urgent: someone waits for this one answer. */
  readonly urgent?: boolean;
  /** After all that does not, and given up (CANCELLED) when anything else has to wait for a worker: nobody waits for it. */
  readonly givesWay?: boolean;
  /** Part of the work for which others are held up: see `exclusive`. */
  readonly through?: boolean;
  /** It may read cubes in blocks. */
  readonly blocks?: boolean;
  /** A worker that takes longer is killed and the task fails: for decoders that damaged input can hang. */
  readonly deadlineMs?: number;
}

interface Job {
  readonly body: TaskBody;
  session: Session;
  /** Runs while its session is held up for others. */
  readonly through: boolean;
  readonly blocks: boolean;
  readonly givesWay: boolean;
  readonly cancel: Int32Array;
  readonly deadlineMs: number | undefined;
  readonly resolve: (value: TaskValue) => void;
  readonly reject: (error: PlimsollError) => void;
  tries: number;
}

/** How a session takes the place of another on the same memory. */
export interface Replacement {
  /** Makes the rows those of the new session; nothing else runs on the memory meanwhile. */
  readonly work: () => Promise<void>;
  /** Makes a session on another memory, where the work has failed. */
  readonly rescue: () => Promise<Session>;
  /** Makes the cubes in blocks what the rows are; tasks that read rows alone run meanwhile. */
  readonly pack: () => Promise<void>;
}

/** A killed worker may still write for a moment: its slot rests this long. */
const SLOT_REST_MS = 1_000;
const SPARE_SLOTS = 2;

export class Executor {
  readonly workers: number;
  readonly slots: number;
  /** Workers that died under a task. */
  deaths = 0;
  private readonly pool: Piscina;
  private readonly freeSlots: number[];
  private readonly urgent: Job[] = [];
  private readonly normal: Job[] = [];
  private readonly idle: Job[] = [];
  /** In the order in which they are served. */
  private readonly queues: readonly Job[][] = [this.urgent, this.normal, this.idle];
  /** On workers, and to be given up when somebody else waits. */
  private readonly givingWay = new Set<Job>();
  private readonly idleWaiters: (() => void)[] = [];
  private readonly freeListeners: (() => void)[] = [];
  /** Accepted and unfinished tasks by memory, and who waits for the last of them. */
  private readonly unfinished = new Map<WebAssembly.Memory, number>();
  private readonly memoryWaiters = new Map<WebAssembly.Memory, (() => void)[]>();
  private readonly gates = new SessionGates();
  private readonly unpacked = new WeakMap<Session, Replacement>();
  private readonly packings = new Map<Session, Promise<void>>();
  /** Sessions whose memory was left half done. */
  private readonly broken = new WeakMap<Session, PlimsollError>();
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
    this.pool = openPool(workers, this.slots);
  }

  /** Workers that are free, or would be given up. */
  get free(): number {
    return Math.max(0, this.workers - this.running + this.givingWay.size);
  }

  private get jobs(): readonly Job[] {
    return this.queues.flat();
  }

  get queued(): number {
    return this.urgent.length + this.normal.length + this.idle.length;
  }

  /** The threads, for whoever tests what happens when one dies. */
  get threads(): Piscina['threads'] {
    return this.pool.threads;
  }

  /** Whether a task on the memory is queued or under way. */
  uses(memory: WebAssembly.Memory): boolean {
    return this.unfinished.has(memory);
  }

  /** Resolves when no task on the memory is queued or under way. */
  whenIdle(memory: WebAssembly.Memory): Promise<void> {
    if (!this.unfinished.has(memory)) return this.rested();
    const idle = new Promise<void>((resolve) => {
      const waiters = this.memoryWaiters.get(memory) ?? [];
      this.memoryWaiters.set(memory, [...waiters, resolve]);
    });
    return idle.then(() => this.rested());
  }

  /** Resolves when no killed worker can still write. */
  private rested(): Promise<void> {
    const left = this.restingUntil - performance.now();
    if (!(left > 0)) return Promise.resolve();
    return new Promise((resolve) => setTimeout(resolve, left).unref());
  }

  /**
   * Replaces a session by one on the same memory: work on the memory waits, `work` runs alone, and what waited for the old session then
   * runs on the new one. So no task ever sees a memory that is half of one market and half of another. The cubes in blocks are packed when
   * the first task needs them.
   * @returns the session that took the old one's place
   */
  async exclusive(old: Session, next: Session, replacement: Replacement): Promise<Session> {
    const { gates } = this;
    gates.close(old, next);
    this.giveWay();
    try {
      await this.packings.get(old);
      await gates.quiet(old);
      await this.rested();
      // A memory that was left half done serves nobody: what waited for it goes to a session that was made elsewhere.
      const done = await replacement.work().then(() => next, replacement.rescue);
      // It knows the session before its own: let go of, or all that ever were would be held by the last.
      this.unpacked.delete(old);
      if (done === next) {
        gates.markBlocks(next, 'behind');
        this.unpacked.set(next, replacement);
      }
      this.succeed(old, done);
      gates.open(next);
      if (this.jobs.some(({ blocks, session }) => blocks && session === next)) this.pack(next);
      this.pump();
      return done;
    } catch (error) {
      // Nobody made another one: what stands in this memory is of no market.
      this.broken.set(old, asPlimsollError(error));
      this.refuse(({ session }) => session === old, asPlimsollError(error));
      throw error;
    }
  }

  /** Brings the blocks of a session up to its rows, if they are behind. Where that fails, whoever waits for them is told; the next one tries again. */
  private pack(session: Session): void {
    const { gates } = this;
    if (!gates.lacksBlocks(session)) return;
    gates.markBlocks(session, 'packing');
    const packing = this.unpacked
      .get(session)!
      .pack()
      .then(
        () => {
          gates.markBlocks(session, 'ready');
          this.unpacked.delete(session);
        },
        (error: unknown) => {
          gates.markBlocks(session, 'behind');
          this.refuse((job) => job.blocks && job.session === session, asPlimsollError(error));
        },
      )
      .then(() => {
        this.packings.delete(session);
        this.pump();
      });
    this.packings.set(session, packing);
  }

  private refuse(whom: (job: Job) => boolean, error: PlimsollError): void {
    for (const queue of this.queues) {
      for (const job of queue.filter(whom)) {
        queue.splice(queue.indexOf(job), 1);
        job.reject(error);
      }
    }
  }

  private succeed(old: Session, by: Session): void {
    this.gates.replace(old, by);
    for (const job of this.jobs) {
      this.move(job, this.gates.latest(job.session));
    }
  }

  private move(job: Job, to: Session): void {
    if (job.session === to) return;
    this.begin(to);
    this.finish(job.session);
    job.session = to;
  }

  private begin({ memory }: Session): void {
    this.unfinished.set(memory, (this.unfinished.get(memory) ?? 0) + 1);
  }

  /** The next job that may run: urgent ones first. */
  private take(): Job | undefined {
    for (const queue of this.queues) {
      const at = queue.findIndex(
        ({ session, through, blocks }) => through || this.gates.admits(session, blocks),
      );
      if (at !== -1) return queue.splice(at, 1)[0];
    }
    return undefined;
  }

  private finish({ memory }: Session): void {
    const left = this.unfinished.get(memory)! - 1;
    if (left > 0) {
      this.unfinished.set(memory, left);
      return;
    }
    this.unfinished.delete(memory);
    for (const resolve of this.memoryWaiters.get(memory) ?? []) resolve();
    this.memoryWaiters.delete(memory);
  }

  /** Called whenever a worker becomes free. */
  onFree(listener: () => void): void {
    this.freeListeners.push(listener);
  }

  run(body: TaskBody, session: Session, options: RunOptions = {}): Promise<TaskValue> {
    const { signal, urgent = false, givesWay = false, deadlineMs } = options;
    const { through = false, blocks = false } = options;
    return new Promise((resolve, reject) => {
      // What others wait for who were accepted is done even now.
      if (this.closing && !through) {
        return reject(new PlimsollError('CLOSED', 'the engine is closing'));
      }
      const current = this.gates.latest(session);
      const broken = this.broken.get(current);
      if (broken !== undefined) return reject(broken);
      if (signal?.aborted) return reject(cancelled());
      const cancel = new Int32Array(new SharedArrayBuffer(4));
      const queue = urgent ? this.urgent : givesWay ? this.idle : this.normal;
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
          this.finish(job.session);
          then(value);
        };
      const job: Job = {
        body,
        session: current,
        through,
        blocks,
        givesWay,
        cancel,
        deadlineMs,
        tries: 0,
        resolve: settle(resolve),
        reject: settle(reject),
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.begin(job.session);
      queue.push(job);
      if (blocks) this.pack(job.session);
      this.pump();
      if (!givesWay && queue.at(-1) === job) this.giveWay();
    });
  }

  private giveWay(): void {
    for (const { cancel } of this.givingWay) Atomics.store(cancel, 0, 1);
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
      const job = this.take();
      if (job === undefined) break;
      this.running += 1;
      void this.start(job, this.freeSlots.pop()!);
    }
    if (this.running === 0 && this.queued === 0) {
      for (const resolve of this.idleWaiters.splice(0)) resolve();
    }
  }

  private async start(job: Job, slot: number): Promise<void> {
    const { session } = job;
    this.gates.enter(session);
    if (job.givesWay) this.givingWay.add(job);
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
    this.givingWay.delete(job);
    this.gates.leave(session);
    if (restMs === 0) this.freeSlots.push(slot);
    else setTimeout(() => this.returnSlot(slot), restMs);
    this.pump();
    if (this.free > 0) for (const listener of this.freeListeners) listener();
  }

  private returnSlot(slot: number): void {
    this.freeSlots.push(slot);
    this.pump();
  }

  /** Sends the task. A worker that does not know the session is told how it was made of the one before, or else is sent the whole. */
  private async attempt(job: Job, slot: number): Promise<Answer> {
    const { body, session, cancel, deadlineMs } = job;
    const { id, step } = session;
    const task = { body, sessionId: id, slot, cancel };
    const options = deadlineMs === undefined ? {} : { signal: AbortSignal.timeout(deadlineMs) };
    const whole = () => ({ session: packSession(session) });
    const more = [() => ({}), ...(step === null ? [] : [() => ({ step })]), whole];
    // None of the workers knows a new session: they are not asked.
    if (step === null && isNews(session, this.workers)) more.unshift(whole);
    let answer: Answer = { ok: false, needsSession: true };
    for (const told of more) {
      answer = (await this.pool.run({ ...task, ...told() }, options)) as Answer;
      if (answer.ok || !answer.needsSession) break;
    }
    return answer;
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
