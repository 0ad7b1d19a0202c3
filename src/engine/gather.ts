/**
 * Gathers concurrent single requests into one worker task: while all workers are busy requests wait together, and the next free worker
 * takes its share of them. A lone request goes at once.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { AccountOutcome } from './evaluator.ts';
import type { Executor } from './executor.ts';

interface Waiting<T> {
  readonly item: T;
  readonly resolve: (outcome: AccountOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const GATHERED_MAX = 256;

export class Gatherer<T> {
  private waiting: Waiting<T>[] = [];
  private scheduled = false;
  private readonly drainWaiters: (() => void)[] = [];
  private readonly executor: Executor;
  private readonly send: (items: readonly T[]) => Promise<readonly AccountOutcome[]>;

  constructor(
    executor: Executor,
    send: (items: readonly T[]) => Promise<readonly AccountOutcome[]>,
  ) {
    this.executor = executor;
    this.send = send;
    executor.onFree(() => this.flush());
  }

  add(item: T): Promise<AccountOutcome> {
    if (this.waiting.length >= LIMITS.queuedRequestsMax) {
      const message = `${this.waiting.length} requests are waiting already`;
      return Promise.reject(new PlimsollError('SATURATED', message));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.scheduled) return;
      this.scheduled = true;
      // After the requests that arrive in the same turn of the event loop.
      setImmediate(() => {
        this.scheduled = false;
        this.flush();
      });
    });
  }

  /** Resolves when nobody waits here any more. */
  drained(): Promise<void> {
    if (this.waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.drainWaiters.push(resolve);
    });
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.executor.free > 0) {
      const share = Math.ceil(this.waiting.length / this.executor.free);
      void this.dispatch(this.waiting.splice(0, Math.min(share, GATHERED_MAX)));
    }
    if (this.waiting.length > 0) return;
    for (const resolve of this.drainWaiters.splice(0)) resolve();
  }

  private async dispatch(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const outcomes = await this.send(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, i) => {
        resolve(outcomes[i]!);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
