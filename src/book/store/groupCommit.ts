/**
 * Many appends, one synchronisation of the disk: while one transaction is being made durable, what comes in waits and goes into the next,
 * in order. Each call is in one transaction, whole.
 *
 * A transaction that fails fails also what waits behind it: that may have been decided on what did not come to be. After it, writes are
 * refused at once for `LIMITS.storeRetryMs`, then the next one is tried; the first that succeeds ends the failure.
 */
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Outcome } from './chain.ts';
import { type Call, callOf } from './drafts.ts';
import { type Draft, type LogRecord, recordOf, type TextDraft } from './logRecord.ts';

/** Makes the calls durable in one transaction, or throws and leaves none of them. */
export type Commit = (calls: readonly (readonly TextDraft[])[]) => Promise<readonly Outcome[]>;

interface Waiting extends Call {
  readonly resolve: (records: readonly LogRecord[]) => void;
  readonly reject: (error: PlimsollError) => void;
}

export class GroupCommit {
  private readonly commit: Commit;
  private queue: Waiting[] = [];
  private records = 0;
  private chars = 0;
  private busy = false;
  private closing = false;
  private failed: { readonly error: PlimsollError; readonly until: number } | null = null;
  private idle: (() => void)[] = [];

  constructor(commit: Commit) {
    this.commit = commit;
  }

  /** Why writes are refused; null while they are not. */
  get failure(): PlimsollError | null {
    return this.failed?.error ?? null;
  }

  /** Resolves when the records are durable. @throws see `Store.append` */
  append(drafts: readonly Draft[]): Promise<readonly LogRecord[]> {
    return new Promise((resolve, reject) => {
      if (this.closing) throw new PlimsollError('CLOSED', 'the store is closing');
      const call = callOf(drafts);
      if (drafts.length === 0) return resolve([]);
      if (this.failed !== null && performance.now() < this.failed.until) throw this.failed.error;
      this.mustHaveRoom(call);
      this.queue.push({ ...call, resolve, reject });
      this.records += call.drafts.length;
      this.chars += call.chars;
      // Not at once: what is appended in the same turn shares the first transaction.
      queueMicrotask(() => void this.pump());
    });
  }

  /** Refuses writes for good. */
  stop(error: PlimsollError): void {
    this.failed = { error, until: Number.POSITIVE_INFINITY };
    this.rejectQueue(error);
  }

  /** Takes no more, and resolves when all that was accepted is durable. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.busy || this.queue.length > 0) {
      await new Promise<void>((resolve) => this.idle.push(resolve));
    }
  }

  /** What one commit holds counts as waiting until it is durable. */
  private mustHaveRoom({ drafts, chars }: Call): void {
    const { storeQueueRecordsMax, storeQueueCharsMax } = LIMITS;
    const empty = this.records === 0;
    const tooMany = this.records + drafts.length > storeQueueRecordsMax;
    if (!empty && (tooMany || this.chars + chars > storeQueueCharsMax)) {
      const message = `${this.records} records (${this.chars} characters) wait for the disk; at most ${storeQueueRecordsMax} (${storeQueueCharsMax}) may`;
      throw new PlimsollError('SATURATED', message);
    }
  }

  private async pump(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.queue.length > 0) await this.one(this.takeBatch());
    this.busy = false;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private async one(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.commit(batch.map(({ drafts }) => drafts));
      this.failed = null;
      batch.forEach((waiting, i) => {
        settle(waiting, outcomes[i]!);
      });
    } catch (thrown) {
      const error = asPlimsollError(thrown);
      // Stopped for good in the meantime: that stays.
      if (this.failed?.until !== Number.POSITIVE_INFINITY) {
        this.failed = { error, until: performance.now() + LIMITS.storeRetryMs };
      }
      for (const { reject } of batch) reject(error);
      this.rejectQueue(error);
    }
    for (const waiting of batch) this.release(waiting);
  }

  private takeBatch(): readonly Waiting[] {
    const { storeBatchRecordsMax, storeBatchCharsMax } = LIMITS;
    let records = 0;
    let chars = 0;
    let taken = 0;
    for (const call of this.queue) {
      records += call.drafts.length;
      chars += call.chars;
      if (taken > 0 && (records > storeBatchRecordsMax || chars > storeBatchCharsMax)) break;
      taken += 1;
    }
    const batch = this.queue.slice(0, taken);
    this.queue = this.queue.slice(taken);
    return batch;
  }

  private rejectQueue(error: PlimsollError): void {
    const rejected = this.queue;
    this.queue = [];
    for (const waiting of rejected) {
      waiting.reject(error);
      this.release(waiting);
    }
  }

  private release({ drafts, chars }: Call): void {
    this.records -= drafts.length;
    this.chars -= chars;
  }
}

function settle({ drafts, resolve, reject }: Waiting, outcome: Outcome): void {
  if ('takenKey' in outcome) {
    const message = `something is recorded under the key ${JSON.stringify(outcome.takenKey)} already`;
    reject(new PlimsollError('DUPLICATE_KEY', message, { path: 'key' }));
  } else resolve(drafts.map((draft, i) => recordOf(draft, outcome.stamps[i]!)));
}
